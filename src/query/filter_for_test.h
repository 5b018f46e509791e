// For tests: one filter, asked about one line, gap or source.
#pragma once

#include "query/filter.h"
#include "query/store_for_test.h"

namespace boatswain::query::testing {

inline const Source& some_source() {
    static const Source it = source("acme", "shop", "shop-1");
    return it;
}

inline const segment::ObjectKey& some_key() {
    static const segment::ObjectKey it = key("acme", at("2026-11-23T10:00:00Z"), 1);
    return it;
}

inline Match ask(const Filter& filter, const Line& line, const Source& who = some_source()) {
    open::TextEntry text;
    text.kind = open::TextEntry::Kind::line;
    text.line = line;
    return filter.match(Entry{.segment = some_key(), .source = who, .text = text});
}

inline Match ask(const Filter& filter, const Gap& gap, const Source& who = some_source()) {
    open::TextEntry text;
    text.kind = open::TextEntry::Kind::gap;
    text.gap = gap;
    return filter.match(Entry{.segment = some_key(), .source = who, .text = text});
}

inline Match ask(const Filter& filter, const Source& who) { return filter.match(Origin{some_key(), who}); }

inline Line line_of(std::string_view bytes, Stream stream = Stream::out) {
    return {.time = at("2026-11-23T10:00:00Z"), .stream = stream, .bytes = bytes};
}

}  // namespace boatswain::query::testing
