#include "logql/record.h"

#include <algorithm>
#include <array>

#include "query/filter_pod.h"

namespace boatswain::logql {

namespace {

using Of = std::string_view (*)(const query::Origin&);

struct OriginLabel {
    std::string_view name;
    Of value;
};

std::string_view of_pod(const query::Origin& origin, std::string_view query::PodContainer::* part) {
    auto is = query::pod_container(origin.source);
    return is ? (*is).*part : std::string_view{};
}

// By name. Grafana's Logs Drilldown looks for service_name.
constexpr std::array<OriginLabel, 9> origin_labels{
    OriginLabel{"app", [](const query::Origin& o) -> std::string_view { return o.source.whose.app; }},
    OriginLabel{"component", [](const query::Origin& o) -> std::string_view { return o.source.whose.component; }},
    OriginLabel{"container", [](const query::Origin& o) -> std::string_view { return o.source.name; }},
    OriginLabel{"host", [](const query::Origin& o) -> std::string_view { return o.segment.host; }},
    OriginLabel{"instance", [](const query::Origin& o) -> std::string_view { return o.source.whose.instance; }},
    OriginLabel{"namespace", [](const query::Origin& o) { return of_pod(o, &query::PodContainer::space); }},
    OriginLabel{"pod", [](const query::Origin& o) { return of_pod(o, &query::PodContainer::pod); }},
    OriginLabel{"service_name", [](const query::Origin& o) -> std::string_view { return o.source.whose.app; }},
    OriginLabel{"tenant", [](const query::Origin& o) -> std::string_view { return o.segment.tenant.str(); }}};

}  // namespace

const Label* Labels::find(std::string_view name) const {
    auto found = std::ranges::find(all_, name, &Label::name);
    return found == all_.end() ? nullptr : &*found;
}

std::string_view Labels::value(std::string_view name) const {
    const auto* label = find(name);
    return label ? std::string_view{label->value} : std::string_view{};
}

bool Labels::has_stream(std::string_view name) const {
    const auto* label = find(name);
    return label && label->kind == LabelKind::stream;
}

void Labels::set(std::string_view name, std::string_view value, LabelKind kind) {
    auto found = std::ranges::find(all_, name, &Label::name);
    if (found == all_.end()) {
        all_.push_back({.name = std::string{name}, .value = std::string{value}, .kind = kind});
    } else {
        found->value = value;
        found->kind = kind;
    }
}

void Labels::add_parsed(std::string_view name, std::string_view value) {
    if (all_.size() >= labels_max && !has(name)) {
        if (!has(error_label)) set_error(too_many_labels, "more than " + std::to_string(labels_max) + " labels");
        return;
    }
    if (has_stream(name))
        set(std::string{name} + "_extracted", value, LabelKind::parsed);
    else
        set(name, value, LabelKind::parsed);
}

void Labels::erase(std::string_view name) {
    erase_if([&](const Label& label) { return label.name == name; });
}

void Labels::set_error(std::string_view error, std::string_view details) {
    set(error_label, error, LabelKind::parsed);
    set(error_details_label, details, LabelKind::parsed);
}

std::vector<Label> Labels::sorted() const {
    std::vector<Label> labels;
    for (const auto& label : all_)
        if (!label.value.empty()) labels.push_back(label);
    std::ranges::sort(labels, {}, &Label::name);
    return labels;
}

std::vector<std::string_view> origin_label_names() {
    std::vector<std::string_view> names;
    for (const auto& label : origin_labels) names.push_back(label.name);
    return names;
}

std::string_view origin_label(const query::Origin& origin, std::string_view name) {
    auto found = std::ranges::find(origin_labels, name, &OriginLabel::name);
    return found == origin_labels.end() ? std::string_view{} : found->value(origin);
}

void add_origin_labels(const query::Entry& entry, Labels& labels) {
    auto origin = entry.origin();
    for (const auto& label : origin_labels)
        if (auto value = label.value(origin); !value.empty()) labels.set(label.name, value, LabelKind::stream);
    if (entry.is_line()) labels.set(stream_label, to_string(entry.text.line.stream), LabelKind::stream);
    for (const auto& [name, value] : entry.source.labels) labels.set(name, value, LabelKind::metadata);
    labels.set("container_id", entry.source.id, LabelKind::metadata);
    if (!entry.source.image.empty()) labels.set("image", entry.source.image, LabelKind::metadata);
}

}  // namespace boatswain::logql
