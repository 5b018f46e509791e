// Any text as a rule, and any bytes as what a container says of itself: never a crash, and every bound holds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tenancy/forgery.h"
#include "tenancy/rules.h"

using namespace boatswain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The first line is a rule; the rest is the value of everything that a rule can look at.
    std::string_view text{reinterpret_cast<const char*>(data), size};
    auto end = text.find('\n');
    std::string rule{text.substr(0, end)};
    std::string value{end == std::string_view::npos ? std::string_view{} : text.substr(end + 1)};

    auto rules = tenancy::parse_rules(
        {.tenant = {rule}, .app = {rule}, .component = {rule}, .instance = {rule}, .labels = {"*", rule}});
    if (!rules && (rules.error().what.empty() || rules.error().what.size() > 8192)) std::abort();
    auto one = tenancy::parse_rules({.tenant = {"env:A", "mesos:task", rule}, .app = {"name"}});
    if (!one) one = tenancy::parse_rules({.tenant = {"env:A", "mesos"}, .app = {"env:A"}});
    auto points_to_itself = [&](const std::string&) { return std::optional{value}; };
    SourceFacts facts{.id = value.substr(0, 64),
                      .name = value,
                      .image = value,
                      .labels = {{"A", value}, {value, value}},
                      .environment = {{"A", value}},
                      .attributes = tenancy::sandbox_attributes({{value, "/mnt/mesos/sandbox"}}, points_to_itself)};
    auto whose = tenancy::attribute(*one, facts);
    if (whose.app.empty() || whose.app.size() > tenancy::text_bytes_max) std::abort();
    if (whose.tenant_rule.empty() || whose.tenant_rule.size() > tenancy::reason_bytes_max) std::abort();
    if (whose.tenant != TenantId::unassigned() && !TenantId::parse(whose.tenant.str())) std::abort();
    if (!is_valid_utf8(whose.app) || !is_valid_utf8(whose.tenant_rule)) std::abort();
    (void)tenancy::kept_labels(rules ? *rules : *one, facts);
    for (auto key : {"namespace", "pod-label:A", "\x01pod"}) facts.attributes.emplace(key, value);
    auto pod = tenancy::attribute(rules ? *rules : *one, facts);
    if (pod.app.empty() || pod.tenant_rule.empty() || pod.tenant_rule.size() > tenancy::reason_bytes_max) std::abort();
    facts.environment.emplace("MARATHON_APP_ID", value);
    facts.labels.emplace("MESOS_TASK_ID", value);
    (void)tenancy::forged_claims(facts);
    (void)tenancy::is_task_of(value, rule);

    for (bool secret : {false, true}) {
        auto meaning = tenancy::read_carried({.text = value, .secret = secret, .rule = "env:A"});
        using Is = tenancy::CarriedMeaning::Is;
        if ((meaning.is == Is::recipient) != meaning.recipient.has_value()) std::abort();
        if ((meaning.is == Is::refused) == meaning.why.empty()) std::abort();
        if (meaning.is == Is::secret && !secret) std::abort();
    }
    return 0;
}
