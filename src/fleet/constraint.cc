#include "fleet/constraint.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>

#include "base/bytes.h"

namespace boatswain::fleet {
namespace {

constexpr std::int64_t pattern_memory_max = 1 << 20;

constexpr std::array<std::pair<std::string_view, Operator>, 7> operators{{{"UNIQUE", Operator::unique},
                                                                          {"CLUSTER", Operator::cluster},
                                                                          {"GROUP_BY", Operator::group_by},
                                                                          {"LIKE", Operator::like},
                                                                          {"UNLIKE", Operator::unlike},
                                                                          {"MAX_PER", Operator::max_per},
                                                                          {"IS", Operator::is}}};

bool is_hostname(std::string_view field) { return field == "hostname" || field == "@hostname"; }

std::optional<std::size_t> whole_number(std::string_view text) {
    std::size_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

using Counts = std::map<std::string, std::size_t>;

std::size_t count_of(const Counts& counts, const std::string& value) {
    auto found = counts.find(value);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

struct ConstraintSet::Compiled {
    Constraint constraint;
    std::shared_ptr<const re2::RE2> pattern;  // shared only so that the struct can be moved around in a vector
    std::size_t number = 0;                   // of MAX_PER and GROUP_BY
};

Operator operator_of(std::string_view name) {
    auto found = std::ranges::find(operators, name, &std::pair<std::string_view, Operator>::first);
    return found == operators.end() ? Operator::unknown : found->second;
}

std::optional<std::string> field_value(const Agent& agent, const std::string& field) {
    if (is_hostname(field)) return agent.hostname;
    if (field == "@region" || field == "@zone") {
        const auto& value = field == "@region" ? agent.region : agent.zone;
        return value.empty() ? std::nullopt : std::optional{value};
    }
    auto found = agent.attributes.find(field);
    return found == agent.attributes.end() ? std::nullopt : std::optional{found->second};
}

ConstraintSet::ConstraintSet(std::vector<Compiled> constraints) : constraints_(std::move(constraints)) {}
ConstraintSet::~ConstraintSet() = default;
ConstraintSet::ConstraintSet(ConstraintSet&&) noexcept = default;
ConstraintSet& ConstraintSet::operator=(ConstraintSet&&) noexcept = default;

Result<ConstraintSet> ConstraintSet::make(const std::vector<Constraint>& constraints) {
    std::vector<Compiled> compiled;
    for (const auto& constraint : constraints) {
        auto cannot = [&](const std::string& why) {
            return fail(Remedy::stop, "the constraint \"" + printable(constraint.text) + "\" cannot be evaluated here: " + why);
        };
        Compiled made{.constraint = constraint};
        switch (constraint.op) {
            case Operator::unknown: return cannot("its operator is not known");
            case Operator::like:
            case Operator::unlike: {
                if (constraint.value.size() > pattern_bytes_max) return cannot("its expression is too long");
                re2::RE2::Options options;
                options.set_log_errors(false);
                options.set_max_mem(pattern_memory_max);
                made.pattern = std::make_shared<const re2::RE2>(
                    re2::StringPiece{constraint.value.data(), constraint.value.size()}, options);
                if (!made.pattern->ok()) return cannot(printable(made.pattern->error()));
                break;
            }
            case Operator::max_per: {
                auto number = whole_number(constraint.value);
                if (!number) return cannot("its value is not a number");
                made.number = *number;
                break;
            }
            case Operator::group_by: made.number = whole_number(constraint.value).value_or(0); break;
            default: break;
        }
        compiled.push_back(std::move(made));
    }
    return ConstraintSet{std::move(compiled)};
}

std::optional<std::string> ConstraintSet::refuses(const Agent& agent) const {
    for (const auto& [constraint, pattern, number] : constraints_) {
        auto value = field_value(agent, constraint.field);
        if (!value) {
            if (constraint.op == Operator::unlike) continue;
            return "has no attribute \"" + printable(constraint.field) + "\", which \"" + printable(constraint.text) +
                   "\" asks for";
        }
        bool fits = true;
        switch (constraint.op) {
            case Operator::like: fits = re2::RE2::FullMatch(*value, *pattern); break;
            case Operator::unlike: fits = !re2::RE2::FullMatch(*value, *pattern); break;
            case Operator::is: fits = *value == constraint.value; break;
            case Operator::cluster: fits = constraint.value.empty() || *value == constraint.value; break;
            case Operator::max_per: fits = number > 0; break;
            default: break;
        }
        if (!fits)
            return "its " + printable(constraint.field) + " is \"" + printable(*value) + "\", which \"" +
                   printable(constraint.text) + "\" refuses";
    }
    return std::nullopt;
}

std::vector<const Agent*> ConstraintSet::fitting(const std::vector<const Agent*>& candidates,
                                                 std::size_t placed) const {
    // How often each value may be taken: one map a constraint.
    std::vector<std::optional<Counts>> limits(constraints_.size());
    std::vector<std::string> cluster_value(constraints_.size());
    for (std::size_t i = 0; i < constraints_.size(); ++i) {
        const auto& [constraint, pattern, number] = constraints_[i];
        Counts hosts;
        for (const auto* agent : candidates)
            if (auto value = field_value(*agent, constraint.field)) ++hosts[*value];
        Counts limit;
        switch (constraint.op) {
            case Operator::unique:
            case Operator::max_per:
                for (const auto& [value, count] : hosts) limit[value] = constraint.op == Operator::unique ? 1 : number;
                break;
            case Operator::group_by: {
                // Every value gets as many as the one with the fewest hosts, or one more.
                std::size_t fewest = std::numeric_limits<std::size_t>::max();
                for (const auto& [value, count] : hosts) fewest = std::min(fewest, count);
                if (hosts.size() < number) fewest = 0;
                for (const auto& [value, count] : hosts) limit[value] = std::min(count, fewest + 1);
                break;
            }
            case Operator::cluster: {
                if (!constraint.value.empty() || hosts.empty()) continue;
                // All on one value: the one that is taken already; before that, which one will be is Marathon's
                // choice, so only one host is certain.
                auto value = field_value(*candidates.front(), constraint.field).value_or("");
                limit[value] = placed > 0 ? candidates.size() : 1;
                break;
            }
            default: continue;
        }
        limits[i] = std::move(limit);
    }
    std::vector<const Agent*> fit;
    std::vector<Counts> taken(constraints_.size());
    for (const auto* agent : candidates) {
        bool fits = true;
        for (std::size_t i = 0; i < constraints_.size() && fits; ++i) {
            auto value = field_value(*agent, constraints_[i].constraint.field);
            if (limits[i] && value) fits = count_of(taken[i], *value) < count_of(*limits[i], *value);
        }
        if (!fits) continue;
        for (std::size_t i = 0; i < constraints_.size(); ++i)
            if (auto value = field_value(*agent, constraints_[i].constraint.field); value && limits[i])
                ++taken[i][*value];
        fit.push_back(agent);
    }
    return fit;
}

bool ConstraintSet::one_per_host() const {
    return std::ranges::any_of(constraints_, [](const Compiled& one) {
        bool limits = one.constraint.op == Operator::unique ||
                      (one.constraint.op == Operator::max_per && one.number == 1);
        return limits && is_hostname(one.constraint.field);
    });
}

}  // namespace boatswain::fleet
