#include "export/row.h"

#include <array>

#include "base/bytes.h"
#include "base/json_writer.h"

namespace boatswain::exporting {

namespace {

constexpr std::string_view columns =
    "time,host,app,component,instance,source,name,stream,partial,message,bytes_base64,gap,gap_until,gap_lines_min,"
    "gap_bytes_min\n";
constexpr std::string_view columns_with_labels =
    "time,host,app,component,instance,source,name,stream,partial,message,bytes_base64,gap,gap_until,gap_lines_min,"
    "gap_bytes_min,labels\n";

std::string labels_text(const logql::Labels& labels) {
    auto json = json_object();
    for (const auto& label : labels.sorted()) json.member(label.name, label.value);
    return json.take();
}

void append_json(std::string& text, const query::Entry& entry, const logql::Record* record, bool with_labels) {
    const auto& source = entry.source;
    JsonWriter json{std::move(text)};
    json.object()
        .member("time", entry.is_line() ? entry.text.line.time : entry.text.gap.from)
        .member("host", entry.segment.host)
        .member("app", source.whose.app)
        .member_unless_empty("component", source.whose.component)
        .member_unless_empty("instance", source.whose.instance)
        .member("source", source.id)
        .member("name", source.name);
    if (entry.is_line()) {
        auto message = record != nullptr ? record->line : entry.text.line.bytes;
        json.member("stream", to_string(entry.text.line.stream))
            .member("partial", entry.text.line.partial)
            .member("message", message);
        if (!is_valid_utf8(message)) json.member("bytes_base64", to_base64(message));
        if (with_labels && record != nullptr) json.raw_member("labels", labels_text(record->labels));
    } else {
        const auto& gap = entry.text.gap;
        json.member("gap", gap.reason)
            .member("gap_until", gap.to)
            .member("gap_lines_min", gap.lines_min)
            .member("gap_bytes_min", gap.bytes_min);
    }
    text = json.take_line();
}

// RFC 4180. The bytes as they are: these files are for programs.
void append_field(std::string& text, std::string_view field) {
    if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
        text += field;
        return;
    }
    text += '"';
    for (char c : field) {
        if (c == '"') text += '"';
        text += c;
    }
    text += '"';
}

void append_csv(std::string& text, const query::Entry& entry, const logql::Record* record, bool with_labels) {
    const auto& source = entry.source;
    const auto& gap = entry.text.gap;
    bool is_line = entry.is_line();
    auto message = record != nullptr ? record->line : entry.text.line.bytes;
    bool is_text = !is_line || is_valid_utf8(message);
    std::string shown = !is_line  ? std::string{}
                        : is_text ? std::string{message}
                                  : printable(message, message.size() * 4);
    auto number = [&](std::uint64_t value) { return is_line ? std::string{} : std::to_string(value); };
    std::array<std::string, 15> fields{
        to_text(is_line ? entry.text.line.time : gap.from),
        entry.segment.host,
        source.whose.app,
        source.whose.component,
        source.whose.instance,
        source.id,
        source.name,
        is_line ? std::string{to_string(entry.text.line.stream)} : std::string{},
        is_line ? (entry.text.line.partial ? "true" : "false") : "",
        std::move(shown),
        is_text ? std::string{} : to_base64(message),
        is_line ? std::string{} : gap.reason,
        is_line ? std::string{} : to_text(gap.to),
        number(gap.lines_min),
        number(gap.bytes_min),
    };
    for (const auto& field : fields) {
        if (&field != &fields.front()) text += ',';
        append_field(text, field);
    }
    if (with_labels) {
        text += ',';
        if (record != nullptr && is_line) append_field(text, labels_text(record->labels));
    }
    text += '\n';
}

}  // namespace

std::string_view heading_of(RowFormat format, bool with_labels) {
    if (format == RowFormat::ndjson) return {};
    return with_labels ? columns_with_labels : columns;
}

void append_row(std::string& text, RowFormat format, const query::Entry& entry, const logql::Record* record,
                bool with_labels) {
    format == RowFormat::csv ? append_csv(text, entry, record, with_labels)
                             : append_json(text, entry, record, with_labels);
}

}  // namespace boatswain::exporting
