#include "query/filter_text.h"

#include <re2/re2.h>

#include <cstring>

#include "query/regex.h"

namespace boatswain::query {

namespace {

class LineHas final : public Filter {
  public:
    explicit LineHas(std::string bytes) : bytes_(std::move(bytes)) {}
    using Filter::match;
    Match match(const Entry& entry) const override {
        if (!entry.is_line()) return Match::some;
        auto line = entry.text.line.bytes;
        return match_if(bytes_.empty() || ::memmem(line.data(), line.size(), bytes_.data(), bytes_.size()) != nullptr);
    }

  private:
    std::string bytes_;
};

class LineMatches final : public Filter {
  public:
    explicit LineMatches(Regex regex) : regex_(std::move(regex)) {}
    using Filter::match;
    Match match(const Entry& entry) const override {
        return entry.is_line() ? match_if(regex_.found_in(entry.text.line.bytes)) : Match::some;
    }

  private:
    Regex regex_;
};

}  // namespace

FilterPtr line_has(std::string bytes) { return std::make_shared<LineHas>(std::move(bytes)); }

Result<FilterPtr> line_matches(const std::string& regex) {
    TRY(auto parsed, Regex::parse(regex));
    return std::make_shared<LineMatches>(std::move(parsed));
}

}  // namespace boatswain::query
