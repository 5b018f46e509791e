#include "intake/docker/selection.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "engine/container.h"
#include "engine/truth.h"

namespace boatswain::intake::docker {
namespace {

constexpr std::array<std::string_view, 2> own_labels{exclude_label, attach_label};
constexpr std::string_view kubelet_prefix = "io.kubernetes.";
const std::string kubelet_pod = "io.kubernetes.pod.uid";

const re2::RE2& regex_of(const std::shared_ptr<const void>& regex) {
    return *static_cast<const re2::RE2*>(regex.get());
}

}  // namespace

Result<Selection::Rule> Selection::parse_rule(const std::string& text) {
    Rule rule{.text = text};
    auto colon = text.find(':');
    auto kind = text.substr(0, colon);
    auto rest = colon == std::string::npos ? std::string{} : text.substr(colon + 1);
    if (rest.empty() || (kind != "label" && kind != "name" && kind != "image"))
        return fail(Remedy::stop,
                    "rule \"" + text + "\": expected label:KEY, label:KEY=VALUE, name:REGEX or image:REGEX");
    if (kind == "label") {
        auto equals = rest.find('=');
        rule.label = rest.substr(0, equals);
        if (equals != std::string::npos) rule.value = rest.substr(equals + 1);
        return rule;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_shared<re2::RE2>(rest, options);
    if (!regex->ok()) return fail(Remedy::stop, "rule \"" + text + "\": " + regex->error());
    rule.by_name = kind == "name";
    rule.regex = std::move(regex);
    return rule;
}

Result<Selection> Selection::parse(const std::vector<std::string>& include, const std::vector<std::string>& exclude) {
    Selection selection;
    for (const auto& text : include) {
        TRY(auto rule, parse_rule(text));
        selection.include_.push_back(std::move(rule));
    }
    for (const auto& text : exclude) {
        TRY(auto rule, parse_rule(text));
        selection.exclude_.push_back(std::move(rule));
    }
    return selection;
}

bool Selection::matches(const Rule& rule, const SourceFacts& container) {
    if (rule.regex)
        return re2::RE2::PartialMatch(rule.by_name ? container.name : container.image, regex_of(rule.regex));
    auto label = container.labels.find(rule.label);
    return label != container.labels.end() && (!rule.value || label->second == *rule.value);
}

bool Selection::hangs_on_a_label(const SourceFacts& container) const {
    return label_is_true(container, exclude_label) ||
           std::ranges::any_of(exclude_, [&](const Rule& rule) { return !rule.regex && matches(rule, container); });
}

std::optional<std::string> Selection::reason_against(const SourceFacts& container, const SourceFacts& starter) const {
    if (label_is_true(starter, exclude_label)) return std::string{"label "} + std::string{exclude_label} + "=true";
    for (const auto& rule : exclude_) {
        if (!rule.regex && rule.label.starts_with(kubelet_prefix) && !starter.labels.contains(kubelet_pod)) continue;
        if (matches(rule, rule.regex ? container : starter)) return "exclude rule " + rule.text;
    }
    if (include_.empty()) return std::nullopt;
    for (const auto& rule : include_)
        if (matches(rule, container)) return std::nullopt;
    return "no include rule matches";
}

bool Selection::names_label(std::string_view label) const {
    auto names = [&](const Rule& rule) { return rule.label == label; };
    return label == kubelet_pod || std::ranges::find(own_labels, label) != own_labels.end() ||
           std::ranges::any_of(include_, names) || std::ranges::any_of(exclude_, names);
}

bool label_is_true(const SourceFacts& container, std::string_view label) {
    auto found = container.labels.find(std::string{label});
    return found != container.labels.end() && engine::parse_truth(found->second) == true;
}

std::vector<std::string_view> labels_not_understood(const SourceFacts& container) {
    std::vector<std::string_view> labels;
    for (auto label : own_labels) {
        auto found = container.labels.find(std::string{label});
        if (found != container.labels.end() && !engine::parse_truth(found->second)) labels.push_back(label);
    }
    return labels;
}

std::vector<std::string> own_container_ids() {
    std::vector<std::string> ids;
    // Docker mounts files of its containers directory over /etc/hostname and the like, and names cgroups after the
    // container.
    for (const auto* path : {"/proc/self/mountinfo", "/proc/self/cgroup"}) {
        auto text = read_file(path, 4U << 20);
        if (!text) continue;
        for (std::size_t at = 0; at + 64 <= text->size(); ++at) {
            std::string_view candidate{text->data() + at, 64};
            bool bounded = at == 0 || (*text)[at - 1] == '/' || (*text)[at - 1] == '-';
            // A mount of another container's directory (the whole containers directory, say) does not end in these
            // files.
            auto rest = std::string_view{*text}.substr(at + 64);
            bool own = rest.starts_with("/hostname ") || rest.starts_with("/resolv.conf ") ||
                       std::string_view{path}.ends_with("cgroup");
            if (bounded && own && engine::is_container_id(candidate)) ids.emplace_back(candidate);
        }
    }
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    return ids;
}

}  // namespace boatswain::intake::docker
