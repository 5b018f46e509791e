// An answer that is sent while it is made: PieceWriter for the one who makes it, and Pieces, which takes what it makes
// from a worker to the I/O thread, which sends it.
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

// Belongs to the thread that makes the answer.
class PieceWriter {
  public:
    static constexpr std::size_t piece_bytes = 64U << 10;

    explicit PieceWriter(Coding coding) : coding_(coding), encoder_(coding) {}
    virtual ~PieceWriter() = default;
    PieceWriter(const PieceWriter&) = delete;
    PieceWriter& operator=(const PieceWriter&) = delete;

    // `head` goes out before the first piece; put() collects, and sends when there is enough. False: nobody takes more.
    void begin(Answer head);
    bool put(std::string_view bytes);
    bool flush() { return hand_over(false); }
    // The same, and nothing follows.
    bool finish() { return hand_over(true); }
    // Whether a piece is on its way, or may be: an error cannot take the answer's place any more.
    virtual bool has_sent() const = 0;

  private:
    virtual void take(Answer head) = 0;
    virtual bool take(std::string piece) = 0;
    bool hand_over(bool is_last);

    const Coding coding_;
    Encoder encoder_;
    std::string collected_;
};

class Pieces final : public PieceWriter {
  public:
    static constexpr std::size_t waiting_bytes_max = 256U << 10;

    explicit Pieces(boost::asio::any_io_executor executor, Coding coding = Coding::none);
    ~Pieces() override;

    bool has_sent() const override;

    // On the I/O thread. send() ends after end(), or with an error when the client can be sent nothing more.
    net::Task<void> send(AnswerWriter& writer);
    void end();

  private:
    void take(Answer head) override;
    bool take(std::string piece) override;
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace boatswain::http
