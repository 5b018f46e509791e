#include "live/record.h"

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "live/message.h"

namespace boatswain::live {
namespace {

constexpr char source_kind = 's', lines_kind = 'l', mark_kind = 'm';
constexpr std::size_t head_bytes = 5, lines_head_bytes = 12;
constexpr std::size_t name_bytes_max = 4096, labels_max = 4096;

std::unexpected<Error> nonsense(std::string_view what) {
    return fail(Remedy::quarantine, "live record: " + std::string{what});
}

void append_head(std::string& record, char kind, std::size_t bytes) {
    record += kind;
    append_number(record, static_cast<std::uint32_t>(bytes));
}

void append_json(std::string& record, char kind, std::string_view json) {
    append_head(record, kind, json.size());
    record += json;
}

Result<Source> parse_source(std::string_view text) {
    json::parser parser;
    TRY(auto fields, json::parse_object(parser, text, "live source"));
    Source source{.id = json::text_of(fields, "id"),
                  .kind = json::text_of(fields, "kind"),
                  .name = json::text_of(fields, "name"),
                  .image = json::text_of(fields, "image"),
                  .reader = json::text_of(fields, "reader"),
                  .whose = {.app = json::text_of(fields, "app"),
                            .component = json::text_of(fields, "component"),
                            .instance = json::text_of(fields, "instance"),
                            .tenant_rule = {}},
                  .labels = json::texts_of(fields, "labels")};
    if (source.id.empty()) return nonsense("a source without an id");
    for (const auto* name : {&source.id, &source.kind, &source.name, &source.image, &source.reader, &source.whose.app,
                             &source.whose.component, &source.whose.instance})
        if (name->size() > name_bytes_max) return nonsense("a source's name is too long");
    if (source.labels.size() > labels_max) return nonsense("a source has too many labels");
    return source;
}

Result<Mark> parse_mark(std::string_view text) {
    json::parser parser;
    TRY(auto fields, json::parse_object(parser, text, "live mark"));
    Mark mark;
    auto number = json::integer_of(fields, "mark");
    if (number <= 0 || number > UINT32_MAX) return nonsense("a mark without a number");
    mark.mark = static_cast<std::uint32_t>(number);
    bool is_sound = true;
    bool all = json::for_each(fields, "sources", sources_max, [&](const json::element& element) {
        auto triple = json::as<json::array>(element);
        std::array<std::int64_t, 3> numbers{-1, -1, -1};
        std::size_t count = 0;
        if (triple)
            for (auto value : *triple)
                if (auto one = json::as<std::int64_t>(value); one && count < numbers.size()) numbers[count++] = *one;
        if (count != numbers.size() || numbers[0] < 0 || numbers[0] > UINT32_MAX || numbers[1] < 0) {
            is_sound = false;
            return;
        }
        mark.sources.push_back({.source = static_cast<std::uint32_t>(numbers[0]),
                                .next = static_cast<std::uint64_t>(numbers[1]),
                                .again = numbers[2] != 0});
    });
    if (!is_sound || !all) return nonsense("a mark that says too much, or nothing");
    return mark;
}

Result<LinesItem> parse_lines(std::string_view bytes) {
    if (bytes.size() < lines_head_bytes) return nonsense("lines without a head");
    return LinesItem{.source = static_cast<std::uint32_t>(number_of(bytes.substr(0, 4))),
                     .first_ordinal = number_of(bytes.substr(4, 8)),
                     .text = bytes.substr(lines_head_bytes)};
}

}  // namespace

void append_item(std::string& record, const Source& source) {
    auto json = json_object();
    json.member("id", source.id)
        .member_unless_empty("kind", source.kind)
        .member_unless_empty("name", source.name)
        .member_unless_empty("image", source.image)
        .member_unless_empty("reader", source.reader)
        .member_unless_empty("app", source.whose.app)
        .member_unless_empty("component", source.whose.component)
        .member_unless_empty("instance", source.whose.instance);
    if (!source.labels.empty()) json.member("labels", source.labels);
    append_json(record, source_kind, json.take());
}

void append_item(std::string& record, const LinesItem& lines) {
    append_head(record, lines_kind, lines_head_bytes + lines.text.size());
    append_number(record, lines.source);
    append_number(record, lines.first_ordinal);
    record += lines.text;
}

void append_item(std::string& record, const Mark& mark) {
    auto json = json_object();
    json.member("mark", std::uint64_t{mark.mark}).array("sources");
    for (const auto& one : mark.sources)
        json.array().value(std::uint64_t{one.source}).value(one.next).value(one.again ? 1 : 0).end();
    append_json(record, mark_kind, json.take());
}

Result<std::vector<Item>> parse_record(std::string_view record) {
    std::vector<Item> items;
    while (!record.empty()) {
        if (record.size() < head_bytes) return nonsense("it breaks off");
        char kind = record.front();
        auto bytes = number_of(record.substr(1, 4));
        record.remove_prefix(head_bytes);
        if (bytes > record.size()) return nonsense("it breaks off");
        auto content = record.substr(0, static_cast<std::size_t>(bytes));
        record.remove_prefix(content.size());
        switch (kind) {
            case source_kind: {
                TRY(items.emplace_back(), parse_source(content));
                break;
            }
            case lines_kind: {
                TRY(items.emplace_back(), parse_lines(content));
                break;
            }
            case mark_kind: {
                TRY(items.emplace_back(), parse_mark(content));
                break;
            }
            default: return nonsense("an item of an unknown kind");
        }
    }
    return items;
}

std::array<std::uint8_t, 12> record_nonce(std::uint64_t counter) {
    std::array<std::uint8_t, 12> nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (56 - 8 * i));
    return nonce;
}

}  // namespace boatswain::live
