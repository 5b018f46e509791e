// The labels that a selector can ask for, as footers tell them: names, and the values of each. Footers do not say which
// of its two streams a source wrote to, so `stream` has both values wherever there is a source.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "logql/record.h"
#include "query/budget.h"

namespace boatswain::logql {

class LabelValues {
  public:
    enum class Keep : std::uint8_t { names, values };

    // What is kept is held of `budget`, which outlives this. `only`: of this label alone.
    LabelValues(query::Budget& budget, Keep keep, std::optional<std::string> only = {})
        : budget_(budget), keep_(keep), only_(std::move(only)) {}

    // Those of one source. An error: the budget is used up.
    Result<void> take(const query::Origin& origin);

    using Values = std::set<std::string, std::less<>>;
    // By name; sets are empty where names alone are kept.
    const std::map<std::string, Values, std::less<>>& all() const { return all_; }

  private:
    Result<void> add(std::string_view name, std::string_view value);
    Result<void> hold(std::string_view text);

    query::Budget& budget_;
    Keep keep_;
    std::optional<std::string> only_;
    std::map<std::string, Values, std::less<>> all_;
    std::vector<query::Share> held_;
};

}  // namespace boatswain::logql
