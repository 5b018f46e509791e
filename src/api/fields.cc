// What stands in a sample of the latest lines: fields, their types, and values of one.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "api/asking.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "logql/stage.h"
#include "logql/token.h"
#include "logql/units.h"

namespace boatswain::api {
namespace {

constexpr std::uint64_t sampled_default = 100, fields_default = 1000, fields_max = 5000;
constexpr std::array<std::string_view, 5> parsers{"json", "logfmt", "pattern", "regexp", "unpack"};

// What the first value of a field can be read as.
std::string_view type_of(std::string_view value) {
    constexpr std::array<std::string_view, 10> truths{"true",  "True",  "TRUE",  "t", "T",
                                                      "false", "False", "FALSE", "f", "F"};
    auto digits = value.starts_with('-') || value.starts_with('+') ? value.substr(1) : value;
    if (!digits.empty() && std::ranges::all_of(digits, is_digit)) return "int";
    if (logql::parse_number(value)) return "float";
    if (std::ranges::find(truths, value) != truths.end()) return "boolean";
    if (logql::parse_duration(value)) return "duration";
    if (logql::parse_bytes(value)) return "bytes";
    return "string";
}

class Fields {
  public:
    struct Field {
        std::string_view type;
        std::set<std::string> values;
        std::set<std::string> parsers;
    };

    Fields(Asking& asking, std::uint64_t most, std::optional<std::string> only = {})
        : asking_(asking), most_(most), only_(std::move(only)) {}

    Result<void> read() {
        TRY(auto parsed, asking_.query());
        const auto* query = std::get_if<logql::LogQuery>(&parsed);
        if (query == nullptr) return fail(Remedy::stop, "only log selectors are supported");
        TRY(auto range, asking_.range());
        TRY(auto sampled, count_of(asking_.given(), "line_limit", sampled_default, lines_max));
        TRY(of_query_, parsers_of(asking_.given().value("query")));
        TRY(json_, logql::json_parser({}));
        TRY(logfmt_, logql::logfmt_parser({}, false, false));
        Result<void> taken;
        auto ground = asking_.ground();
        ground.levels = true;
        CHECK(logql::read_lines_backward(ground, *query, range, sampled,
                                         [&](const query::Entry&, const logql::Record* record) {
                                             if (record != nullptr) taken = take(*record);
                                             return taken && !asking_.is_over();
                                         }));
        CHECK(taken);
        return asking_.whole();
    }
    const std::map<std::string, Field>& all() const { return all_; }

  private:
    // The parsers that a query has stages of.
    static Result<std::vector<std::string>> parsers_of(std::string_view text) {
        TRY(auto tokens, logql::tokens_of(text));
        std::vector<std::string> found;
        for (std::size_t i = 1; i < tokens.size(); ++i)
            if (tokens[i - 1].is("|") && std::ranges::find(parsers, tokens[i].text) != parsers.end())
                found.push_back(tokens[i].text);
        return found;
    }

    Result<void> take(const logql::Record& record) {
        for (const auto& label : record.labels.all()) {
            if (label.kind == logql::LabelKind::metadata) CHECK(add(label, {}));
            if (label.kind == logql::LabelKind::parsed) CHECK(add(label, of_query_));
        }
        return of_query_.empty() ? take_parsed(record) : Result<void>{};
    }

    // A line that is JSON, or else logfmt.
    Result<void> take_parsed(const logql::Record& record) {
        for (const auto& [name, stage] : {std::pair{"json", json_.get()}, std::pair{"logfmt", logfmt_.get()}}) {
            auto parsed = record;
            parsed.line = record.line;  // of the entry, or of `record`: both outlive this
            bool kept = stage->process(parsed);
            if (!kept || parsed.labels.has(logql::error_label)) continue;
            for (const auto& label : parsed.labels.all())
                if (label.kind == logql::LabelKind::parsed && !record.labels.has(label.name)) CHECK(add(label, {name}));
            return {};
        }
        return {};
    }

    Result<void> add(const logql::Label& label, const std::vector<std::string>& by) {
        constexpr std::uint64_t node_bytes = 200;
        if (label.value.empty() || label.name == logql::error_label || label.name == logql::error_details_label ||
            (only_ && label.name != *only_))
            return {};
        auto known = all_.find(label.name);
        if (known == all_.end()) {
            if (!only_ && all_.size() >= most_) return {};
            CHECK(asking_.hold(node_bytes + label.name.size(), "the fields"));
            known = all_.emplace(label.name, Field{.type = type_of(label.value), .values = {}, .parsers = {}}).first;
        }
        known->second.parsers.insert(by.begin(), by.end());
        auto& values = known->second.values;
        if (values.contains(label.value) || (only_ && values.size() >= most_)) return {};
        CHECK(asking_.hold(node_bytes + label.value.size(), "the fields"));
        values.insert(label.value);
        return {};
    }

    Asking& asking_;
    const std::uint64_t most_;
    const std::optional<std::string> only_;
    std::vector<std::string> of_query_;
    logql::StagePtr json_, logfmt_;
    std::map<std::string, Field> all_;
};

// `limit`, or by its old name.
Result<std::uint64_t> most_of(const Parameters& given) {
    return count_of(given, given.value("limit").empty() ? "field_limit" : "limit", fields_default, fields_max);
}

}  // namespace

Result<http::Answer> detected_fields(Asking& asking) {
    TRY(auto most, most_of(asking.given()));
    Fields fields{asking, most};
    CHECK(fields.read());
    auto json = json_object();
    json.array("fields");
    for (const auto& [name, field] : fields.all()) {
        json.object().member("label", name).member("type", field.type).member("cardinality", field.values.size());
        if (field.parsers.empty())
            json.member("parsers", nullptr);
        else
            json.member("parsers", field.parsers);
        json.end();
    }
    return json_answer(json.end().member("limit", most).take_line());
}

Result<http::Answer> detected_field_values(Asking& asking) {
    TRY(auto most, most_of(asking.given()));
    Fields fields{asking, most, asking.question().name};
    CHECK(fields.read());
    auto json = json_object();
    json.array("values");
    for (const auto& [name, field] : fields.all())
        for (const auto& value : field.values) json.value(value);
    return json_answer(json.end().member("limit", most).take_line());
}

}  // namespace boatswain::api
