// The parsers "regexp" and "pattern".
#include <algorithm>
#include <set>

#include "logql/stage.h"
#include "query/regex.h"

namespace boatswain::logql {

namespace {

class Regexp final : public Stage {
  public:
    explicit Regexp(query::Regex regex) : regex_(std::move(regex)) {}

    bool process(Record& record) const override {
        auto groups = regex_.groups_in(record.line);
        for (std::size_t i = 0; i < groups.size(); ++i)
            if (!regex_.group_names()[i].empty()) record.labels.add_parsed(regex_.group_names()[i], groups[i]);
        return true;
    }

  private:
    query::Regex regex_;
};

// A capture, and the literal text behind it; the last may have none.
struct Capture {
    std::string name;  // "_": not kept
    std::string literal;
};

class Pattern final : public Stage {
  public:
    Pattern(std::string start, std::vector<Capture> captures)
        : start_(std::move(start)), captures_(std::move(captures)) {}

    bool process(Record& record) const override {
        auto rest = record.line;
        if (!rest.starts_with(start_)) return true;
        rest.remove_prefix(start_.size());
        for (const auto& capture : captures_) {
            auto end = capture.literal.empty() ? std::string_view::npos : rest.find(capture.literal);
            if (capture.name != "_") record.labels.add_parsed(capture.name, rest.substr(0, end));
            if (end == std::string_view::npos) break;  // the rest was all of the last capture
            rest.remove_prefix(end + capture.literal.size());
        }
        return true;
    }

  private:
    std::string start_;
    std::vector<Capture> captures_;
};

bool is_label(std::string_view text) { return !text.empty() && label_name(text) == text; }

}  // namespace

Result<StagePtr> regexp_parser(const std::string& regex) {
    TRY(auto parsed, query::Regex::parse(regex));
    if (!parsed.has_named_group())
        return fail(Remedy::stop, "at least one named capture must be supplied: (?P<name>...)");
    for (const auto& name : parsed.group_names())
        if (!name.empty() && !is_label(name)) return fail(Remedy::stop, "invalid extracted label name '" + name + "'");
    return std::make_unique<Regexp>(std::move(parsed));
}

Result<StagePtr> pattern_parser(const std::string& pattern) {
    std::string start;
    std::vector<Capture> captures;
    std::set<std::string> names;
    std::string_view rest = pattern;
    while (!rest.empty()) {
        auto close = rest.front() == '<' ? rest.find('>') : std::string_view::npos;
        auto name = close == std::string_view::npos ? std::string_view{} : rest.substr(1, close - 1);
        if (!is_label(name)) {
            (captures.empty() ? start : captures.back().literal) += rest.front();
            rest.remove_prefix(1);
            continue;
        }
        if (!captures.empty() && captures.back().literal.empty())
            return fail(Remedy::stop, "found consecutive capture '<" + captures.back().name + "><" + std::string{name} +
                                          ">': literals have to be between them");
        if (name != "_" && !names.insert(std::string{name}).second)
            return fail(Remedy::stop, "duplicate capture name (" + std::string{name} + ")");
        captures.push_back({.name = std::string{name}, .literal = {}});
        rest.remove_prefix(close + 1);
    }
    if (names.empty()) return fail(Remedy::stop, "at least one capture is required: <name>");
    return std::make_unique<Pattern>(std::move(start), std::move(captures));
}

}  // namespace boatswain::logql
