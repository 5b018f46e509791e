// One end of a stream socket over which messages go: 4 bytes of length (little-endian), one byte of kind, and so many
// bytes less one. The other end is not trusted: a length is checked before memory is taken for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "cell/messages.h"

namespace boatswain::cell {

struct ChannelMessage {
    MessageKind kind{};
    std::string bytes;
};

// send() from any thread, receive() from one.
class Channel {
  public:
    // `bytes_max`: of a message that is received. `stall_max`: how long the other end may take no byte, or leave a
    // message without its end; 0: for ever.
    Channel(Fd socket, std::size_t bytes_max, std::chrono::milliseconds stall_max = {});

    // `message` as pack() made it, whole. An error: nobody takes it.
    Result<void> send(std::string_view message);
    // Waits at most `wait` (negative: for ever) for a message to begin; nothing: none came. Remedy::re_resolve: the
    // other end is gone. Remedy::quarantine: it sends what is no message.
    Result<std::optional<ChannelMessage>> receive(std::chrono::milliseconds wait);

    // The other end reads the end, and so does ours where `both`.
    void shut_down(bool both);

  private:
    Result<void> fill(std::size_t size, std::chrono::steady_clock::time_point until);

    const Fd socket_;
    const std::size_t bytes_max_;
    const std::chrono::milliseconds stall_max_;
    std::mutex sending_;
    std::string read_;  // and not yet taken, from taken_ on
    std::size_t taken_ = 0;
};

}  // namespace boatswain::cell
