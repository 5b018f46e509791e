#include "query/regex.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"

namespace boatswain::query {

// Walks over escapes and character classes, where "(" is no group.
Result<std::string> translated_regex(std::string_view regex) {
    std::string result;
    bool in_class = false;
    for (std::size_t at = 0; at < regex.size(); ++at) {
        char c = regex[at];
        if (c == '\\' && at + 1 < regex.size()) {
            if (regex[at + 1] == 'C') return fail(Remedy::stop, "invalid escape sequence: `\\C`");
            if (regex[at + 1] == 'Q') {  // up to \E nothing has a meaning
                auto end = regex.find("\\E", at);
                auto length = end == std::string_view::npos ? regex.size() - at : end + 2 - at;
                result += regex.substr(at, length);
                at += length - 1;
                continue;
            }
            result += c;
            result += regex[++at];
            continue;
        }
        if (in_class) {
            if (c == ']') in_class = false;
        } else if (c == '[') {
            in_class = true;
            result += c;
            if (at + 1 < regex.size() && regex[at + 1] == '^') result += regex[++at];
            if (at + 1 < regex.size() && regex[at + 1] == ']') result += regex[++at];  // the first one is a character
            continue;
        } else if (regex.substr(at).starts_with("(?<")) {
            result += "(?P<";
            at += 2;
            continue;
        }
        result += c;
    }
    return result;
}

namespace {

// In the form of a line among others. Nothing where that cannot be said: \A, \z, \Q, flags but i and s, and a "^"
// behind something else that has no width (it would be asked before the prefix, and not behind it).
std::optional<std::string> among_lines(std::string_view regex, std::size_t prefix_bytes) {
    auto begin = "(?:^.{" + std::to_string(prefix_bytes) + "})";
    std::string result = "(?m:";
    bool in_class = false, has_edge = false;
    for (std::size_t at = 0; at < regex.size(); ++at) {
        char c = regex[at];
        if (c == '\\' && at + 1 < regex.size()) {
            if (std::string_view{"AzQE"}.contains(regex[at + 1])) return std::nullopt;
            has_edge = has_edge || regex[at + 1] == 'b' || regex[at + 1] == 'B';
            result += c;
            result += regex[++at];
            continue;
        }
        if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
            result += c;
            if (at + 1 < regex.size() && regex[at + 1] == '^') result += regex[++at];
            if (at + 1 < regex.size() && regex[at + 1] == ']') result += regex[++at];
            continue;
        } else if (c == '^') {
            if (has_edge) return std::nullopt;
            result += begin;
            continue;
        } else if (c == '$') {
            has_edge = true;
        } else if (regex.substr(at).starts_with("(?")) {
            auto flags = regex.substr(at + 2, regex.find_first_not_of("is", at + 2) - at - 2);
            auto after = regex.substr(std::min(at + 2 + flags.size(), regex.size()));
            bool is_name = flags.empty() && after.starts_with("P<");
            if (!is_name && !after.starts_with(':') && !(after.starts_with(')') && !flags.empty())) return std::nullopt;
        }
        result += c;
    }
    return result + ")";
}

}  // namespace

LinesRegex::LinesRegex(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
LinesRegex::LinesRegex(LinesRegex&&) noexcept = default;
LinesRegex& LinesRegex::operator=(LinesRegex&&) noexcept = default;
LinesRegex::~LinesRegex() = default;

std::optional<LinesRegex> LinesRegex::of(std::string_view regex, std::size_t prefix_bytes) {
    auto text = translated_regex(regex);
    if (!text) return std::nullopt;
    auto lines = among_lines(*text, prefix_bytes);
    if (!lines) return std::nullopt;
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(regex_memory_max);
    options.set_never_nl(true);
    auto compiled = std::make_unique<re2::RE2>(*lines, options);
    if (!compiled->ok()) return std::nullopt;
    return LinesRegex{std::move(compiled)};
}

std::size_t LinesRegex::find(std::string_view lines, std::size_t from) const {
    re2::StringPiece found;
    if (!compiled_->Match(lines, from, lines.size(), re2::RE2::UNANCHORED, &found, 1)) return std::string_view::npos;
    return static_cast<std::size_t>(found.data() - lines.data());
}

Regex::Regex(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {
    names_.resize(static_cast<std::size_t>(compiled_->NumberOfCapturingGroups()) + 1);
    for (const auto& [place, name] : compiled_->CapturingGroupNames()) names_[static_cast<std::size_t>(place)] = name;
}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::parse(std::string_view regex) {
    if (regex.size() > regex_bytes_max)
        return fail(Remedy::stop, "a regular expression has at most " + std::to_string(regex_bytes_max) + " bytes");
    TRY(auto text, translated_regex(regex));
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(regex_memory_max);
    auto compiled = std::make_unique<re2::RE2>(text, options);
    if (!compiled->ok()) return fail(Remedy::stop, compiled->error());
    Regex regex_of{std::move(compiled)};
    for (const auto& name : regex_of.names_)
        if (!name.empty() && std::ranges::count(regex_of.names_, name) > 1)
            return fail(Remedy::stop, "duplicate capture group name: " + name);
    return regex_of;
}

bool Regex::found_in(std::string_view text) const {
    return compiled_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

bool Regex::matches_whole(std::string_view text) const {
    return compiled_->Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

std::vector<std::string_view> Regex::groups_in(std::string_view text) const {
    std::vector<re2::StringPiece> pieces(names_.size());
    if (!compiled_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, pieces.data(), static_cast<int>(pieces.size())))
        return {};
    std::vector<std::string_view> groups;
    for (const auto& piece : pieces) groups.emplace_back(piece.data(), piece.size());
    return groups;
}

bool Regex::has_named_group() const {
    return std::ranges::any_of(names_, [](const std::string& name) { return !name.empty(); });
}

std::string Regex::replace_all(std::string_view text, std::string_view with) const {
    std::string result;
    std::size_t at = 0;
    std::vector<re2::StringPiece> pieces(names_.size());
    auto expand = [&](std::string_view name) {
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (std::to_string(i) == name || (!name.empty() && names_[i] == name))
                result.append(pieces[i].data() ? pieces[i].data() : "", pieces[i].size());
    };
    while (at <= text.size() && compiled_->Match(text, at, text.size(), re2::RE2::UNANCHORED, pieces.data(),
                                                 static_cast<int>(pieces.size()))) {
        auto begin = static_cast<std::size_t>(pieces[0].data() - text.data());
        result += text.substr(at, begin - at);
        for (std::size_t i = 0; i < with.size(); ++i) {
            if (with[i] != '$' || i + 1 == with.size()) {
                result += with[i];
            } else if (with[i + 1] == '$') {
                result += '$', ++i;
            } else if (with[i + 1] == '{') {
                auto end = with.find('}', i);
                if (end == std::string_view::npos) {
                    result += with[i];
                    continue;
                }
                expand(with.substr(i + 2, end - i - 2));
                i = end;
            } else {
                auto end = i + 1;
                auto is_word = [](char c) { return is_letter_or_digit(c) || c == '_'; };
                while (end < with.size() && is_word(with[end])) ++end;
                if (end == i + 1) {
                    result += with[i];
                    continue;
                }
                expand(with.substr(i + 1, end - i - 1));
                i = end - 1;
            }
        }
        at = begin + pieces[0].size();
        if (pieces[0].empty()) {  // and on by one character
            if (at < text.size()) result += text[at];
            ++at;
        }
    }
    if (at < text.size()) result += text.substr(at);
    return result;
}

}  // namespace boatswain::query
