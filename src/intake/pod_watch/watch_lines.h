// The lines of a stream that comes in pieces: each is an event of a watch. Bounded, pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace boatswain::intake::cri {

// An object of the API server is at most 1.5 MiB in its store, and its JSON hardly longer than twice that. Of pods we
// ask for the metadata alone: 256 KiB of annotations at most, by the server's own bound.
inline constexpr std::size_t watch_line_bytes_max = 4U << 20;

class WatchLines {
  public:
    // Calls `each` for every line that is whole by now, without its newline; empty ones are none.
    void take(std::string_view bytes, const std::function<void(std::string line)>& each);
    void begin_again();                                   // another stream
    std::uint64_t too_long() const { return too_long_; }  // lines that were left out

  private:
    std::string begun_;
    bool leaving_out_ = false;  // the rest of a line that is too long
    std::uint64_t too_long_ = 0;
};

}  // namespace boatswain::intake::cri
