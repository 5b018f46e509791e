#include "api/records.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "logql/level.h"

namespace boatswain::api {
namespace {

struct Form {
    std::string_view name, content_type, extension, before, behind;
};
constexpr std::array<Form, 5> forms{
    Form{"ndjson", "application/x-ndjson", "ndjson", "", ""},
    Form{"json", "application/json", "json", "[\n", "\n]\n"},
    Form{"csv", "text/csv; charset=utf-8", "csv",
         "kind,time,app,component,instance,container,source,ordinal,stream,level,message\r\n", ""},
    Form{"text", "text/plain; charset=utf-8", "txt", "", ""},
    Form{"raw", "application/octet-stream", "log", "", ""},
};
const Form& form_of(RecordFormat format) { return forms.at(static_cast<std::size_t>(format)); }

std::string_view kind_of(const query::Entry& entry) {
    return entry.is_line() ? "line" : entry.is_end() ? "end" : "gap";
}

// What is no line, for people.
std::string about(const query::Entry& entry) {
    if (entry.is_end()) {
        const auto& end = entry.text.end;
        return fmt::format("--- end: {}{}", printable(end.reason),
                           end.exit_code ? fmt::format(", exit code {}", *end.exit_code) : "");
    }
    const auto& gap = entry.text.gap;
    return fmt::format("--- gap: {} from {} to {}, at least {}", printable(gap.reason), to_text(gap.from),
                       to_text(gap.to), counted(gap.lines_min, "line"));
}

// RFC 4180; and no field begins as a formula of a spreadsheet does.
std::string csv_field(std::string_view text) {
    std::string field;
    constexpr std::string_view formulas = "=+-@\t\r";
    if (!text.empty() && formulas.contains(text.front())) field += '\'';
    field += printable(text, std::string_view::npos);
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string quoted = "\"";
    for (char c : field) quoted += c == '"' ? std::string{"\"\""} : std::string(1, c);
    return quoted + "\"";
}

std::string_view level_of(const logql::Record* record) {
    return record == nullptr ? std::string_view{} : record->labels.value(logql::level_label);
}

std::string csv_row(const query::Entry& entry, const logql::Record* record) {
    const auto& source = entry.source;
    auto row = fmt::format("{},{}", kind_of(entry), to_text(entry.time()));
    for (std::string_view field :
         {std::string_view{source.whose.app}, std::string_view{source.whose.component},
          std::string_view{source.whose.instance}, std::string_view{source.name}, std::string_view{source.id}})
        row += "," + csv_field(field);
    row += fmt::format(",{},{},{},", entry.ordinal, entry.is_line() ? to_string(entry.text.line.stream) : "",
                       level_of(record));
    return row + (record != nullptr ? csv_field(record->line) : csv_field(about(entry))) + "\r\n";
}

std::string text_line(const query::Entry& entry, const logql::Record* record) {
    auto text = to_text(entry.time()) + " " + printable(entry.source.whose.app) + " ";
    if (record == nullptr) return text + about(entry) + "\n";
    if (entry.text.line.stream == Stream::err) text += "[stderr] ";
    return text + printable(record->line, std::string_view::npos) + "\n";
}

}  // namespace

Result<RecordFormat> record_format_of(std::string_view name) {
    if (name.empty()) return RecordFormat::ndjson;
    for (std::size_t i = 0; i < forms.size(); ++i)
        if (forms.at(i).name == name) return static_cast<RecordFormat>(i);
    return fail(Remedy::stop, "invalid format: it is ndjson, json, csv, text or raw");
}

std::string_view content_type_of(RecordFormat format) { return form_of(format).content_type; }
std::string_view extension_of(RecordFormat format) { return form_of(format).extension; }
std::string_view before(RecordFormat format) { return form_of(format).before; }
std::string_view behind(RecordFormat format) { return form_of(format).behind; }

std::string record_json(const query::Entry& entry, const logql::Record* record, bool is_hit) {
    auto json = json_object();
    json.member("kind", kind_of(entry))
        .member("time", entry.time())
        .member("source", entry.source.id)
        .member("ordinal", entry.ordinal);
    if (entry.is_end()) {
        const auto& end = entry.text.end;
        json.member("reason", end.reason)
            .member_if_there("exit_code", end.exit_code)
            .member("lines", end.lines)
            .member_if_there("bytes", end.bytes);
    } else if (!entry.is_line()) {
        const auto& gap = entry.text.gap;
        json.member("from", gap.from)
            .member("to", gap.to)
            .member("reason", gap.reason)
            .member("lines_min", gap.lines_min)
            .member("bytes_min", gap.bytes_min);
    } else {
        json.member("stream", to_string(entry.text.line.stream));
        if (entry.text.line.partial) json.member("partial", true);
        json.member("level", level_of(record));
    }
    if (is_hit) json.member("hit", true);
    logql::Labels of_entry;
    if (record == nullptr) logql::add_origin_labels(entry, of_entry);
    auto labels = json_object(), fields = json_object();
    for (const auto& label : (record != nullptr ? record->labels : of_entry).sorted())
        if (label.name != logql::level_label)
            (label.kind == logql::LabelKind::stream ? labels : fields).member(label.name, label.value);
    json.raw_member("labels", labels.take()).raw_member("fields", fields.take());
    if (record == nullptr) return json.take_line();
    if (is_valid_utf8(record->line)) return json.member("message", record->line).take_line();
    return json.member("message_base64", to_base64(record->line)).take_line();
}

std::string record_text(RecordFormat format, const query::Entry& entry, const logql::Record* record, bool is_first) {
    switch (format) {
        case RecordFormat::ndjson: return record_json(entry, record);
        case RecordFormat::json: {
            auto text = record_json(entry, record);
            text.pop_back();
            return is_first ? text : ",\n" + text;
        }
        case RecordFormat::csv: return csv_row(entry, record);
        case RecordFormat::text: return text_line(entry, record);
        case RecordFormat::raw: break;
    }
    if (record == nullptr) return {};  // no byte of it was printed
    return std::string{record->line} + (entry.text.line.partial ? "" : "\n");
}

}  // namespace boatswain::api
