#include "base/bytes.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/characters.h"
#include "base/text.h"

namespace boatswain {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The length of the valid UTF-8 sequence at the start of `text`, or 0.
std::size_t utf8_sequence(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto more = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    unsigned char c = byte(0);
    if (c < 0x80) return 1;
    if (c >= 0xC2 && c <= 0xDF) return more(1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (!more(1) || !more(2)) return 0;
        if (c == 0xE0 && byte(1) < 0xA0) return 0;
        if (c == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (!more(1) || !more(2) || !more(3)) return 0;
        if (c == 0xF0 && byte(1) < 0x90) return 0;
        if (c == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

struct SizeUnit {
    std::string_view name;
    std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 8> size_units{{{"GiB", 1ULL << 30},
                                              {"MiB", 1ULL << 20},
                                              {"KiB", 1ULL << 10},
                                              {"GB", 1'000'000'000},
                                              {"MB", 1'000'000},
                                              {"kB", 1'000},
                                              {"B", 1},
                                              {"", 1}}};

}  // namespace

std::string to_hex(std::string_view bytes) {
    static constexpr std::string_view alphabet = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (unsigned char c : bytes) {
        text += alphabet[c >> 4];
        text += alphabet[c & 15];
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::string to_base64_unpadded(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int have = 0;
    for (unsigned char c : bytes) {
        bits = (bits << 8) | c;
        have += 8;
        while (have >= 6) {
            have -= 6;
            text += base64_alphabet[(bits >> have) & 63];
        }
    }
    if (have > 0) text += base64_alphabet[(bits << (6 - have)) & 63];
    return text;
}

std::string to_base64(std::string_view bytes) {
    auto text = to_base64_unpadded(bytes);
    while (text.size() % 4 != 0) text += '=';
    return text;
}

std::optional<std::string> from_base64_unpadded(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int have = 0;
    for (char c : text) {
        auto value = base64_alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes += static_cast<char>((bits >> have) & 255);
        }
    }
    if ((bits & ((1U << have) - 1)) != 0) return std::nullopt;  // not canonical: bits left over must be zero
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    auto text = to_base64_unpadded(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    if (text.contains('+') || text.contains('/')) return std::nullopt;
    std::string usual{text};
    std::ranges::replace(usual, '-', '+');
    std::ranges::replace(usual, '_', '/');
    return from_base64_unpadded(usual);
}

std::string percent_encode(std::string_view part) {
    static constexpr std::string_view alphabet = "0123456789ABCDEF";
    bool only_dots = !part.empty() && std::ranges::all_of(part, [](char c) { return c == '.'; });
    std::string text;
    text.reserve(part.size());
    for (unsigned char c : part) {
        bool plain =
            is_letter_or_digit(static_cast<char>(c)) || c == '-' || c == '_' || c == '~' || (c == '.' && !only_dots);
        if (plain) {
            text += static_cast<char>(c);
        } else {
            text += '%';
            text += alphabet[c >> 4];
            text += alphabet[c & 15];
        }
    }
    return text;
}

std::optional<std::string> percent_decode(std::string_view part) {
    std::string text;
    text.reserve(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] != '%') {
            text += part[i];
            continue;
        }
        if (i + 2 >= part.size()) return std::nullopt;
        int high = hex_value(part[i + 1]), low = hex_value(part[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        text += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return text;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        if (value > std::numeric_limits<std::uint64_t>::max() / 10 - 10) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
    }
    if (at == 0) return std::nullopt;
    const auto* unit = std::ranges::find(size_units, text.substr(at), &SizeUnit::name);
    if (unit == size_units.end()) return std::nullopt;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(value, unit->bytes, &bytes)) return std::nullopt;
    return bytes;
}

std::string size_to_text(std::uint64_t bytes) {
    for (const auto& unit : size_units)
        if (bytes != 0 && unit.bytes > 1 && bytes % unit.bytes == 0)
            return std::to_string(bytes / unit.bytes) + std::string{unit.name};
    return std::to_string(bytes) + "B";
}

// Characters that act (base/characters.h) go the way of control characters: each of their bytes becomes \xNN.
std::string printable(std::string_view text, std::size_t bytes_max) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (out.size() >= bytes_max) return out + "...";
        auto length = utf8_sequence(text.substr(i));
        if (length == 0 || is_acting_character(code_point(text.substr(i, length)))) {
            auto bytes = std::max<std::size_t>(length, 1);
            for (std::size_t end = i + bytes; i < end; ++i) out += "\\x" + to_hex(text.substr(i, 1));
            continue;
        }
        // What is shown as it is, up to what is not.
        auto first = i;
        do {
            i += length;
            if (i == text.size() || out.size() + (i - first) >= bytes_max) break;
            length = utf8_sequence(text.substr(i));
        } while (length > 0 && !is_acting_character(code_point(text.substr(i, length))));
        out += text.substr(first, i - first);
    }
    return out;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        auto length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace boatswain
