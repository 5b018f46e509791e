#include "http/pieces.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "net/error.h"
#include "net/event.h"

namespace boatswain::http {

struct Pieces::State {
    explicit State(boost::asio::any_io_executor on) : executor(std::move(on)), change(executor) {}

    boost::asio::any_io_executor executor;
    net::Event change;  // of the I/O thread
    std::mutex guard;   // of what follows
    std::condition_variable room;
    std::optional<Answer> head;
    std::deque<std::string> waiting;
    std::size_t waiting_bytes = 0;
    bool sent = false;
    bool ended = false;
    bool closed = false;  // nobody takes more
};

namespace {

// False: cancelled.
boost::asio::awaitable<bool> woken(net::Event& event) {
    try {
        co_await event.wait();
    } catch (const boost::system::system_error&) {
        co_return false;
    }
    co_return true;
}

}  // namespace

void PieceWriter::begin(Answer head) {
    name_coding(head, coding_);
    take(std::move(head));
}

bool PieceWriter::put(std::string_view bytes) {
    collected_ += bytes;
    return collected_.size() < piece_bytes || flush();
}

bool PieceWriter::hand_over(bool is_last) { return take(encoder_.encode(std::exchange(collected_, {}), is_last)); }

Pieces::Pieces(boost::asio::any_io_executor executor, Coding coding)
    : PieceWriter(coding), state_(std::make_shared<State>(std::move(executor))) {}
Pieces::~Pieces() = default;

void Pieces::take(Answer head) {
    std::lock_guard lock{state_->guard};
    state_->head = std::move(head);
}

bool Pieces::take(std::string piece) {
    std::unique_lock lock{state_->guard};
    state_->room.wait(lock, [this] { return state_->closed || state_->waiting_bytes < waiting_bytes_max; });
    if (state_->closed) return false;
    state_->sent = true;
    state_->waiting_bytes += piece.size();
    state_->waiting.push_back(std::move(piece));
    boost::asio::post(state_->executor, [state = state_] { state->change.notify(); });
    return true;
}

bool Pieces::has_sent() const {
    std::lock_guard lock{state_->guard};
    return state_->sent;
}

net::Task<void> Pieces::send(AnswerWriter& writer) {
    struct CloseAtEnd {
        State& state;
        ~CloseAtEnd() {
            std::lock_guard lock{state.guard};
            state.closed = true;
            state.room.notify_all();
        }
    } closes{*state_};
    for (;;) {
        std::optional<Answer> head;
        std::deque<std::string> pieces;
        bool ended = false;
        {
            std::lock_guard lock{state_->guard};
            // Without a piece an error may still take the answer's place.
            if (!state_->waiting.empty()) head = std::exchange(state_->head, std::nullopt);
            pieces.swap(state_->waiting);
            ended = state_->ended;
        }
        if (head) CO_CHECK(co_await writer.begin(std::move(*head)));
        for (const auto& piece : pieces) {
            CO_CHECK(co_await writer.write(piece));
            std::lock_guard lock{state_->guard};
            state_->waiting_bytes -= piece.size();
            state_->room.notify_one();
        }
        if (!pieces.empty()) continue;
        if (ended) co_return Result<void>{};
        if (!co_await woken(state_->change)) co_return net::fail_with(boost::asio::error::operation_aborted, "send");
    }
}

void Pieces::end() {
    {
        std::lock_guard lock{state_->guard};
        state_->ended = true;
    }
    state_->change.notify();
}

}  // namespace boatswain::http
