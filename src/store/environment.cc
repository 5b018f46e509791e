#include "store/environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/text.h"

namespace boatswain::store {

std::optional<std::string> process_environment(std::string_view name) {
    const char* value = std::getenv(std::string{name}.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view text) { return trim(text, " \t\r\n\v\f"); }

std::optional<std::string> setting(const Environment& environment, std::initializer_list<std::string_view> names) {
    for (auto name : names)
        if (auto value = environment(name)) {
            auto text = trimmed(*value);
            if (!text.empty()) return std::string{text};
        }
    return std::nullopt;
}

bool is_true(const Environment& environment, std::string_view name) {
    auto value = setting(environment, {name});
    return value && equal_in_any_case(*value, "true");
}

std::optional<std::string> endpoint_setting(const Environment& environment, std::string_view service) {
    if (is_true(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return std::nullopt;
    auto endpoint = setting(environment, {"AWS_ENDPOINT_URL_" + std::string{service}, "AWS_ENDPOINT_URL"});
    while (endpoint && endpoint->ends_with('/')) endpoint->pop_back();
    return endpoint;
}

// The partitions of AWS's own endpoints file ("partitions.json" in its SDKs).
std::string_view amazon_domain(std::string_view region) {
    using Partition = std::pair<std::string_view, std::string_view>;
    static constexpr std::array partitions{
        Partition{"cn-", "amazonaws.com.cn"},    Partition{"us-iso-", "c2s.ic.gov"},
        Partition{"us-isob-", "sc2s.sgov.gov"},  Partition{"us-isof-", "csp.hci.ic.gov"},
        Partition{"eu-isoe-", "cloud.adc-e.uk"}, Partition{"eusc-", "amazonaws.eu"},
    };
    for (const auto& [start, domain] : partitions)
        if (region.starts_with(start)) return domain;
    return "amazonaws.com";
}

}  // namespace boatswain::store
