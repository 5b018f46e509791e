// A stage of a pipeline: what stands behind one "|" of a query. Each kind has a file of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "logql/record.h"
#include "query/filter.h"

namespace boatswain::logql {

// Immutable: any thread may use it at any time.
class Stage {
  public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    virtual ~Stage() = default;

    // Changes the record; false: the line is left out.
    virtual bool process(Record& record) const = 0;
    // The stage as a filter on the line as it was printed, for one that is no more than that; otherwise nothing.
    virtual query::FilterPtr as_filter() const { return nullptr; }
    // Whether stages behind it may see another line than the one that was printed.
    virtual bool replaces_line() const { return false; }
};
using StagePtr = std::unique_ptr<const Stage>;

// Errors of what follows are sentences without a place; the parser adds it.

// line filters ----------------------------------------------------------------------------------------------------
enum class LineOperator : std::uint8_t { has, has_not, matches, matches_not, pattern, pattern_not };
struct LineOperand {
    std::string text;
    bool is_address = false;  // ip("10.0.0.0/8")
};
// Any of `operands`; the negative ones: none of them.
Result<StagePtr> line_filter(LineOperator op, const std::vector<LineOperand>& operands);

// parsers ---------------------------------------------------------------------------------------------------------
struct Extraction {
    std::string label;
    std::string path;  // "a.b[0]" of JSON, a key of logfmt
};
// Without extractions: every field, flattened with "_".
Result<StagePtr> json_parser(const std::vector<Extraction>& extractions);
Result<StagePtr> logfmt_parser(const std::vector<Extraction>& extractions, bool strict, bool keep_empty);
Result<StagePtr> regexp_parser(const std::string& regex);
Result<StagePtr> pattern_parser(const std::string& pattern);
StagePtr unpack_parser();

// label filters ---------------------------------------------------------------------------------------------------
enum class Comparison : std::uint8_t { equal, not_equal, greater, greater_equal, less, less_equal };
StagePtr label_is(std::string label, bool wanted, std::string value);
Result<StagePtr> label_matches(std::string label, bool wanted, const std::string& regex);
enum class Quantity : std::uint8_t { number, duration, bytes };
StagePtr label_compares(std::string label, Comparison comparison, Quantity quantity, double with);
StagePtr both_stages(StagePtr left, StagePtr right);   // and
StagePtr either_stage(StagePtr left, StagePtr right);  // or

// what changes lines and labels -------------------------------------------------------------------------------------
Result<StagePtr> line_format(const std::string& text);
struct LabelChange {
    std::string label;
    std::string value;  // a template, or the name of a label
    bool is_template = false;
};
Result<StagePtr> label_format(const std::vector<LabelChange>& changes);
// A name alone, or with what its value has to be.
struct LabelChoice {
    std::string label;
    std::shared_ptr<const Stage> condition{};  // nothing: any value
};
StagePtr drop_labels(std::vector<LabelChoice> choices);
StagePtr keep_labels(std::vector<LabelChoice> choices);
StagePtr decolorize();

// A name as labels have them: what is not a letter, digit or "_" becomes "_", and a leading digit gets one before it.
std::string label_name(std::string_view text);

}  // namespace boatswain::logql
