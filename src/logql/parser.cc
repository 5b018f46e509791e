// A recursive descent parser. The grammar is in docs/reading/logql.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "logql/level.h"
#include "logql/query.h"
#include "logql/token.h"

namespace boatswain::logql {

namespace {

constexpr std::array<std::string_view, 25> reserved{
    "and",     "bool",   "by",           "decolorize",  "drop",   "group_left", "group_right", "ignoring",
    "json",    "keep",   "label_format", "line_format", "logfmt", "offset",     "on",          "or",
    "pattern", "regexp", "unless",       "unpack",      "unwrap", "without",    "distinct",    "label_replace",
    "vector"};

const std::map<std::string_view, RangeFunction> range_functions{
    {"count_over_time", RangeFunction::count},   {"rate", RangeFunction::rate},
    {"bytes_over_time", RangeFunction::bytes},   {"bytes_rate", RangeFunction::bytes_rate},
    {"absent_over_time", RangeFunction::absent}, {"sum_over_time", RangeFunction::sum},
    {"avg_over_time", RangeFunction::avg},       {"min_over_time", RangeFunction::min},
    {"max_over_time", RangeFunction::max},       {"first_over_time", RangeFunction::first},
    {"last_over_time", RangeFunction::last},     {"stddev_over_time", RangeFunction::stddev},
    {"stdvar_over_time", RangeFunction::stdvar}, {"quantile_over_time", RangeFunction::quantile}};

const std::map<std::string_view, VectorFunction> vector_functions{{"sum", VectorFunction::sum},
                                                                  {"avg", VectorFunction::avg},
                                                                  {"min", VectorFunction::min},
                                                                  {"max", VectorFunction::max},
                                                                  {"count", VectorFunction::count},
                                                                  {"stddev", VectorFunction::stddev},
                                                                  {"stdvar", VectorFunction::stdvar},
                                                                  {"topk", VectorFunction::topk},
                                                                  {"bottomk", VectorFunction::bottomk},
                                                                  {"sort", VectorFunction::sort},
                                                                  {"sort_desc", VectorFunction::sort_desc}};

// Known to Loki, and not to us.
constexpr std::array<std::string_view, 3> not_supported{"rate_counter", "approx_topk", "distinct"};

struct Operator {
    BinaryOperator op;
    int strength;  // the stronger binds first
};
const std::map<std::string_view, Operator> operators{
    {"or", {BinaryOperator::either, 1}},        {"and", {BinaryOperator::both, 2}},
    {"unless", {BinaryOperator::unless, 2}},    {"==", {BinaryOperator::equal, 3}},
    {"!=", {BinaryOperator::not_equal, 3}},     {">", {BinaryOperator::greater, 3}},
    {">=", {BinaryOperator::greater_equal, 3}}, {"<", {BinaryOperator::less, 3}},
    {"<=", {BinaryOperator::less_equal, 3}},    {"+", {BinaryOperator::add, 4}},
    {"-", {BinaryOperator::subtract, 4}},       {"*", {BinaryOperator::multiply, 5}},
    {"/", {BinaryOperator::divide, 5}},         {"%", {BinaryOperator::modulo, 5}},
    {"^", {BinaryOperator::power, 6}}};

bool is_set_operator(BinaryOperator op) { return op >= BinaryOperator::both; }
bool is_comparison(BinaryOperator op) { return op >= BinaryOperator::equal && op <= BinaryOperator::less_equal; }

const std::map<std::string_view, LineOperator> line_operators{
    {"|=", LineOperator::has},         {"!=", LineOperator::has_not}, {"|~", LineOperator::matches},
    {"!~", LineOperator::matches_not}, {"|>", LineOperator::pattern}, {"!>", LineOperator::pattern_not}};

bool needs_unwrap(RangeFunction function) { return function >= RangeFunction::sum; }
bool may_unwrap(RangeFunction function) { return needs_unwrap(function) || function == RangeFunction::rate; }
bool may_group(RangeFunction function) { return needs_unwrap(function) && function != RangeFunction::sum; }

Binary::Many many_of(std::string_view name) { return name == "group_left" ? Binary::Many::left : Binary::Many::right; }

// Two numbers, computed: so that a sign or an arithmetic constant is a number to whatever is around it.
double computed(BinaryOperator op, double left, double right) {
    switch (op) {
        case BinaryOperator::add: return left + right;
        case BinaryOperator::subtract: return left - right;
        case BinaryOperator::multiply: return left * right;
        case BinaryOperator::divide: return left / right;
        case BinaryOperator::modulo: return std::fmod(left, right);
        case BinaryOperator::power: return std::pow(left, right);
        case BinaryOperator::equal: return left == right ? 1 : 0;
        case BinaryOperator::not_equal: return left != right ? 1 : 0;
        case BinaryOperator::greater: return left > right ? 1 : 0;
        case BinaryOperator::greater_equal: return left >= right ? 1 : 0;
        case BinaryOperator::less: return left < right ? 1 : 0;
        case BinaryOperator::less_equal: return left <= right ? 1 : 0;
        default: return 0;
    }
}

class Parser {
  public:
    Parser(std::string_view query, std::vector<Token> tokens) : query_(query), tokens_(std::move(tokens)) {}

    Result<Query> run() {
        TRY(auto query, expression(0, 0));
        if (now().word != Word::end) return unexpected("");
        return query;
    }

  private:
    // --- words --------------------------------------------------------------------------------------------------
    const Token& now() const { return tokens_[at_]; }
    const Token& ahead(std::size_t count = 1) const { return tokens_[std::min(at_ + count, tokens_.size() - 1)]; }
    Token take() {
        auto token = now();
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    bool take_if(std::string_view symbol) {
        if (!now().is(symbol)) return false;
        take();
        return true;
    }
    bool take_name_if(std::string_view name) {
        if (!now().is_name(name)) return false;
        take();
        return true;
    }
    std::unexpected<Error> refuse(std::size_t at, std::string_view what) const {
        return std::unexpected(parse_error(query_, at, what));
    }
    std::unexpected<Error> unexpected(std::string_view expecting) const {
        auto what = now().word == Word::string ? std::string{"STRING"} : now().text;
        auto text = "syntax error: unexpected " + what;
        if (!expecting.empty()) text += ", expecting " + std::string{expecting};
        return refuse(now().at, text);
    }
    Result<void> expect(std::string_view symbol) {
        if (!take_if(symbol)) return unexpected(symbol);
        return {};
    }
    Result<std::string> string() {
        if (now().word != Word::string) return unexpected("STRING");
        return take().text;
    }
    Result<std::string> label() {
        if (now().word != Word::name || std::ranges::find(reserved, now().text) != reserved.end())
            return unexpected("IDENTIFIER");
        return take().text;
    }
    Result<std::vector<std::string>> labels_in_parentheses() {
        std::vector<std::string> labels;
        CHECK(expect("("));
        while (!now().is(")")) {
            TRY(auto name, label());
            labels.push_back(std::move(name));
            if (now().is(")")) break;
            if (!take_if(",")) return unexpected(", or )");
            if (now().is(")")) return unexpected("IDENTIFIER");
        }
        take();
        return labels;
    }
    // Gives the place of a word to an error of what it said.
    template <class T>
    Result<T> placed(Result<T> result, std::size_t at) const {
        if (result) return result;
        return refuse(at, result.error().what);
    }

    // --- expressions --------------------------------------------------------------------------------------------
    const Operator* operator_here() const {
        if (now().word != Word::symbol && now().word != Word::name) return nullptr;
        auto found = operators.find(now().text);
        return found == operators.end() ? nullptr : &found->second;
    }

    Result<Query> expression(int weakest, std::size_t depth) {
        if (depth > depth_max) return refuse(now().at, "the query is nested too deeply");
        TRY(auto left, primary(depth));
        while (const auto* op = operator_here()) {
            if (op->strength <= weakest) break;
            auto at = now().at;
            take();
            if (std::holds_alternative<LogQuery>(left))
                return refuse(at, "unexpected type for left leg of binary operation: it is a log query");
            Binary binary{.op = op->op};
            CHECK(modifiers(binary));
            // "^" groups to the right, the others to the left.
            TRY(auto right, expression(op->op == BinaryOperator::power ? op->strength - 1 : op->strength, depth + 1));
            if (std::holds_alternative<LogQuery>(right))
                return refuse(at, "unexpected type for right leg of binary operation: it is a log query");
            binary.left = std::get<MetricPtr>(std::move(left));
            binary.right = std::get<MetricPtr>(std::move(right));
            TRY(left, joined(std::move(binary), at));
        }
        return left;
    }

    Result<Query> joined(Binary binary, std::size_t at) const {
        bool both_numbers = binary.left->is_number() && binary.right->is_number();
        if (is_set_operator(binary.op) && (binary.left->is_number() || binary.right->is_number()))
            return refuse(at, "unexpected literal for a leg of a logical/set binary operation");
        if (both_numbers) {
            auto value = computed(binary.op, std::get<Metric::Number>(binary.left->of).value,
                                  std::get<Metric::Number>(binary.right->of).value);
            return std::make_unique<const Metric>(Metric::Number{value});
        }
        return std::make_unique<const Metric>(std::move(binary));
    }

    Result<void> modifiers(Binary& binary) {
        if (now().is_name("bool")) {
            if (!is_comparison(binary.op)) return unexpected("");
            take();
            binary.as_bool = true;
        }
        if (!now().is_name("on") && !now().is_name("ignoring")) return {};
        binary.on = take().text == "on";
        TRY(binary.labels, labels_in_parentheses());
        if (!now().is_name("group_left") && !now().is_name("group_right")) return {};
        if (is_set_operator(binary.op)) return refuse(now().at, "no grouping allowed for set operations");
        binary.many = many_of(take().text);
        if (now().is("(")) {
            // Of "(" behind it, only a list of names is the labels; anything else is the other leg.
            bool is_list = ahead().is(")") || (ahead().word == Word::name && (ahead(2).is(",") || ahead(2).is(")")));
            if (is_list) {
                TRY(binary.include, labels_in_parentheses());
            }
        }
        return {};
    }

    Result<Query> primary(std::size_t depth) {
        if (depth > depth_max) return refuse(now().at, "the query is nested too deeply");
        if (now().is("{")) return log_query();
        if (now().is("(")) {
            take();
            TRY(auto inner, expression(0, depth + 1));
            CHECK(expect(")"));
            return inner;
        }
        if (now().is("-") || now().is("+")) {
            bool negative = take().text == "-";
            if (now().word != Word::number) return unexpected("NUMBER");
            return std::make_unique<const Metric>(Metric::Number{negative ? -take().number : take().number});
        }
        if (now().word == Word::number) return std::make_unique<const Metric>(Metric::Number{take().number});
        if (now().word == Word::name) return function(depth);
        return unexpected("{ or a function");
    }

    Result<Query> function(std::size_t depth) {
        auto name = now();
        if (name.text == "vector") return vector();
        if (name.text == "label_replace") return label_replace(depth);
        if (auto found = range_functions.find(name.text); found != range_functions.end())
            return range_aggregation(found->second, depth);
        if (auto found = vector_functions.find(name.text); found != vector_functions.end())
            return vector_aggregation(found->second, depth);
        if (std::ranges::find(not_supported, name.text) != not_supported.end())
            return refuse(name.at, name.text + " is not supported here");
        return unexpected("{ or a function");
    }

    Result<Query> vector() {
        take();
        CHECK(expect("("));
        bool negative = take_if("-");
        if (now().word != Word::number) return unexpected("NUMBER");
        auto value = take().number;
        CHECK(expect(")"));
        return std::make_unique<const Metric>(Metric::Vector{negative ? -value : value});
    }

    Result<Query> label_replace(std::size_t depth) {
        take();
        CHECK(expect("("));
        TRY(auto of, metric(depth));
        LabelReplace replace{.of = std::move(of)};
        CHECK(expect(","));
        auto at = now().at;
        TRY(replace.target, string());
        if (label_name(replace.target) != replace.target || replace.target.empty())
            return refuse(at, "invalid destination label name in label_replace(): " + replace.target);
        CHECK(expect(","));
        TRY(replace.replacement, string());
        CHECK(expect(","));
        TRY(replace.source, string());
        CHECK(expect(","));
        at = now().at;
        TRY(auto regex, string());
        TRY(auto parsed, placed(query::Regex::parse("^(?s:" + regex + ")$"), at));
        replace.regex = std::make_shared<const query::Regex>(std::move(parsed));
        CHECK(expect(")"));
        return std::make_unique<const Metric>(std::move(replace));
    }

    Result<MetricPtr> metric(std::size_t depth) {
        auto at = now().at;
        TRY(auto query, expression(0, depth + 1));
        if (std::holds_alternative<LogQuery>(query))
            return refuse(at, "syntax error: a log query where numbers are needed: count_over_time(... [5m])");
        return std::get<MetricPtr>(std::move(query));
    }

    Result<bool> groups(Groups& groups) {
        if (!now().is_name("by") && !now().is_name("without")) return false;
        groups.grouping = take().text == "by" ? Grouping::by : Grouping::without;
        TRY(groups.labels, labels_in_parentheses());
        return true;
    }

    Result<Query> vector_aggregation(VectorFunction function, std::size_t depth) {
        auto name = take();
        VectorAggregation aggregation{.function = function};
        TRY(bool grouped, groups(aggregation.groups));
        CHECK(expect("("));
        bool has_parameter = function == VectorFunction::topk || function == VectorFunction::bottomk;
        if (has_parameter) {
            constexpr double largest = 1e6;
            auto at = now().at;
            if (now().word != Word::number) return unexpected("NUMBER");
            auto value = take().number;
            if (value != std::floor(value) || value > largest)
                return refuse(at, "invalid parameter " + tokens_[at_ - 1].text + " for " + name.text);
            if (value < 1) return refuse(at, "invalid parameter (must be greater than 0) for " + name.text);
            aggregation.parameter = static_cast<std::size_t>(value);
            CHECK(expect(","));
        }
        TRY(aggregation.of, metric(depth));
        if (aggregation.of->is_number())
            return refuse(name.at, name.text + " takes no number: vector(1) is one as a series");
        CHECK(expect(")"));
        if (!grouped) {
            TRY(grouped, groups(aggregation.groups));
        }
        bool is_sort = function == VectorFunction::sort || function == VectorFunction::sort_desc;
        if (is_sort && grouped) return refuse(name.at, "grouping not allowed for " + name.text + " aggregation");
        return std::make_unique<const Metric>(std::move(aggregation));
    }

    Result<Query> range_aggregation(RangeFunction function, std::size_t depth) {
        auto name = take();
        RangeAggregation aggregation{.function = function};
        auto refuse_groups = [&](std::size_t at) {
            return refuse(at, "grouping not allowed for " + name.text + " aggregation");
        };
        auto at = now().at;
        TRY(bool grouped, groups(aggregation.groups));
        if (grouped && !may_group(function)) return refuse_groups(at);
        CHECK(expect("("));
        if (function == RangeFunction::quantile) {
            if (now().word != Word::number) return unexpected("NUMBER");
            aggregation.parameter = take().number;
            CHECK(expect(","));
        }
        bool has_range = false;
        TRY(bool has_lines, lines_of_range(aggregation, has_range, depth));
        if (!has_lines) return unexpected("{");
        if (!has_range) return unexpected("[");
        CHECK(expect(")"));
        if (aggregation.unwrap && !may_unwrap(function))
            return refuse(name.at, "invalid aggregation " + name.text + " with unwrap");
        if (!aggregation.unwrap && needs_unwrap(function))
            return refuse(name.at, "invalid aggregation " + name.text + " without unwrap");
        at = now().at;
        if (!grouped) {
            TRY(grouped, groups(aggregation.groups));
        }
        if (grouped && !may_group(function)) return refuse_groups(at);
        return std::make_unique<const Metric>(std::move(aggregation));
    }

    // A selector, stages, the range in brackets in the midst of them, an offset, parentheses.
    Result<bool> lines_of_range(RangeAggregation& aggregation, bool& has_range, std::size_t depth) {
        if (depth > depth_max) return refuse(now().at, "the query is nested too deeply");
        if (take_if("(")) {
            TRY(bool inner, lines_of_range(aggregation, has_range, depth + 1));
            if (!inner) return unexpected("{");
            CHECK(expect(")"));
        } else if (now().is("{")) {
            aggregation.lines.names_level = query_.contains(level_label);
            TRY(aggregation.lines.matchers, selector());
        } else {
            return false;
        }
        while (true) {
            if (now().is("[")) {
                if (has_range) return unexpected("");
                has_range = true;
                CHECK(range(aggregation));
            } else if (now().is("|") && ahead().is_name("unwrap")) {
                if (aggregation.unwrap) return unexpected("");
                CHECK(unwrap(aggregation));
            } else if (is_stage_here()) {
                auto at = now().at;
                bool is_filter = now().is("|") && ahead().word == Word::name && is_label_filter(1);
                TRY(auto next, stage());
                if (aggregation.unwrap && !is_filter)
                    return refuse(at, "syntax error: only label filters may follow unwrap");
                auto& stages = aggregation.unwrap ? aggregation.unwrap->filters : aggregation.lines.stages;
                CHECK(add(stages, std::move(next), at));
            } else {
                return true;
            }
        }
    }

    Result<void> range(RangeAggregation& aggregation) {
        take();
        TRY(auto length, range_duration());
        aggregation.range = length;
        CHECK(expect("]"));
        if (!take_name_if("offset")) return {};
        bool negative = take_if("-");
        TRY(auto offset, range_duration());
        aggregation.offset = negative ? -offset : offset;
        return {};
    }

    Result<Nanoseconds> range_duration() {
        bool is_zero = now().word == Word::number && now().text == "0";
        if (!is_zero && (now().word != Word::duration || !now().is_range)) return unexpected("DURATION");
        constexpr double longest = 9e18;  // what nanoseconds can count
        auto at = now().at;
        auto length = take().number;
        if (length > longest) return refuse(at, "the duration is too long");
        return Nanoseconds{static_cast<std::int64_t>(length)};
    }

    Result<void> unwrap(RangeAggregation& aggregation) {
        take();
        take();
        Unwrap unwrap;
        if (now().word == Word::name && ahead().is("(")) {
            auto name = take().text;
            if (name == "duration" || name == "duration_seconds")
                unwrap.conversion = Unwrap::Conversion::duration;
            else if (name == "bytes")
                unwrap.conversion = Unwrap::Conversion::bytes;
            else
                return refuse(tokens_[at_ - 1].at,
                              "unknown conversion " + name + ": duration, duration_seconds, bytes");
            take();
            TRY(unwrap.label, label());
            CHECK(expect(")"));
        } else {
            TRY(unwrap.label, label());
        }
        aggregation.unwrap = std::move(unwrap);
        return {};
    }

    // --- log queries --------------------------------------------------------------------------------------------
    Result<Query> log_query() {
        LogQuery query;
        query.names_level = query_.contains(level_label);
        TRY(query.matchers, selector());
        while (is_stage_here()) {
            auto at = now().at;
            if (now().is("|") && ahead().is_name("unwrap"))
                return refuse(at, "unwrap is for range aggregations: sum_over_time(... | unwrap x [5m])");
            TRY(auto next, stage());
            CHECK(add(query.stages, std::move(next), at));
        }
        return query;
    }

    Result<void> add(std::vector<StagePtr>& stages, StagePtr stage, std::size_t at) const {
        if (stages.size() == stages_max) return refuse(at, "a pipeline has at most 100 stages");
        stages.push_back(std::move(stage));
        return {};
    }

    Result<std::vector<Matcher>> selector() {
        auto from = now().at;
        CHECK(expect("{"));
        std::vector<Matcher> matchers;
        while (!now().is("}")) {
            TRY(auto matcher, this->matcher());
            matchers.push_back(std::move(matcher));
            if (now().is("}")) break;
            if (!take_if(",")) return unexpected("} or ,");
            if (now().is("}")) return unexpected("IDENTIFIER");
        }
        CHECK(expect("}"));
        if (std::ranges::all_of(matchers, [](const Matcher& m) { return m.holds(""); }))
            return refuse(from,
                          "queries require at least one regexp or equality matcher that does not have an "
                          "empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but "
                          "app=~\".+\" will");
        return matchers;
    }

    Result<Matcher> matcher() {
        Matcher matcher;
        TRY(matcher.label, label());
        if (take_if("="))
            matcher.op = MatchOperator::equal;
        else if (take_if("!="))
            matcher.op = MatchOperator::not_equal;
        else if (take_if("=~"))
            matcher.op = MatchOperator::matches;
        else if (take_if("!~"))
            matcher.op = MatchOperator::matches_not;
        else
            return unexpected("=, !=, =~ or !~");
        auto at = now().at;
        TRY(matcher.value, string());
        if (matcher.op == MatchOperator::matches || matcher.op == MatchOperator::matches_not) {
            TRY(auto regex, placed(query::Regex::parse("(?s:" + matcher.value + ")"), at));
            matcher.regex = std::make_shared<const query::Regex>(std::move(regex));
        }
        return matcher;
    }

    bool is_stage_here() const {
        return now().is("|") || (now().word == Word::symbol && line_operators.contains(now().text));
    }

    // Whether a label filter begins `words` further on: NAME and a comparison, or "(".
    bool is_label_filter(std::size_t words) const {
        constexpr std::array<std::string_view, 9> comparisons{"=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="};
        const auto& behind = ahead(words + 1);
        return behind.word == Word::symbol && std::ranges::find(comparisons, behind.text) != comparisons.end();
    }

    Result<StagePtr> stage() {
        if (!now().is("|")) return line_filter_here();
        take();
        if (now().is("(")) return label_filter(0);
        if (now().word != Word::name) return unexpected("a parser, a label filter or a format");
        auto name = now();
        if (name.text == "json") return json();
        if (name.text == "logfmt") return logfmt();
        if (name.text == "regexp" || name.text == "pattern") {
            take();
            auto at = now().at;
            TRY(auto text, string());
            return placed(name.text == "regexp" ? regexp_parser(text) : pattern_parser(text), at);
        }
        if (name.text == "unpack") return take(), unpack_parser();
        if (name.text == "decolorize") return take(), decolorize();
        if (name.text == "line_format") {
            take();
            auto at = now().at;
            TRY(auto text, string());
            return placed(line_format(text), at);
        }
        if (name.text == "label_format") return label_format_here();
        if (name.text == "drop" || name.text == "keep") return drop_or_keep();
        return label_filter(0);
    }

    Result<StagePtr> line_filter_here() {
        auto op = line_operators.at(take().text);
        std::vector<LineOperand> operands;
        auto at = now().at;
        do {
            LineOperand operand;
            if (now().is_name("ip") && ahead().is("(")) {
                if (op != LineOperator::has && op != LineOperator::has_not)
                    return refuse(now().at, "ip: it takes |= or !=");
                take();
                take();
                operand.is_address = true;
                TRY(operand.text, string());
                CHECK(expect(")"));
            } else {
                TRY(operand.text, string());
            }
            operands.push_back(std::move(operand));
        } while (take_name_if("or"));
        return placed(line_filter(op, operands), at);
    }

    // NAME, or NAME="path", with commas between.
    Result<std::vector<Extraction>> extractions() {
        std::vector<Extraction> all;
        if (now().word != Word::name || is_label_filter(0) == false) {
            // json level, first="tags[0]": a name alone is its own path.
            if (now().word != Word::name || std::ranges::find(reserved, now().text) != reserved.end()) return all;
        }
        do {
            Extraction extraction;
            TRY(extraction.label, label());
            extraction.path = extraction.label;
            if (take_if("=")) {
                TRY(extraction.path, string());
            }
            all.push_back(std::move(extraction));
        } while (take_if(","));
        return all;
    }

    Result<StagePtr> json() {
        auto at = take().at;
        TRY(auto wanted, extractions());
        return placed(json_parser(wanted), at);
    }

    Result<StagePtr> logfmt() {
        auto at = take().at;
        bool strict = false, keep_empty = false;
        while (now().word == Word::flag) {
            if (now().text == "strict")
                strict = true;
            else if (now().text == "keep-empty")
                keep_empty = true;
            else
                return refuse(now().at, "syntax error: unknown flag --" + now().text + ": --strict, --keep-empty");
            take();
        }
        TRY(auto wanted, extractions());
        return placed(logfmt_parser(wanted, strict, keep_empty), at);
    }

    Result<StagePtr> label_format_here() {
        auto at = take().at;
        std::vector<LabelChange> changes;
        do {
            LabelChange change;
            TRY(change.label, label());
            CHECK(expect("="));
            change.is_template = now().word == Word::string;
            if (change.is_template)
                change.value = take().text;
            else {
                TRY(change.value, label());
            }
            changes.push_back(std::move(change));
        } while (take_if(","));
        return placed(label_format(changes), at);
    }

    Result<StagePtr> drop_or_keep() {
        bool keeps = take().text == "keep";
        std::vector<LabelChoice> choices;
        do {
            LabelChoice choice;
            if (is_label_filter(0)) {
                choice.label = now().text;
                TRY(auto condition, label_condition());
                choice.condition = std::move(condition);
            } else {
                TRY(choice.label, label());
            }
            choices.push_back(std::move(choice));
        } while (take_if(","));
        return keeps ? keep_labels(std::move(choices)) : drop_labels(std::move(choices));
    }

    // --- label filters ------------------------------------------------------------------------------------------
    // "or" is weaker than "and", a comma and a blank, which all mean and.
    Result<StagePtr> label_filter(std::size_t depth) {
        if (depth > depth_max) return refuse(now().at, "the query is nested too deeply");
        TRY(auto left, label_filters_and(depth));
        while (take_name_if("or")) {
            TRY(auto right, label_filters_and(depth));
            left = either_stage(std::move(left), std::move(right));
        }
        return left;
    }

    Result<StagePtr> label_filters_and(std::size_t depth) {
        TRY(auto left, label_filter_one(depth));
        while (true) {
            bool joined = take_if(",") || take_name_if("and");
            bool goes_on = now().is("(") || (now().word == Word::name && is_label_filter(0) && !now().is_name("or"));
            if (!joined && !goes_on) return left;
            TRY(auto right, label_filter_one(depth));
            left = both_stages(std::move(left), std::move(right));
        }
    }

    Result<StagePtr> label_filter_one(std::size_t depth) {
        if (!take_if("(")) return label_condition();
        TRY(auto inner, label_filter(depth + 1));
        CHECK(expect(")"));
        return inner;
    }

    Result<StagePtr> label_condition() {
        TRY(auto name, label());
        static const std::map<std::string_view, Comparison> comparisons{
            {"=", Comparison::equal},      {"==", Comparison::equal}, {"!=", Comparison::not_equal},
            {">", Comparison::greater},    {"<", Comparison::less},   {">=", Comparison::greater_equal},
            {"<=", Comparison::less_equal}};
        auto op = now();
        bool is_regex = op.is("=~") || op.is("!~");
        auto comparison = comparisons.find(op.word == Word::symbol ? std::string_view{op.text} : std::string_view{});
        if (!is_regex && comparison == comparisons.end()) return unexpected("=, !=, =~, !~, >, >=, < or <=");
        take();
        auto at = now().at;
        if (is_regex) {
            TRY(auto regex, string());
            return placed(label_matches(name, op.is("=~"), "(?s:" + regex + ")"), at);
        }
        bool negative = false;
        if (now().is("-") || now().is("+")) negative = take().text == "-";
        auto value = now();
        auto with = negative ? -value.number : value.number;
        switch (value.word) {
            case Word::string:
                if (!op.is("=") && !op.is("==") && !op.is("!=")) return unexpected("NUMBER, DURATION or BYTES");
                return take(), label_is(name, !op.is("!="), value.text);
            case Word::number: return take(), label_compares(name, comparison->second, Quantity::number, with);
            case Word::duration: return take(), label_compares(name, comparison->second, Quantity::duration, with);
            case Word::bytes: return take(), label_compares(name, comparison->second, Quantity::bytes, with);
            default: return unexpected("STRING, NUMBER, DURATION or BYTES");
        }
    }

    std::string_view query_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace

Result<Query> parse_query(std::string_view text) {
    TRY(auto tokens, tokens_of(text));
    return Parser{text, std::move(tokens)}.run();
}

}  // namespace boatswain::logql
