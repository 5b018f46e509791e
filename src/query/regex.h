// Regular expressions of a question: RE2, bounded in memory, in the dialect that LogQL writes (Go's).
//
// What Go's regexp takes and RE2 does not is translated: (?<name>...) is (?P<name>...). What RE2 takes and Go refuses
// is refused: \C. One difference stays: of bytes that are no UTF-8, Go's "." takes one, and RE2's takes none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace boatswain::query {

// What a compiled expression, with what it learns while matching, may take of memory.
inline constexpr std::int64_t regex_memory_max = 8 << 20;
inline constexpr std::size_t regex_bytes_max = 16 << 10;

// The expression as RE2 writes it. Remedy::stop for what Go refuses.
Result<std::string> translated_regex(std::string_view regex);

// An expression over many lines at once, each behind a prefix of `prefix_bytes` characters that are not part of it:
// finds the lines that it may match. Immutable; any thread may search at any time.
class LinesRegex {
  public:
    // Of an expression that Regex::parse() takes. Nothing for the few that mean something else among other lines.
    static std::optional<LinesRegex> of(std::string_view regex, std::size_t prefix_bytes);
    LinesRegex(LinesRegex&&) noexcept;
    LinesRegex& operator=(LinesRegex&&) noexcept;
    ~LinesRegex();

    // A place in the first line of `lines` at or behind `from` that the expression may match; npos: in none.
    std::size_t find(std::string_view lines, std::size_t from) const;

  private:
    explicit LinesRegex(std::unique_ptr<re2::RE2> compiled);
    std::unique_ptr<re2::RE2> compiled_;
};

// Immutable; any thread may match at any time.
class Regex {
  public:
    // Remedy::stop: RE2's words for what is wrong with it.
    static Result<Regex> parse(std::string_view regex);
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    bool found_in(std::string_view text) const;
    bool matches_whole(std::string_view text) const;

    // The groups of the first match, by place ("" where one took no part); empty without a match. Views of `text`.
    std::vector<std::string_view> groups_in(std::string_view text) const;
    // Names of the groups, by place from 1 on; "" of a group without one.
    const std::vector<std::string>& group_names() const { return names_; }
    bool has_named_group() const;

    // Every match replaced; $1 and ${1}, ${name} in `with` stand for groups.
    std::string replace_all(std::string_view text, std::string_view with) const;

  private:
    explicit Regex(std::unique_ptr<re2::RE2> compiled);
    std::unique_ptr<re2::RE2> compiled_;
    std::vector<std::string> names_;
};

}  // namespace boatswain::query
