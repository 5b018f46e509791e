#include "logql/token.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "logql/units.h"

namespace boatswain::logql {

namespace {

// Longer ones first.
constexpr std::array<std::string_view, 30> symbols{
    "|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=", "|", "=", ">", "<", "{",
    "}",  "(",  ")",  "[",  "]",  ",",  "+",  "-",  "*",  "/",  "%", "^", ".", "@", ":"};

bool starts_name(char c) { return (is_letter_or_digit(c) && !is_digit(c)) || c == '_'; }
bool is_name(char c) { return starts_name(c) || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void append_utf8(std::string& text, std::uint32_t rune) {
    if (rune < 0x80) {
        text += static_cast<char>(rune);
    } else if (rune < 0x800) {
        text += static_cast<char>(0xC0 | (rune >> 6));
        text += static_cast<char>(0x80 | (rune & 0x3F));
    } else if (rune < 0x10000) {
        text += static_cast<char>(0xE0 | (rune >> 12));
        text += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
        text += static_cast<char>(0x80 | (rune & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | (rune >> 18));
        text += static_cast<char>(0x80 | ((rune >> 12) & 0x3F));
        text += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
        text += static_cast<char>(0x80 | (rune & 0x3F));
    }
}

class Lexer {
  public:
    explicit Lexer(std::string_view query) : query_(query) {}

    Result<std::vector<Token>> run() {
        std::vector<Token> tokens;
        while (true) {
            skip();
            if (at_ == query_.size()) break;
            TRY(auto token, next());
            tokens.push_back(std::move(token));
        }
        tokens.push_back({.word = Word::end, .text = "$end", .at = query_.size()});
        return tokens;
    }

  private:
    std::unexpected<Error> refuse(std::size_t at, std::string_view what) const {
        return std::unexpected(parse_error(query_, at, what));
    }

    void skip() {
        while (at_ < query_.size()) {
            if (query_[at_] == '#')
                while (at_ < query_.size() && query_[at_] != '\n') ++at_;
            else if (is_blank(query_[at_]))
                ++at_;
            else
                break;
        }
    }

    Result<Token> next() {
        char c = query_[at_];
        if (c == '"') return quoted();
        if (c == '`') return raw();
        if (c == '\'')
            return refuse(at_, "syntax error: unexpected ', strings are in \"double quotes\" or `backticks`");
        bool fraction = c == '.' && at_ + 1 < query_.size() && is_digit(query_[at_ + 1]);
        if (is_digit(c) || fraction) return number();
        if (starts_name(c)) return name();
        if (query_.substr(at_).starts_with("--") && at_ + 2 < query_.size() && starts_name(query_[at_ + 2]))
            return flag();
        for (auto symbol : symbols)
            if (query_.substr(at_).starts_with(symbol)) {
                Token token{.word = Word::symbol, .text = std::string{symbol}, .at = at_};
                at_ += symbol.size();
                return token;
            }
        return refuse(at_, "syntax error: unexpected character");
    }

    Token name() {
        auto from = at_;
        while (at_ < query_.size() && is_name(query_[at_])) ++at_;
        return {.word = Word::name, .text = std::string{query_.substr(from, at_ - from)}, .at = from};
    }

    Token flag() {
        auto from = at_;
        at_ += 2;
        while (at_ < query_.size() && (is_name(query_[at_]) || query_[at_] == '-')) ++at_;
        return {.word = Word::flag, .text = std::string{query_.substr(from + 2, at_ - from - 2)}, .at = from};
    }

    // Digits, a fraction, an exponent, units: whatever sticks together.
    Result<Token> number() {
        auto from = at_;
        auto goes_on = [&](std::size_t at) {
            char c = query_[at];
            if (is_name(c) || c == '.' || static_cast<unsigned char>(c) >= 0x80) return true;
            bool exponent = (c == '+' || c == '-') && (query_[at - 1] == 'e' || query_[at - 1] == 'E');
            return exponent && at + 1 < query_.size() && is_digit(query_[at + 1]) &&
                   std::ranges::all_of(query_.substr(from, at - 1 - from),
                                       [](char before) { return is_digit(before) || before == '.'; });
        };
        while (at_ < query_.size() && goes_on(at_)) ++at_;
        Token token{.text = std::string{query_.substr(from, at_ - from)}, .at = from};
        if (auto plain = parse_number(token.text)) {
            token.word = Word::number;
            token.number = *plain;
        } else if (auto duration = parse_duration(token.text)) {
            token.word = Word::duration;
            token.number = *duration;
            token.is_range = parse_range_duration(token.text).has_value();
        } else if (auto bytes = parse_bytes(token.text)) {
            token.word = Word::bytes;
            token.number = *bytes;
        } else {
            return refuse(from, "syntax error: " + token.text + " is no number, duration (5m) or size (20KB)");
        }
        return token;
    }

    Result<Token> raw() {
        auto from = at_++;
        auto end = query_.find('`', at_);
        if (end == std::string_view::npos) return refuse(from, "literal not terminated");
        Token token{.word = Word::string, .text = std::string{query_.substr(at_, end - at_)}, .at = from};
        at_ = end + 1;
        return token;
    }

    Result<Token> quoted() {
        auto from = at_++;
        Token token{.word = Word::string, .at = from};
        while (true) {
            if (at_ == query_.size() || query_[at_] == '\n') return refuse(from, "literal not terminated");
            char c = query_[at_++];
            if (c == '"') return token;
            if (c != '\\') {
                token.text += c;
                continue;
            }
            if (at_ == query_.size()) return refuse(from, "literal not terminated");
            CHECK(escape(token.text));
        }
    }

    // As in Go's strings, behind the backslash.
    Result<void> escape(std::string& text) {
        constexpr std::string_view letters = "abfnrtv\\\"";
        constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"";
        auto from = at_ - 1;
        char c = query_[at_++];
        if (auto place = letters.find(c); place != std::string_view::npos) {
            text += meanings[place];
            return {};
        }
        std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        unsigned base = 16;
        if (c >= '0' && c <= '7') {
            --at_;
            digits = 3;
            base = 8;
        }
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at_) {
            auto digit = at_ < query_.size() ? digit_of(query_[at_]) : std::nullopt;
            if (!digit || *digit >= base) return refuse(from, "invalid char escape");
            value = value * base + *digit;
        }
        bool is_rune = c == 'u' || c == 'U';
        if (digits == 0 || (!is_rune && value > 0xFF) ||
            (is_rune && (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))))
            return refuse(from, "invalid char escape");
        if (is_rune)
            append_utf8(text, value);
        else
            text += static_cast<char>(value);
        return {};
    }

    static std::optional<unsigned> digit_of(char c) {
        auto value = hex_value(c);
        return value < 0 ? std::nullopt : std::optional{static_cast<unsigned>(value)};
    }

    std::string_view query_;
    std::size_t at_ = 0;
};

}  // namespace

Error parse_error(std::string_view query, std::size_t at, std::string_view what) {
    auto before = query.substr(0, std::min(at, query.size()));
    auto line = std::ranges::count(before, '\n') + 1;
    auto start = before.rfind('\n');
    auto column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
    return {.remedy = Remedy::stop,
            .what = "parse error at line " + std::to_string(line) + ", col " + std::to_string(column) + ": " +
                    std::string{what},
            .cause = {}};
}

Result<std::vector<Token>> tokens_of(std::string_view query) {
    if (query.size() > query_bytes_max)
        return std::unexpected(
            parse_error(query, 0, "the query is longer than " + std::to_string(query_bytes_max) + " bytes"));
    return Lexer{query}.run();
}

}  // namespace boatswain::logql
