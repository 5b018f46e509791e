// Whatever lies in the place of a task's config.json: nothing, or a container of a pod and variables within their bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "intake/cri/task_config.h"

namespace {

using namespace boatswain;
using namespace boatswain::intake::cri;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    WordFilter filter{.environment = [](std::string_view key) { return key == "TEAM" || key == "T"; }};
    auto task = parse_task_config({reinterpret_cast<const char*>(data), size}, filter);
    if (!task) {
        require(task.error().remedy == Remedy::quarantine && !task.error().what.empty());
        return 0;
    }
    if (!*task) return 0;
    require(make_pod((*task)->pod.space, (*task)->pod.name, (*task)->pod.uid).has_value());
    require(is_container_name((*task)->container) && (*task)->environment.size() <= 2);
    for (const auto& [key, value] : (*task)->environment)
        require((key == "TEAM" || key == "T") && value.size() <= word_bytes_max);
    return 0;
}
