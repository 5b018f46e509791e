// A filter: one condition on entries, asked in three places so that as little as possible is read.
//
//   match(Origin)         before a frame's numbers are looked at: who printed, on which host
//   match(FrameSummary)   before a frame is fetched: what the footer says of it
//   match(Entry)          of a line or gap that was read
//
// The answer is one of three, so that filters can be negated and joined without a case of their own:
//   none   no entry of it matches: it need not be read
//   some   perhaps: what is inside has to be asked
//   all    every entry of it matches
// A filter that cannot tell answers `some`. A line is answered with none or all. A gap may be answered with `some`:
// what is missing may have matched, and a reader shows it.
//
// To add one: docs/contributing/add-a-filter.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "open/segment_reader.h"
#include "record/source.h"
#include "rollup/gram_reader.h"
#include "segment/object_key.h"

namespace boatswain::query {

enum class Match : std::uint8_t { none, some, all };

constexpr Match match_if(bool holds) { return holds ? Match::all : Match::none; }
constexpr Match opposite(Match match) { return match == Match::some ? match : match_if(match == Match::none); }

// Who printed, and in which segment it lies. Everything here and below is borrowed, and valid during the call only.
struct Origin {
    const segment::ObjectKey& segment;
    const Source& source;
};

struct FrameSummary {
    Origin origin;
    const open::FooterFrame& frame;
    std::optional<rollup::GramView> grams{};  // which texts it cannot hold, where a roll-up says so
};

// One line or gap; or a closing record, where a selection asks for it (Selection::numbered).
struct Entry {
    const segment::ObjectKey& segment;
    const Source& source;
    const open::TextEntry& text;  // never a heading
    // Of a line of the source, counted from 0 since its first one; of what is no line, that of the line behind it. Only
    // where a selection is numbered.
    std::uint64_t ordinal = 0;

    bool is_line() const { return text.kind == open::TextEntry::Kind::line; }
    bool is_end() const { return text.kind == open::TextEntry::Kind::end; }
    // When it was printed, or began.
    Timestamp time() const { return is_line() ? text.line.time : is_end() ? text.end.time : text.gap.from; }
    Origin origin() const { return {segment, source}; }
};

// Finds lines that may match in the text of a frame, without a look at each of them. For one text and one thread.
class LineScan {
  public:
    LineScan() = default;
    LineScan(const LineScan&) = delete;
    LineScan& operator=(const LineScan&) = delete;
    virtual ~LineScan() = default;

    // The start of the first line at or behind `from`, itself the start of one, that may match; npos: there is none.
    // `from` never goes back.
    virtual std::size_t next(std::size_t from) = 0;
};

// Immutable: any thread may ask at any time.
class Filter {
  public:
    Filter() = default;
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;
    virtual ~Filter() = default;

    virtual Match match(const Origin&) const { return Match::some; }
    virtual Match match(const FrameSummary&) const { return Match::some; }
    virtual Match match(const Entry& entry) const = 0;
    // Over `text`, a whole frame's, which is borrowed. What it passes over is answered with none, but for gaps; what
    // it stops at has to be asked. Nothing: every line has to be.
    virtual std::unique_ptr<LineScan> scan(std::string_view /*text*/) const { return nullptr; }
    // Whether it looks at FrameSummary::grams, so that they are worth fetching.
    virtual bool wants_grams() const { return false; }
};

// Shared by the questions that ask it and the filters that hold it.
using FilterPtr = std::shared_ptr<const Filter>;

// Every one of `filters`; of none: everything.
FilterPtr all_of(std::vector<FilterPtr> filters);
// At least one of `filters`; of none: nothing.
FilterPtr any_of(std::vector<FilterPtr> filters);
FilterPtr none_of(FilterPtr filter);

}  // namespace boatswain::query
