#include "query/filter_text.h"

#include <re2/re2.h>

#include <cstring>

#include "query/regex.h"
#include "query/required_text.h"

namespace boatswain::query {

namespace {

class LineHas final : public Filter {
  public:
    explicit LineHas(std::string bytes) : bytes_(std::move(bytes)), grams_(rollup::GramQuery::of(bytes_)) {}
    using Filter::match;
    Match match(const FrameSummary& frame) const override {
        bool is_out = grams_ && frame.grams && frame.frame.counts.gaps == 0 && !frame.grams->may_hold(*grams_);
        return is_out ? Match::none : Match::some;
    }
    bool wants_grams() const override { return grams_.has_value(); }
    Match match(const Entry& entry) const override {
        if (!entry.is_line()) return Match::some;
        auto line = entry.text.line.bytes;
        return match_if(bytes_.empty() || ::memmem(line.data(), line.size(), bytes_.data(), bytes_.size()) != nullptr);
    }

  private:
    std::string bytes_;
    std::optional<rollup::GramQuery> grams_;
};

class LineMatches final : public Filter {
  public:
    explicit LineMatches(Regex regex, RequiredText required)
        : regex_(std::move(regex)), required_(std::move(required)) {}
    using Filter::match;
    Match match(const FrameSummary& frame) const override {
        bool is_out = frame.grams && frame.frame.counts.gaps == 0 && !required_.may_be_in(*frame.grams);
        return is_out ? Match::none : Match::some;
    }
    bool wants_grams() const override { return required_.is_any(); }
    Match match(const Entry& entry) const override {
        return entry.is_line() ? match_if(regex_.found_in(entry.text.line.bytes)) : Match::some;
    }

  private:
    Regex regex_;
    RequiredText required_;
};

}  // namespace

FilterPtr line_has(std::string bytes) { return std::make_shared<LineHas>(std::move(bytes)); }

Result<FilterPtr> line_matches(const std::string& regex) {
    TRY(auto parsed, Regex::parse(regex));
    return std::make_shared<LineMatches>(std::move(parsed), RequiredText::of(regex));
}

}  // namespace boatswain::query
