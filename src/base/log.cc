#include "base/log.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/characters.h"

namespace boatswain {
namespace {

constexpr std::size_t field_bytes_max = 500;

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

std::string text_value(const std::string& value) {
    auto shown = printable(value, field_bytes_max);
    if (!shown.empty() && shown.find_first_of(" \"=") == std::string::npos) return shown;
    std::string quoted = "\"";
    for (char c : shown) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

namespace {

// One character beyond ASCII: what acts on a terminal or a page (base/characters.h) as \uNNNN.
std::string as_json(std::string_view sequence) {
    auto c = code_point(sequence);
    if (!is_acting_character(c)) return std::string{sequence};
    auto unit = [](char32_t value) {
        const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
        return "\\u" + to_hex({bytes, 2});
    };
    if (c < 0x10000) return unit(c);
    return unit(0xD800 + ((c - 0x10000) >> 10)) + unit(0xDC00 + ((c - 0x10000) & 0x3FF));
}

}  // namespace

std::string json_quote(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
            ++i;
        } else if (c == '\n') {
            out += "\\n";
            ++i;
        } else if (c == '\t') {
            out += "\\t";
            ++i;
        } else if (c == '\r') {
            out += "\\r";
            ++i;
        } else if (c < 0x20 || c == 0x7F) {
            out += "\\u00" + to_hex(text.substr(i, 1));
            ++i;
        } else if (c < 0x80) {
            out += static_cast<char>(c);
            ++i;
        } else {
            std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            auto sequence = text.substr(i, length);
            if (sequence.size() == length && is_valid_utf8(sequence)) {
                out += as_json(sequence);
                i += length;
            } else {
                out += "\xEF\xBF\xBD";
                ++i;
            }
        }
    }
    return out + '"';
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < least_) return;
    std::string line;
    if (format_ == LogFormat::json) {
        line = "{\"time\":\"" + to_text(clock_.now()) + "\",\"level\":\"" + std::string{to_string(level)} +
               "\",\"event\":" + json_quote(event);
        for (const auto& field : fields)
            line += "," + json_quote(field.name) + ":" + json_quote(printable(field.value, field_bytes_max));
        line += "}\n";
    } else {
        line = to_text(clock_.now()) + " " + std::string{to_string(level)} + " " + std::string{event};
        for (const auto& field : fields) line += " " + std::string{field.name} + "=" + text_value(field.value);
        line += "\n";
    }
    std::scoped_lock lock{writing_};
    // A full or closed standard error must not stop the daemon: what cannot be written is given up.
    [[maybe_unused]] auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace boatswain
