// Texts that a line must hold for a regular expression to match it, found without running it: what the filters of a
// roll-up can be asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rollup/gram_reader.h"

namespace re2 {
class FilteredRE2;
}

namespace boatswain::query {

// Immutable; any thread may ask at any time.
class RequiredText {
  public:
    // Of an expression that Regex::parse() takes. One of which nothing is required rules nothing out.
    static RequiredText of(std::string_view regex);
    RequiredText(RequiredText&&) noexcept;
    RequiredText& operator=(RequiredText&&) noexcept;
    ~RequiredText();

    bool is_any() const { return tree_ != nullptr; }
    // A text that every match holds, in lower case, where letters of both cases may stand; empty: none is known.
    const std::string& literal() const { return literal_; }
    // Where there is no such text: a few of which every match holds one, each of literals_bytes_min and more, written
    // likewise; empty: none are known.
    const std::vector<std::string>& literals() const { return literals_; }
    static constexpr std::size_t literals_max = 8, literals_bytes_min = 3;
    // False only where no line of the frame can match.
    bool may_be_in(const rollup::GramView& frame) const;

  private:
    RequiredText();
    std::unique_ptr<re2::FilteredRE2> tree_;  // which texts, joined how; none: nothing is required
    std::vector<std::optional<rollup::GramQuery>> texts_;
    std::string literal_;
    std::vector<std::string> literals_;
};

}  // namespace boatswain::query
