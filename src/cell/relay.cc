#include "cell/relay.h"

#include <utility>

#include "base/bytes.h"

namespace boatswain::cell {
namespace {

constexpr int client_gone = 499, unavailable = 503;
// How often a question that stands still is looked at: has its client left, is its time over?
constexpr std::chrono::milliseconds look_every{100};

std::unexpected<Error> fault(std::string_view what) {
    return fail(Remedy::quarantine, "the cell sent " + std::string{what});
}

}  // namespace

// The cell has the same bounds and says how far a question went; these here hold when it does not.
Relay::Relay(Channel& channel, store::Store& store, Hands& hands, const Clock& clock, const api::Question& question,
             const std::atomic<bool>& given_up, http::PieceWriter& out)
    : channel_(channel),
      of_tenant_(store, question.who.tenant),
      store_(of_tenant_,
             {.until = clock.steady() + question.time_max() + last_words_max,
              .bytes_max = question.limits.bytes_max + calls_max * read_bytes_max},
             clock, given_up),
      hands_(hands),
      clock_(clock),
      question_(question),
      given_up_(given_up),
      out_(out),
      until_(clock.steady() + question.time_max() + last_words_max) {}

Relay::~Relay() {
    std::unique_lock lock{guard_};
    answered_.wait(lock, [this] { return calls_ == 0; });
}

Result<void> Relay::look_at_the_time() {
    auto now = clock_.steady();
    if (!last_words_until_ && (given_up_ || now >= until_)) {
        channel_.shut_down(false);
        last_words_until_ = now + last_words_max;
    }
    if (last_words_until_ && now >= *last_words_until_) return fault("no end of a question");
    return {};
}

Result<void> Relay::converse() {
    CHECK(channel_.send(pack(question_)));
    while (!end_) {
        CHECK(look_at_the_time());
        TRY(auto message, channel_.receive(look_every));
        if (message) CHECK(take(*message));
    }
    if (!head_ || (!head_->is_streamed && received_ != head_->body_bytes)) return fault("half an answer");
    return {};
}

Relayed Relay::run() {
    auto conversed = converse();
    Relayed relayed;
    auto& reply = relayed.reply;
    if (conversed) {
        if (!passes_on_) {
            reply.answer = head_as_answer();
            reply.answer.body = std::move(body_);
            http::name_coding(reply.answer, head_->coding);
        }
        reply.trouble = printable(end_->trouble, trouble_bytes_max);
        reply.is_whole = end_->is_whole;
    } else {
        // A client that left is no fault of the cell's, which may have closed the channel at once.
        bool was_told = last_words_until_ && conversed.error().remedy == Remedy::re_resolve;
        if (!was_told) relayed.fault = conversed.error().what;
        reply.answer = was_told ? api::error_answer(client_gone, "the client is gone")
                                : api::error_answer(unavailable, "what reads these logs ended: ask again");
        reply.trouble = relayed.fault;
        reply.is_whole = false;
    }
    // Nor does it take anything more: what it asked for and has not read is waited for by nobody.
    channel_.shut_down(true);
    if (auto failure = store_.failure(); !failure.empty()) reply.trouble = std::move(failure);
    reply.bytes_read = store_.bytes();
    return relayed;
}

Result<void> Relay::take(const ChannelMessage& message) {
    switch (message.kind) {
        case MessageKind::read: {
            TRY(auto asked, parse_read_call(message.bytes));
            return call([this, asked = std::move(asked)] {
                auto read = store_.read(asked.key, asked.range);
                return read ? pack(ReadReply{.id = asked.id, .range = std::move(*read)})
                            : pack(CallRefused{.id = asked.id, .remedy = read.error().remedy});
            });
        }
        case MessageKind::list: {
            TRY(auto asked, parse_list_call(message.bytes));
            return call([this, asked = std::move(asked)] {
                auto page = store_.list(asked.prefix, asked.delimited, asked.next);
                return page ? pack(ListReply{.id = asked.id, .page = std::move(*page)})
                            : pack(CallRefused{.id = asked.id, .remedy = page.error().remedy});
            });
        }
        case MessageKind::head: return take_head(message.bytes);
        case MessageKind::piece: return take_piece(message.bytes);
        case MessageKind::done: {
            TRY(end_, parse_answer_end(message.bytes));
            return {};
        }
        case MessageKind::question:
        case MessageKind::bytes:
        case MessageKind::listing:
        case MessageKind::refused: break;
    }
    return fault("what a cell does not say");
}

// Waits where as many calls as may be are under way, for as long as the question has time: of one that is over nobody
// waits for an answer.
Result<void> Relay::call(std::function<std::string()> answer) {
    {
        std::unique_lock lock{guard_};
        while (!answered_.wait_for(lock, look_every, [this] { return calls_ < calls_max; })) {
            CHECK(look_at_the_time());
            if (last_words_until_) return {};
        }
        ++calls_;
    }
    hands_.call([this, answer = std::move(answer)] {
        // Whether it goes is seen by whoever reads from the channel.
        (void)channel_.send(answer());
        std::scoped_lock lock{guard_};
        --calls_;
        answered_.notify_all();
    });
    return {};
}

http::Answer Relay::head_as_answer() const {
    http::Answer answer{.status = head_->status, .content_type = head_->content_type, .body = {}};
    if (!head_->disposition.empty()) answer.fields.emplace_back("Content-Disposition", head_->disposition);
    return answer;
}

Result<void> Relay::take_head(std::string_view bytes) {
    if (head_) return fault("two heads of an answer");
    TRY(head_, parse_answer_head(bytes));
    if (head_->is_streamed && (!question_.route.streams || head_->status != 200)) return fault("an endless answer");
    if (head_->coding != http::Coding::none && head_->coding != question_.coding)
        return fault("an answer in a coding that nobody wants");
    passes_on_ = head_->is_streamed || head_->body_bytes > whole_answer_bytes_max;
    if (!passes_on_) return {};
    auto answer = head_as_answer();
    if (head_->coding != http::Coding::none)
        answer.fields.emplace_back("Content-Encoding", head_->coding == http::Coding::gzip ? "gzip" : "zstd");
    out_.begin(std::move(answer));
    return {};
}

// A client that takes nothing more is gone: look_at_the_time() hears of it.
Result<void> Relay::take_piece(std::string_view bytes) {
    if (!head_) return fault("an answer without a head");
    TRY(auto piece, parse_piece(bytes));
    received_ += piece.size();
    if (!head_->is_streamed && received_ > head_->body_bytes) return fault("more than it said");
    if (passes_on_) {
        if (out_.put(piece)) (void)out_.flush();
    } else {
        body_ += piece;
    }
    return {};
}

}  // namespace boatswain::cell
