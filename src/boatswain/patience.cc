#include "boatswain/patience.h"

#include <fmt/format.h>

namespace boatswain::tool {

void Patience::waiting(const store::Waiting& waiting) {
    std::scoped_lock lock{mutex_};
    auto now = console_.clock.steady();
    if (waiting.so_far < first_after || (said_ && now - *said_ < again_after)) return;
    said_ = now;
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waiting.so_far).count();
    console_.err.write_line(
        fmt::format("boatswain: trying again, {} s so far: {}: {}", seconds, waiting.doing, waiting.why));
}

Result<std::unique_ptr<store::Store>> open_store(std::string_view url, const Console& console) {
    auto patience = std::make_shared<Patience>(console);  // the store's threads own it together
    return store::open_store_to_read(
        url, console.clock, {.on_wait = [patience](const store::Waiting& waiting) { patience->waiting(waiting); }});
}

}  // namespace boatswain::tool
