// Any text as a configuration file, any value as a flag and a variable: never a crash, and what is accepted prints as
// TOML that is accepted again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/settings.h"

using namespace boatswain::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text{reinterpret_cast<const char*>(data), size};
    auto config = load(text, "fuzz.toml", {}, {});
    if (!config && config.error().what.empty()) std::abort();
    if (config && !load(print_effective(*config), "again.toml", {}, {})) std::abort();
    if (size < 2) return 0;
    const auto& setting = settings()[data[0] % settings().size()];
    std::string value{text.substr(1)};
    auto by_flag = load("", "", {{std::string{setting.name}, value}}, {});
    auto by_environment = load("", "", {}, {{setting.environment(), value}, {"BOATSWAIN_" + value, value}});
    if (by_flag.has_value() != by_environment.has_value()) std::abort();
    if (by_flag && !load(print_effective(*by_flag), "again.toml", {}, {})) std::abort();
    return 0;
}
