#include "boatswain/unmatched.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/suggest.h"
#include "query/catalog.h"
#include "query/filter_pod.h"
#include "query/filter_source.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t name_shown_max = 200;
constexpr std::size_t id_shown = 12;

std::string in_quotes(std::string_view name) { return "\"" + printable(name, name_shown_max) + "\""; }

std::optional<std::string_view> nearest(std::string_view given, const std::vector<std::string_view>& known) {
    if (auto near = closest(given, known)) return near;
    // Names are long, and people write a part of them.
    auto holds_it = [&](std::string_view name) { return given.size() >= 3 && name.find(given) != name.npos; };
    auto found = std::ranges::find_if(known, holds_it);
    return found == known.end() ? std::nullopt : std::optional{*found};
}

}  // namespace

Unmatched::Unmatched(const Names& names) {
    for (const auto& app : names.apps) apps_.wanted.push_back({app});
    for (const auto& container : names.containers) containers_.wanted.push_back({container});
    if (!names.space.empty()) spaces_.wanted.push_back({names.space});
    if (!names.pod.empty()) pods_.wanted.push_back({names.pod});
    by_pod_ = !names.space.empty() || !names.pod.empty();
}

void Unmatched::Kind::add(const std::string& name) {
    if (there.size() < names_max)
        there.insert(name);
    else
        more_there = more_there || !there.contains(name);
}

void Unmatched::met(const Source& source) {
    if (!apps_.wanted.empty()) apps_.add(source.whose.app);
    if (!containers_.wanted.empty()) containers_.add(source.name.empty() ? source.id.substr(0, id_shown) : source.name);
    for (auto& one : apps_.wanted) one.met = one.met || one.name == source.whose.app;
    auto pod = by_pod_ ? query::pod_container(source) : std::nullopt;
    for (auto& one : containers_.wanted)
        one.met = one.met || query::is_named(source, one.name) || (pod && pod->container == one.name);
    if (!pod) return;
    for (auto [kind, name] : {std::pair{&spaces_, pod->space}, std::pair{&pods_, pod->pod}}) {
        if (!kind->wanted.empty()) kind->add(std::string{name});
        for (auto& one : kind->wanted) one.met = one.met || one.name == name;
    }
}

std::string Unmatched::Kind::sentence(const Wanted& one) const {
    std::vector<std::string_view> known{there.begin(), there.end()};
    auto text = fmt::format("no {} {} printed in this stretch of time", noun, in_quotes(one.name));
    if (auto near = nearest(one.name, known)) return text + "; did you mean " + in_quotes(*near) + "?";
    if (known.empty()) return text;
    text += "; there " + std::string{known.size() == 1 ? "is " : "are "};
    for (std::size_t i = 0; i < std::min(known.size(), names_told_max); ++i)
        text += (i == 0 ? "" : ", ") + in_quotes(known[i]);
    return text + (known.size() > names_told_max || more_there ? " and others" : "");
}

std::vector<std::string> Unmatched::sentences() const {
    std::vector<std::string> all;
    for (const auto* kind : {&apps_, &spaces_, &pods_, &containers_})
        for (const auto& one : kind->wanted)
            if (!one.met) all.push_back(kind->sentence(one));
    return all;
}

std::string suggestion_for_tenant(store::Store& store, const TenantId& tenant) {
    auto tenants = query::Catalog{store}.tenants();
    if (!tenants || std::ranges::find(*tenants, tenant) != tenants->end()) return "";
    std::vector<std::string> names;
    for (const auto& one : *tenants) names.push_back(one.str());
    auto near = nearest(tenant.str(), {names.begin(), names.end()});
    return near ? "; did you mean " + in_quotes(*near) + "?" : "";
}

}  // namespace boatswain::tool
