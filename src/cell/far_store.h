// A store as a cell has it: each call goes over the channel of a question to the server, which looks it up for the
// cell's tenant alone (relay.h). Why something failed the server keeps for its own log.
//
// Thread-safe: calls of several threads are under way at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <variant>

#include "cell/channel.h"
#include "store/store.h"

namespace boatswain::cell {

class FarStore final : public store::Store {
  public:
    // `channel` is borrowed; `read_ahead` is that of the store behind it.
    explicit FarStore(Channel& channel, std::uint64_t read_ahead = read_bytes_max)
        : channel_(channel), read_ahead_(read_ahead) {}

    // By the thread that reads from the channel: an answer has come; or none comes any more.
    Result<void> hear(const ChannelMessage& message);
    void end();

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    // Longer ones than read_bytes_max are asked for in parts; the end of an object at most so long.
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override;
    Result<std::string> read(std::string_view key) override;
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override;
    std::uint64_t read_ahead_bytes() const override { return read_ahead_; }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "the server's store"; }

  private:
    using Answered = std::variant<store::RangeBytes, store::ListPage, Remedy>;
    struct Waiting {
        std::optional<Answered> answered;
    };
    template <class Outcome, class Call>
    Result<Outcome> ask(Call call);
    Result<store::RangeBytes> read_part(std::string_view key, store::Range range);

    Channel& channel_;
    const std::uint64_t read_ahead_;
    std::mutex guard_;  // of what follows
    std::condition_variable came_;
    std::map<std::uint32_t, Waiting> waiting_;
    std::uint32_t last_id_ = 0;
    bool is_over_ = false;
};

}  // namespace boatswain::cell
