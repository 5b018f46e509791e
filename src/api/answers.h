// The JSON of Loki's answers. Keys are written in the order in which Grafana's reader wants them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logql/evaluate.h"
#include "query/budget.h"

namespace boatswain::api {

// Lines, grouped by their labels as they come; what they take is held of the budget.
class Streams {
  public:
    // `categorised`: streams differ by stream labels alone, and each line carries its other labels
    // (X-Loki-Response-Encoding-Flags: categorize-labels).
    Streams(bool categorised, query::Budget& budget) : categorised_(categorised), budget_(budget) {}

    Result<void> add(const logql::Record& record);
    std::uint64_t lines() const { return lines_; }
    // A JSON array, by labels.
    std::string json() const;

  private:
    const bool categorised_;
    query::Budget& budget_;
    std::map<std::string, std::string>
        values_;  // by the labels as JSON without '}', so that fewer come first; values without brackets
    std::vector<query::Share> held_;
    std::uint64_t room_ = 0;
    std::uint64_t lines_ = 0;
};

// [1795392000,"2"]
std::string sample_json(Timestamp time, double value);

// Arrays of series that have at least one number.
std::string matrix_json(const logql::Numbers& numbers, const logql::Steps& steps);
std::string vector_json(const logql::Numbers& numbers, const logql::Steps& at);
// [1795392000,"2"]
std::string scalar_json(const logql::Numbers& numbers, const logql::Steps& at);

// What answering took, for `stats.summary`.
struct Effort {
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0;
    std::uint64_t returned = 0;
    double seconds = 0;
};

struct QueryAnswer {
    std::string_view type;  // "streams", "matrix", "vector", "scalar"
    bool categorised = false;
    std::string result;
    Effort effort;
    std::vector<std::string> warnings;
};
std::string to_json(const QueryAnswer& answer);

// {"status":"success","data":[...],"warnings":[...]}
std::string success_json(std::string_view data, std::span<const std::string> warnings);

}  // namespace boatswain::api
