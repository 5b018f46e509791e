#include "base/json_writer.h"

#include <array>
#include <stdexcept>

#include "base/bytes.h"
#include "base/characters.h"

namespace boatswain {
namespace {

// ASCII that stands in a JSON string as it is.
constexpr auto is_plain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

void append_unit(std::string& out, char32_t value) {
    const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
    out.append("\\u").append(to_hex({bytes, 2}));
}

void append_ascii(std::string& out, char c) {
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\t': out += "\\t"; return;
        case '\r': out += "\\r"; return;
        default: append_unit(out, static_cast<unsigned char>(c));
    }
}

// Writes the character at the start of `text`, which is beyond ASCII, and returns how many bytes of `text` it took.
std::size_t append_character(std::string& out, std::string_view text) {
    auto first = static_cast<unsigned char>(text.front());
    std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    auto sequence = text.substr(0, length);
    if (sequence.size() < length || !is_valid_utf8(sequence)) {
        out += "\xEF\xBF\xBD";
        return 1;
    }
    if (auto c = code_point(sequence); !is_acting_character(c)) {
        out += sequence;
    } else if (c < 0x10000) {
        append_unit(out, c);
    } else {
        append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
        append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
    return length;
}

}  // namespace

void append_json_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        std::size_t run = 0;
        while (run < text.size() && is_plain[static_cast<unsigned char>(text[run])]) ++run;
        out.append(text, 0, run);
        text.remove_prefix(run);
        if (text.empty()) break;
        std::size_t taken = 1;
        if (static_cast<unsigned char>(text.front()) < 0x80)
            append_ascii(out, text.front());
        else
            taken = append_character(out, text);
        text.remove_prefix(taken);
    }
    out += '"';
}

std::string json_quote(std::string_view text) {
    std::string out;
    append_json_quoted(out, text);
    return out;
}

JsonWriter& JsonWriter::open(char bracket) {
    if (depth_ == json_depth_max) throw std::logic_error{"JSON is written deeper than ever needed"};
    comma();
    text_ += bracket;
    auto level = 1U << depth_++;
    arrays_ = bracket == '[' ? arrays_ | level : arrays_ & ~level;
    return *this;
}

JsonWriter& JsonWriter::end() {
    if (depth_ == 0) throw std::logic_error{"no JSON object or array is open"};
    text_ += (arrays_ >> --depth_ & 1U) != 0 ? ']' : '}';
    return *this;
}

std::string JsonWriter::take() {
    while (depth_ > 0) end();
    return std::move(text_);
}

}  // namespace boatswain
