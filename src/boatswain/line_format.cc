#include "boatswain/line_format.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/line_level.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t app_bytes_max = 120;

// The same app has the same colour in every run (FNV-1a, which is the same everywhere).
std::string_view colour_of(std::string_view app) {
    constexpr std::array<std::string_view, 6> colours{"32", "33", "34", "35", "36", "94"};
    std::uint32_t hash = 2166136261;
    for (char c : app) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return colours.at(hash % colours.size());
}

std::string about(const Gap& gap) {
    std::string text =
        fmt::format("--- gap: {} from {} to {}", printable(gap.reason, 64), to_text(gap.from), to_text(gap.to));
    if (gap.lines_min > 0) text += fmt::format(", at least {}", counted(gap.lines_min, "line"));
    if (gap.bytes_min > 0) text += fmt::format(", at least {}", counted(gap.bytes_min, "byte"));
    return text;
}

// Bold where it was found among others; by its level else. The rest is as the terminal has it.
std::string paint_message(const std::string& message, bool is_found, const Output& out) {
    if (is_found) return out.paint("1", message);
    if (!out.has_colour()) return message;
    switch (level_of(message)) {
        case LineLevel::error: return out.paint("31", message);
        case LineLevel::warning: return out.paint("33", message);
        case LineLevel::debug: return out.paint("2", message);
        case LineLevel::info:
        case LineLevel::unknown: break;
    }
    return message;
}

bool is_gap(const query::Entry& entry) { return entry.text.kind == open::TextEntry::Kind::gap; }

Printed gap_aside(const query::Entry& entry) {
    return {.text = fmt::format("{} {}\n", printable(entry.source.whose.app, app_bytes_max), about(entry.text.gap)),
            .aside = true};
}

}  // namespace

Printed as_text(const query::Entry& entry, const Output& out, const InGroup* place) {
    auto app = printable(entry.source.whose.app, app_bytes_max);
    auto painted = out.paint(colour_of(app), app);
    if (is_gap(entry)) {
        const auto& gap = entry.text.gap;
        return {.text = fmt::format("{} {} {}\n", out.time_text(gap.from), painted, out.paint("1;31", about(gap)))};
    }
    const auto& line = entry.text.line;
    std::string text = out.time_text(line.time) + " " + painted + " ";
    if (line.stream == Stream::err) text += out.paint("31", "[stderr]") + " ";
    auto message = terminal_safe(line.bytes);
    text += paint_message(message, place != nullptr && place->found, out);
    text += '\n';
    return {.text = std::move(text)};
}

Printed as_json(const query::Entry& entry, const logql::Labels* labels, const InGroup* place) {
    const auto& source = entry.source;
    auto json = json_object();
    json.member("time", is_gap(entry) ? entry.text.gap.from : entry.text.line.time)
        .member("tenant", entry.segment.tenant.str())
        .member("app", source.whose.app)
        .member("component", source.whose.component)
        .member("instance", source.whose.instance)
        .member("container", source.id)
        .member("name", source.name);
    if (is_gap(entry)) {
        const auto& gap = entry.text.gap;
        json.object("gap")
            .member("from", gap.from)
            .member("to", gap.to)
            .member("reason", gap.reason)
            .member("lines_min", gap.lines_min)
            .member("bytes_min", gap.bytes_min)
            .end();
        if (place != nullptr) json.member("group", place->group).member("hit", false);
        return {.text = json.take_line()};
    }
    const auto& line = entry.text.line;
    json.member("stream", to_string(line.stream)).member("partial", line.partial).member("message", line.bytes);
    if (!is_valid_utf8(line.bytes)) json.member("message_base64", to_base64(line.bytes));
    if (place != nullptr) json.member("group", place->group).member("hit", place->found);
    if (labels != nullptr) {
        json.object("labels");
        for (const auto& label : labels->sorted()) json.member(label.name, label.value);
    }
    return {.text = json.take_line()};
}

Printed as_raw(const query::Entry& entry) {
    if (is_gap(entry)) return gap_aside(entry);
    const auto& line = entry.text.line;
    std::string text{line.bytes};
    if (!line.partial) text += '\n';
    return {.text = std::move(text)};
}

std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

std::string csv_heading(bool with_place) {
    return std::string{"time,tenant,app,component,instance,container,name,stream,message"} +
           (with_place ? ",group,hit\n" : "\n");
}

Printed as_csv(const query::Entry& entry, const InGroup* place) {
    if (is_gap(entry)) return gap_aside(entry);
    const auto& line = entry.text.line;
    const auto& source = entry.source;
    std::string text = to_text(line.time);
    for (std::string_view field :
         {std::string_view{entry.segment.tenant.str()}, std::string_view{source.whose.app},
          std::string_view{source.whose.component}, std::string_view{source.whose.instance},
          std::string_view{source.id}, std::string_view{source.name}, to_string(line.stream), line.bytes})
        text += "," + csv_field(terminal_safe(field));
    if (place != nullptr) text += fmt::format(",{},{}", place->group, place->found);
    return {.text = text + "\n"};
}

Printed print(const query::Entry& entry, LogFormatChoice format, const Output& out, const InGroup* place) {
    switch (format) {
        case LogFormatChoice::json: return as_json(entry, nullptr, place);
        case LogFormatChoice::raw: return as_raw(entry);
        case LogFormatChoice::csv: return as_csv(entry, place);
        case LogFormatChoice::text: break;
    }
    return as_text(entry, out, place);
}

}  // namespace boatswain::tool
