// The server's side of one question that a cell answers: what the cell asks of the store is looked up, for its tenant
// and within the question's bounds; what it answers goes on to the client.
//
// Everything that comes over the channel is hostile: a message out of its turn, or too much of anything, ends the
// question, and the cell with it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "api/bounded_store.h"
#include "api/questions.h"
#include "base/time.h"
#include "cell/channel.h"
#include "cell/hands.h"
#include "cell/tenant_store.h"
#include "http/pieces.h"

namespace boatswain::cell {

// Of one question, that wait for the store at a time. More are read from the cell when one of them is answered.
inline constexpr std::size_t calls_max = 8;
// A longer answer is sent while it comes.
inline constexpr std::uint64_t whole_answer_bytes_max = 1U << 20;
// A cell that was told that its question is over, or whose time is over, ends it within this time, or is ended.
inline constexpr std::chrono::milliseconds last_words_max{5'000};

struct Relayed {
    api::Reply reply;
    std::string fault;  // of the cell, which may answer nothing more; empty: none
};

class Relay {
  public:
    // All borrowed. `channel` begins with this question.
    Relay(Channel& channel, store::Store& store, Hands& hands, const Clock& clock, const api::Question& question,
          const std::atomic<bool>& given_up, http::PieceWriter& out);
    ~Relay();  // waits for what was asked of the store
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    // Blocks until the question is answered, or will not be.
    Relayed run();

  private:
    Result<void> converse();
    Result<void> take(const ChannelMessage& message);
    Result<void> take_head(std::string_view bytes);
    Result<void> take_piece(std::string_view bytes);
    Result<void> call(std::function<std::string()> answer);
    Result<void> look_at_the_time();
    http::Answer head_as_answer() const;

    Channel& channel_;
    TenantStore of_tenant_;
    api::BoundedStore store_;
    Hands& hands_;
    const Clock& clock_;
    const api::Question& question_;
    const std::atomic<bool>& given_up_;
    http::PieceWriter& out_;
    const std::chrono::steady_clock::time_point until_;
    std::optional<std::chrono::steady_clock::time_point> last_words_until_;  // it was told that all is over
    std::optional<AnswerHead> head_;
    bool passes_on_ = false;  // the answer goes out while it comes
    std::string body_;        // else
    std::uint64_t received_ = 0;
    std::optional<AnswerEnd> end_;
    std::mutex guard_;  // of what follows
    std::condition_variable answered_;
    std::size_t calls_ = 0;
};

}  // namespace boatswain::cell
