// The pieces of an answer on their way from a worker, which makes them, to the I/O thread, which sends them.
//
// Invariant: about `waiting_bytes_max` wait at most. A worker with more to say waits for its client; it goes on when
// the client is gone, and is told so.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/coding.h"
#include "http/server.h"
#include "net/task.h"

namespace boatswain::http {

class Pieces {
  public:
    static constexpr std::size_t piece_bytes = 64U << 10;
    static constexpr std::size_t waiting_bytes_max = 256U << 10;

    explicit Pieces(boost::asio::any_io_executor executor, Coding coding = Coding::none);
    ~Pieces();
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;

    // By the worker. `head` goes out before the first piece; put() collects, and sends when there is enough. False:
    // nobody takes more.
    void begin(Answer head);
    bool put(std::string_view bytes);
    bool flush();
    // The same, and nothing follows.
    bool finish();
    // Whether a piece is on its way, or may be: an error cannot take the answer's place any more.
    bool has_sent() const;

    // On the I/O thread. send() ends after end(), or with an error when the client can be sent nothing more.
    net::Task<void> send(AnswerWriter& writer);
    void end();

  private:
    bool hand_over(bool is_last);
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace boatswain::http
