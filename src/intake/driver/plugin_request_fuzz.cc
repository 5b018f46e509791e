// Any bytes as a request of the engine: no more than a refusal, and what is understood survives being written down.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "intake/driver/plugin_request.h"

using namespace boatswain::intake::driver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view json{reinterpret_cast<const char*>(data), size};
    (void)parse_stop(json);
    (void)parse_read(json);
    (void)parse_description(json);
    boatswain::WordFilter keep{.environment = [](std::string_view key) { return key.starts_with("BOATSWAIN_"); },
                               .label = [](std::string_view) { return true; },
                               .more_labels = {},
                               .mount = {}};
    auto request = parse_start(json, keep);
    if (!request) return 0;
    for (const auto& [key, value] : request->facts.environment)
        if (!key.starts_with("BOATSWAIN_")) std::abort();
    auto description = describe(*request);
    if (description.size() > description_bytes_max) std::abort();
    auto again = parse_description(description);
    if (!again || again->facts.id != request->facts.id || again->facts.name != request->facts.name ||
        again->facts.environment != request->facts.environment || again->facts.labels != request->facts.labels)
        std::abort();
    return 0;
}
