#include "logql/format.h"

#include <algorithm>
#include <array>

#include "logql/query.h"
#include "logql/token.h"

namespace boatswain::logql {
namespace {

template <std::size_t size>
bool is_one_of(const Token& token, const std::array<std::string_view, size>& texts) {
    return std::ranges::find(texts, token.text) != texts.end();
}

constexpr std::array<std::string_view, 10> before_a_list{"by",          "without", "on", "ignoring", "group_left",
                                                         "group_right", "and",     "or", "unless",   "bool"};
constexpr std::array<std::string_view, 8> comparisons{"=", "==", "!=", "=~", "!~", ">", ">=", "<"};
constexpr std::array<std::string_view, 4> bare_stages{"json", "logfmt", "unpack", "decolorize"};

bool is_comparison(const Token& token) {
    return token.word == Word::symbol && (is_one_of(token, comparisons) || token.is("<="));
}

// Whether a comparison belongs to the name before it, as in level="error".
bool is_of_label(const Token& before, const Token& comparison) {
    return is_comparison(comparison) && before.word == Word::name && !is_one_of(before, bare_stages);
}

bool is_sign(const Token* before, const Token& token) {
    if (!token.is("-") && !token.is("+")) return false;
    return before == nullptr || (before->word == Word::symbol && !before->is(")") && !before->is("]")) ||
           (before->word == Word::name && is_one_of(*before, before_a_list)) || before->is_name("offset");
}

// Whether a blank stands between `left` and `right`; `before` is what stands before `left`.
bool has_blank(const Token* before, const Token& left, const Token& right) {
    if (left.is("{") || left.is("(") || left.is("[") || right.is("}") || right.is(")") || right.is("]") ||
        right.is(","))
        return false;
    if (is_of_label(left, right) || (before != nullptr && is_of_label(*before, left))) return false;
    if (is_sign(before, left)) return false;
    if (right.is("[")) return !left.is("}");
    if (right.is("(")) return left.word != Word::name || is_one_of(left, before_a_list);
    return true;
}

// With its quotes and escapes.
std::string_view written_string(std::string_view query, std::size_t at) {
    auto quote = query[at];
    auto end = at + 1;
    while (end < query.size() && query[end] != quote) end += quote == '"' && query[end] == '\\' ? 2 : 1;
    return query.substr(at, end + 1 - at);
}

}  // namespace

Result<std::string> format_query(std::string_view text) {
    CHECK(parse_query(text));
    TRY(auto tokens, tokens_of(text));
    std::string formatted;
    const Token *left = nullptr, *before = nullptr;
    for (const auto& token : tokens) {
        if (token.word == Word::end) break;
        if (left != nullptr && has_blank(before, *left, token)) formatted += ' ';
        if (token.word == Word::flag)
            formatted += "--" + token.text;
        else if (token.word == Word::string)
            formatted += written_string(text, token.at);
        else
            formatted += token.text;
        before = left;
        left = &token;
    }
    return formatted;
}

}  // namespace boatswain::logql
