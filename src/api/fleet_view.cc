#include "api/fleet_view.h"

#include <filesystem>
#include <utility>

#include "api/bounded_store.h"
#include "base/json_writer.h"
#include "fleet/status_json.h"

namespace boatswain::api {
namespace {

std::size_t keys_in(const Path& directory) {
    std::size_t count = 0;
    std::error_code problem;
    for (std::filesystem::directory_iterator at{directory, problem}, end; !problem && at != end; at.increment(problem))
        if (at->path().extension() == ".key") ++count;
    return count;
}

}  // namespace

Reply FleetView::answer(const std::atomic<bool>& given_up) {
    constexpr int unavailable = 503;
    auto known = [&](bool of_any_age) -> std::optional<Reply> {
        std::lock_guard lock{mutex_};
        bool is_good = read_ && (of_any_age || sources_.clock.steady() - *read_ < fleet_view_kept);
        return is_good ? std::optional{Reply{.answer = json_answer(json_)}} : std::nullopt;
    };
    if (auto fresh = known(false)) return std::move(*fresh);
    if (is_reading_.exchange(true)) {
        if (auto older = known(true)) return std::move(*older);
        return {.answer = error_answer(unavailable, "the store is being read for another one; ask again")};
    }
    struct Done {
        std::atomic<bool>& is_reading;
        ~Done() { is_reading = false; }
    } done{is_reading_};
    return read(given_up);
}

Reply FleetView::read(const std::atomic<bool>& given_up) {
    constexpr int bad_gateway = 502;
    auto began = sources_.clock.steady();
    BoundedStore store{sources_.store,
                       {.until = began + fleet_view_time_max, .bytes_max = fleet_view_bytes_max},
                       sources_.clock,
                       given_up};
    auto fleet = heartbeat::read_fleet(store, key_);
    if (!fleet || store.is_over())
        return {.answer = error_answer(bad_gateway, "the store does not answer"),
                .bytes_read = store.bytes(),
                .trouble = fleet ? store.failure() : fleet.error().what};
    auto now = sources_.clock.now();
    auto standing = fleet::make_status({.heartbeats = &*fleet, .expected = {}}, now);
    auto json = json_object();
    fleet::write_status(json, standing, {}, now);
    json.member("tenants", keys_in(sources_.identities));
    std::lock_guard lock{mutex_};
    json_ = json.take_line();
    read_ = began;
    return {.answer = json_answer(json_), .bytes_read = store.bytes()};
}

}  // namespace boatswain::api
