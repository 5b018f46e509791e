// Presets: what each orchestrator puts on the containers it starts, said as rules.
//
// A preset's name as an element of a rule list stands for that preset's rules for this field, so
//   tenant = ["label:boatswain.tenant", "marathon"]
// asks the label first. Which of these sources a tenant can write himself is in docs/intake/tenancy.md; "mesos" is
// "marathon" from what the Mesos agent wrote and the tenant could not.
#pragma once

#include <span>
#include <string_view>

namespace boatswain::tenancy {

struct Preset {
    std::string_view name;
    std::span<const std::string_view> tenant, app, component, instance, labels;
};

std::span<const Preset> presets();

// The preset of that name, or nullptr.
const Preset* find_preset(std::string_view name);

}  // namespace boatswain::tenancy
