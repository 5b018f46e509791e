#include "tenancy/rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/suggest.h"
#include "base/text.h"
#include "tenancy/mesos_sandbox.h"
#include "tenancy/pod_words.h"
#include "tenancy/presets.h"

namespace boatswain::tenancy {
namespace {

// What one regular expression may use for its compiled form and its cache of states. RE2's time is linear in the value.
constexpr std::int64_t regex_bytes_max = 1 << 20;

constexpr std::string_view spaces = " \t";
constexpr std::string_view secret_prefix = "secret:";

std::string quoted(std::string_view text) { return "\"" + printable(text, 80) + "\""; }

}  // namespace

// Takes a rule's text apart. Every error begins with the rule itself, as far as it can be shown.
struct RuleParser {
    using From = Rule::From;
    struct Named {
        std::string_view name;
        From from;
        bool has_key;
    };
    static constexpr std::array<Named, 9> sources{{{"env", From::environment, true},
                                                   {"label", From::label, true},
                                                   {"name", From::name, false},
                                                   {"image", From::image, false},
                                                   {"const", From::constant, true},
                                                   {"mesos", From::attribute, true},
                                                   {"pod-label", From::attribute, true},
                                                   {"pod-annotation", From::attribute, true},
                                                   {"namespace", From::attribute, false}}};
    static constexpr std::array<std::string_view, 3> mesos_attributes{mesos_task_attribute, mesos_framework_attribute,
                                                                      mesos_agent_attribute};

    std::string_view text;

    std::unexpected<Error> refuse(std::string_view why) const {
        return fail(Remedy::stop, printable(text, 120) + ": " + std::string{why});
    }

    Result<Rule> parse() const {
        if (text.empty()) return fail(Remedy::stop, "is empty; write for example env:TENANT");
        if (text.size() > rule_bytes_max) return refuse("is longer than " + std::to_string(rule_bytes_max) + " bytes");
        Rule rule;
        rule.text_ = printable(text, rule_bytes_max);
        auto source = text;
        if (auto tilde = find_tilde()) {
            source = trim(text.substr(0, *tilde));
            CHECK(parse_regex(rule, *tilde));
        }
        if (source.starts_with(secret_prefix)) {
            rule.secret_ = true;
            source.remove_prefix(secret_prefix.size());
        }
        CHECK(parse_source(rule, source));
        return rule;
    }

    // Where the '~' is that separates source and regular expression: the first with a space before it, or a '/' after
    // it.
    std::optional<std::size_t> find_tilde() const {
        for (auto at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
            bool space_before = at > 0 && spaces.contains(text[at - 1]);
            bool slash_after = trim(text.substr(at + 1)).starts_with('/');
            if (space_before || slash_after) return at;
        }
        return std::nullopt;
    }

    Result<void> parse_regex(Rule& rule, std::size_t tilde) const {
        auto written = trim(text.substr(tilde + 1));
        if (written.size() < 2 || written.front() != '/' || written.back() != '/')
            return refuse("a regular expression is written between slashes: " +
                          printable(trim(text.substr(0, tilde)), 80) + " ~ /REGEX/");
        auto pattern = written.substr(1, written.size() - 2);
        if (pattern.empty()) return refuse("the regular expression is empty");
        re2::RE2::Options options;
        options.set_max_mem(regex_bytes_max);
        options.set_log_errors(false);
        auto regex = std::make_shared<const re2::RE2>(re2::StringPiece{pattern.data(), pattern.size()}, options);
        if (!regex->ok()) {
            auto at = pattern.find(std::string_view{regex->error_arg()});
            auto column =
                static_cast<std::size_t>(pattern.data() - text.data()) + (at == std::string_view::npos ? 0 : at) + 1;
            return refuse("column " + std::to_string(column) +
                          ": the regular expression is not one: " + printable(regex->error(), 120));
        }
        rule.regex_ = std::move(regex);
        return {};
    }

    Result<void> parse_source(Rule& rule, std::string_view source) const {
        auto colon = source.find(':');
        auto name = source.substr(0, colon);
        const auto* found = std::ranges::find(sources, name, &Named::name);
        if (found == sources.end()) return refuse_name(name, colon != std::string_view::npos);
        rule.from_ = found->from;
        if (!found->has_key) {
            if (colon != std::string_view::npos) return refuse(quoted(name) + " takes no key");
            if (found->from == From::attribute) rule.key_ = name;
            return {};
        }
        auto key = colon == std::string_view::npos ? std::string_view{} : source.substr(colon + 1);
        if (key.empty())
            return refuse(quoted(name) + " needs a key: " + std::string{name} +
                          (found->from == From::constant ? ":TEXT" : ":KEY"));
        if (found->from == From::environment && key.contains('='))
            return refuse("the name of an environment variable holds no '='");
        rule.key_ = found->from == From::attribute ? source : key;
        if (name == "mesos" && std::ranges::find(mesos_attributes, rule.key_) == mesos_attributes.end())
            return refuse("mesos has mesos:task, mesos:framework and mesos:agent, not " + quoted(key));
        return {};
    }

    std::unexpected<Error> refuse_name(std::string_view name, bool with_key) const {
        std::vector<std::string_view> known;
        for (const auto& source : sources) known.push_back(source.name);
        if (!with_key)
            for (const auto& preset : presets()) known.push_back(preset.name);
        std::string what = with_key ? "unknown source " : "unknown source or preset ";
        if (auto near = closest(name, known))
            return refuse(what + quoted(name) + ", did you mean " + quoted(*near) + "?");
        std::string list =
            "; known are env:KEY, label:KEY, name, image, const:TEXT, mesos:task, mesos:framework, mesos:agent, "
            "pod-label:KEY, pod-annotation:KEY, namespace";
        if (!with_key) {
            list += ", and the presets";
            for (const auto& preset : presets())
                list += (list.ends_with("presets") ? " " : ", ") + std::string{preset.name};
        }
        return refuse(what + quoted(name) + list);
    }
};

Result<Rule> Rule::parse(std::string_view text) { return RuleParser{trim(text, spaces)}.parse(); }

bool Rule::reads_a_word_of(const SourceFacts& container) const {
    if (from_ == From::environment) return container.environment.contains(key_);
    return from_ == From::label && container.labels.contains(key_);
}

std::optional<std::string> Rule::environment_key() const {
    if (from_ != From::environment) return std::nullopt;
    return key_;
}

std::optional<std::string> Rule::label_key() const {
    if (from_ != From::label && !(from_ == From::attribute && is_pod_word(key_))) return std::nullopt;
    return key_;
}

std::optional<std::string> Rule::value(const SourceFacts& container) const {
    auto look_up = [&](const std::map<std::string, std::string>& map) -> std::optional<std::string> {
        auto found = map.find(key_);
        if (found == map.end()) return std::nullopt;
        return found->second.substr(0, value_bytes_max);
    };
    auto look_up_known = [&](const std::map<std::string, std::string>& map, std::string_view not_known) {
        auto found = look_up(map);
        if (!found && container.attributes.contains(std::string{not_known})) found = word_not_known;
        return found;
    };
    switch (from_) {
        case From::environment: return look_up_known(container.environment, environment_not_known);
        case From::label: return look_up(container.labels);
        case From::name: return container.name.substr(0, value_bytes_max);
        case From::image: return container.image.substr(0, value_bytes_max);
        case From::constant: return key_;
        case From::attribute:
            return is_pod_word(key_) ? look_up_known(container.attributes, pod_not_known)
                                     : look_up(container.attributes);
    }
    return std::nullopt;
}

std::optional<std::string> Rule::answer(const SourceFacts& container) const {
    auto found = value(container);
    if (!found || found->empty()) return std::nullopt;
    // Nothing is looked for in what stands for a word that was not kept.
    if (!regex_ || *found == word_too_long || *found == word_not_known) return found;
    re2::StringPiece groups[2];
    int wanted = regex_->NumberOfCapturingGroups() > 0 ? 2 : 1;
    if (!regex_->Match(*found, 0, found->size(), re2::RE2::UNANCHORED, groups, wanted)) return std::nullopt;
    const auto& group = groups[wanted - 1];
    if (group.empty()) return std::nullopt;
    return std::string{group.data(), group.size()};
}

std::set<std::string, std::less<>> RuleSet::environment_keys() const {
    std::set<std::string, std::less<>> keys;
    for (const auto* list : {&tenant, &app, &component, &instance, &recipient})
        for (const auto& rule : *list)
            if (auto key = rule.environment_key()) keys.insert(std::move(*key));
    return keys;
}

std::set<std::string, std::less<>> RuleSet::label_keys() const {
    std::set<std::string, std::less<>> keys;
    for (const auto* list : {&tenant, &app, &component, &instance, &recipient})
        for (const auto& rule : *list)
            if (auto key = rule.label_key()) keys.insert(std::move(*key));
    return keys;
}

namespace {

// A list with presets replaced by what they stand for. `field` is where a preset keeps its rules for this list; nullptr
// when presets have none.
class ListReader {
  public:
    using Field = std::span<const std::string_view> Preset::*;

    explicit ListReader(std::string& mistakes) : mistakes_(mistakes) {}

    std::vector<Rule> rules(std::string_view list, const std::vector<std::string>& texts, Field field) {
        std::vector<Rule> read;
        for_each(list, texts, field, [&](std::size_t number, std::string_view text) {
            auto rule = Rule::parse(text);
            if (!rule)
                mistake(list, number, rule.error().what);
            else if (rule->is_secret() && list != "recipient")
                mistake(list, number,
                        rule->text() + ": a rule is \"secret:\" in tenancy.recipient only: this list is no secret");
            else
                read.push_back(std::move(*rule));
        });
        return read;
    }

    std::vector<std::string> labels(std::string_view list, const std::vector<std::string>& texts) {
        std::vector<std::string> read;
        for_each(list, texts, &Preset::labels, [&](std::size_t number, std::string_view text) {
            auto star = text.find('*');
            if (text.empty())
                mistake(list, number, "is empty; write a label's key, or prefix.*");
            else if (text.size() > rule_bytes_max)
                mistake(list, number, "is longer than " + std::to_string(rule_bytes_max) + " bytes");
            else if (star != std::string_view::npos && star + 1 != text.size())
                mistake(list, number, printable(text, 80) + ": '*' stands only at the end: prefix.*");
            else
                read.emplace_back(text);
        });
        return read;
    }

  private:
    void for_each(std::string_view list, const std::vector<std::string>& texts, Field field, auto&& use) {
        if (texts.size() > rules_max)
            return mistake(list, rules_max + 1, "at most " + std::to_string(rules_max) + " are allowed");
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto text = trim(texts[i], spaces);
            const auto* preset = find_preset(text);
            if (preset == nullptr) {
                use(i + 1, text);
                continue;
            }
            auto stands_for = field != nullptr ? preset->*field : std::span<const std::string_view>{};
            if (stands_for.empty())
                mistake(list, i + 1, "the preset \"" + std::string{text} + "\" has no rules for this list");
            for (auto each : stands_for) use(i + 1, each);
        }
    }

    void mistake(std::string_view list, std::size_t number, std::string_view what) {
        if (!mistakes_.empty()) mistakes_ += '\n';
        mistakes_ += "tenancy." + std::string{list} + ", rule " + std::to_string(number) + ": " + std::string{what};
    }

    std::string& mistakes_;
};

struct Answer {
    std::string value;
    const Rule* rule;
};

std::optional<Answer> first_answer(const std::vector<Rule>& rules, const SourceFacts& container) {
    for (const auto& rule : rules)
        if (auto value = rule.answer(container)) return Answer{std::move(*value), &rule};
    return std::nullopt;
}

// At most text_bytes_max bytes, the mark of a cut included ("..." after up to four bytes of a last character).
std::string shown(std::string_view text) { return printable(text, text_bytes_max - 7); }

std::string shown_answer(const std::vector<Rule>& rules, const SourceFacts& container) {
    auto answer = first_answer(rules, container);
    return answer && answer->value != word_not_known ? shown(answer->value) : std::string{};
}

std::string why_nobody_answered(const std::vector<Rule>& rules) {
    if (rules.empty()) return "no tenant rule is configured";
    std::string why = "no rule answered: ";
    for (const auto& rule : rules) why += (&rule == &rules.front() ? "" : ", ") + rule.text();
    return why;
}

bool keeps(const std::vector<std::string>& patterns, std::string_view key) {
    return std::ranges::any_of(patterns, [&](std::string_view pattern) {
        if (!pattern.ends_with('*')) return key == pattern;
        return key.starts_with(pattern.substr(0, pattern.size() - 1));
    });
}

}  // namespace

Result<RuleSet> parse_rules(const RuleTexts& texts) {
    std::string mistakes;
    ListReader read{mistakes};
    RuleSet rules{.tenant = read.rules("tenant", texts.tenant, &Preset::tenant),
                  .app = read.rules("app", texts.app, &Preset::app),
                  .component = read.rules("component", texts.component, &Preset::component),
                  .instance = read.rules("instance", texts.instance, &Preset::instance),
                  .recipient = read.rules("recipient", texts.recipient, nullptr),
                  .labels = read.labels("labels", texts.labels)};
    if (!mistakes.empty()) return fail(Remedy::stop, std::move(mistakes));
    return rules;
}

bool keeps_label(const RuleSet& rules, std::string_view key) { return keeps(rules.labels, key); }

Attribution attribute(const RuleSet& rules, const SourceFacts& container) {
    return attribute(rules, container, container);
}

Attribution attribute(const RuleSet& rules, const SourceFacts& container, const SourceFacts& starter) {
    Attribution whose{.app = shown_answer(rules.app, container),
                      .component = shown_answer(rules.component, container),
                      .instance = shown_answer(rules.instance, container)};
    if (whose.app.empty()) whose.app = shown(container.name);
    if (whose.app.empty()) whose.app = shown(container.id.substr(0, 12));
    if (whose.app.empty()) whose.app = "unnamed";

    auto answer = first_answer(rules.tenant, starter);
    if (!answer) {
        auto why = why_nobody_answered(rules.tenant);
        // The part that is cut off, should it be long, is the list of rules.
        if (auto image = first_answer(rules.tenant, container))
            why = image->rule->text() + " is set by the image, which does not count; " + why;
        whose.tenant_rule = printable(why, reason_bytes_max - 7);
        return whose;
    }
    if (answer->value == word_not_known) {
        auto why = answer->rule->text() + " could not be asked";
        for (const auto& [key, reason] : starter.attributes)
            if (says_not_known(key)) why += ": " + reason;
        whose.tenant_rule = printable(why, reason_bytes_max - 7);
        return whose;
    }
    auto tenant = TenantId::parse(answer->value);
    if (tenant) whose.tenant = std::move(*tenant);
    auto rule = tenant ? answer->rule->text() : answer->rule->text() + ": " + tenant.error().what;
    whose.tenant_rule = printable(rule, reason_bytes_max - 7);
    return whose;
}

bool reads_words(const RuleSet& rules, const SourceFacts& container) {
    auto reads = [&](const Rule& rule) { return rule.reads_a_word_of(container); };
    return std::ranges::any_of(rules.tenant, reads) || std::ranges::any_of(rules.recipient, reads);
}

std::map<std::string, std::string> kept_labels(const RuleSet& rules, const SourceFacts& container) {
    std::map<std::string, std::string> kept;
    if (rules.labels.empty()) return kept;
    for (const auto& [key, value] : container.attributes)
        if (!says_not_known(key) && kept.size() < kept_labels_max && keeps(rules.labels, key))
            kept.emplace(key, printable(value, label_bytes_max - 7));
    for (const auto& [key, value] : container.labels) {
        if (kept.size() >= kept_labels_max) break;
        // Those of the sandbox and of the pod, which no label can pass for.
        if (key.starts_with(mesos_prefix) || is_pod_word(key) || key == namespace_attribute) continue;
        if (keeps(rules.labels, key)) kept.emplace(shown(key), printable(value, label_bytes_max - 7));
    }
    return kept;
}

std::optional<CarriedText> carried_text(const RuleSet& rules, const SourceFacts& container) {
    auto answer = first_answer(rules.recipient, container);
    if (!answer) return std::nullopt;
    return CarriedText{
        .text = std::move(answer->value), .secret = answer->rule->is_secret(), .rule = answer->rule->text()};
}

}  // namespace boatswain::tenancy
