// Label filters: strings, regular expressions, numbers, durations, sizes; "and", "or".
#include "logql/stage.h"
#include "logql/units.h"
#include "query/regex.h"

namespace boatswain::logql {

namespace {

class LabelIs final : public Stage {
  public:
    LabelIs(std::string label, bool wanted, std::string value)
        : label_(std::move(label)), wanted_(wanted), value_(std::move(value)) {}
    bool process(Record& record) const override { return (record.labels.value(label_) == value_) == wanted_; }

  private:
    std::string label_;
    bool wanted_;
    std::string value_;
};

class LabelMatches final : public Stage {
  public:
    LabelMatches(std::string label, bool wanted, query::Regex regex)
        : label_(std::move(label)), wanted_(wanted), regex_(std::move(regex)) {}
    bool process(Record& record) const override { return regex_.matches_whole(record.labels.value(label_)) == wanted_; }

  private:
    std::string label_;
    bool wanted_;
    query::Regex regex_;
};

// A line without the label is left out; one whose value is none of the kind is kept, with an error.
class LabelCompares final : public Stage {
  public:
    LabelCompares(std::string label, Comparison comparison, Quantity quantity, double with)
        : label_(std::move(label)), comparison_(comparison), quantity_(quantity), with_(with) {}

    bool process(Record& record) const override {
        if (record.labels.has(error_label)) return true;  // as Loki: it is kept, and the error says why
        if (!record.labels.has(label_)) return false;
        auto text = record.labels.value(label_);
        auto value = parse(text);
        if (value) return holds(*value);
        record.labels.set_error("LabelFilterErr", "\"" + std::string{text} + "\" cannot be compared");
        return true;
    }

  private:
    std::optional<double> parse(std::string_view text) const {
        switch (quantity_) {
            case Quantity::duration: return parse_duration(text);
            case Quantity::bytes: return parse_bytes(text);
            case Quantity::number: break;
        }
        return parse_number(text);
    }
    bool holds(double value) const {
        switch (comparison_) {
            case Comparison::equal: return value == with_;
            case Comparison::not_equal: return value != with_;
            case Comparison::greater: return value > with_;
            case Comparison::greater_equal: return value >= with_;
            case Comparison::less: return value < with_;
            case Comparison::less_equal: break;
        }
        return value <= with_;
    }
    std::string label_;
    Comparison comparison_;
    Quantity quantity_;
    double with_;
};

class Both final : public Stage {
  public:
    Both(StagePtr left, StagePtr right) : left_(std::move(left)), right_(std::move(right)) {}
    bool process(Record& record) const override { return left_->process(record) && right_->process(record); }

  private:
    StagePtr left_, right_;
};

class Either final : public Stage {
  public:
    Either(StagePtr left, StagePtr right) : left_(std::move(left)), right_(std::move(right)) {}
    bool process(Record& record) const override { return left_->process(record) || right_->process(record); }

  private:
    StagePtr left_, right_;
};

}  // namespace

StagePtr label_is(std::string label, bool wanted, std::string value) {
    return std::make_unique<LabelIs>(std::move(label), wanted, std::move(value));
}

Result<StagePtr> label_matches(std::string label, bool wanted, const std::string& regex) {
    TRY(auto parsed, query::Regex::parse(regex));
    return std::make_unique<LabelMatches>(std::move(label), wanted, std::move(parsed));
}

StagePtr label_compares(std::string label, Comparison comparison, Quantity quantity, double with) {
    return std::make_unique<LabelCompares>(std::move(label), comparison, quantity, with);
}

StagePtr both_stages(StagePtr left, StagePtr right) {
    return std::make_unique<Both>(std::move(left), std::move(right));
}
StagePtr either_stage(StagePtr left, StagePtr right) {
    return std::make_unique<Either>(std::move(left), std::move(right));
}

}  // namespace boatswain::logql
