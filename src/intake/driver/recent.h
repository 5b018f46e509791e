// The last lines of each container, in memory, for `docker logs`: only where driver.ring_bytes says so.
//
// Frames as the engine wrote them, the oldest dropped first. Belongs to the thread of the holder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "intake/driver/plugin_request.h"

namespace boatswain::intake::driver {

class Recent {
  public:
    // Of one container. 0: nothing is kept.
    explicit Recent(std::size_t ring_bytes) : ring_bytes_(ring_bytes) {}

    void append(const std::string& container, std::string_view frames);
    void set_running(const std::string& container, bool running);
    bool running(const std::string& container) const;

    // Where the stretch begins that `request` asks for, and what of it there is from `place` on; `place` steps on.
    // As the engine wants lines back: with their newlines. About read_bytes at once: empty means that there is no more
    // now.
    std::uint64_t begin(const ReadRequest& request) const;
    std::string next(const ReadRequest& request, std::uint64_t& place) const;

    static constexpr std::size_t containers_max = 512;
    static constexpr std::size_t read_bytes = 256U << 10;

  private:
    struct Ring {
        std::string frames;
        std::uint64_t dropped = 0;  // bytes that were here before `frames`
        bool running = false;
        std::uint64_t touched = 0;
    };
    void make_room();

    std::size_t ring_bytes_;
    std::uint64_t touches_ = 0;
    std::map<std::string, Ring> rings_;
};

}  // namespace boatswain::intake::driver
