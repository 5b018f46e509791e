#include "intake/engine_logs/attach_reader.h"

#include <algorithm>

#include "engine/multiplexed.h"

namespace boatswain::intake {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds pause_min{200};
constexpr std::chrono::milliseconds pause_max{10'000};

// Of a line, gathered in memory where there is little of it.
constexpr std::size_t short_of_room_line_bytes_max = 16U << 10;

std::size_t index(Stream stream) { return stream == Stream::out ? 0 : 1; }

}  // namespace

AttachReader::AttachReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
                           ContainerState& life, StreamCounters& counters, const Clock& clock, Log& log)
    : client_(client),
      facts_(std::move(facts)),
      feed_(std::move(feed)),
      life_(life),
      counters_(counters),
      clock_(clock),
      log_(log) {
    // What it printed before now is in nobody's hands, or an agent before us had a part of it.
    if (facts_.running) unattached_since_ = facts_.started_at.value_or(clock_.now());
}

void AttachReader::change_feed(std::unique_ptr<batch::Feed> feed) {
    finish_pending();
    feed_->hand_over(*feed);
    feed_ = std::move(feed);
}

void AttachReader::close(const End& end) {
    if (overflow_) feed_->append(*std::exchange(overflow_, std::nullopt));
    if (unattached_since_)
        feed_->append(
            Gap{.from = *unattached_since_, .to = std::max(*unattached_since_, end.time), .reason = gap_not_attached});
    if (complete_) feed_->close(end);
    feed_.reset();
}

void AttachReader::end_reading() {
    finish_pending();
    if (overflow_) feed_->append(*std::exchange(overflow_, std::nullopt));
    feed_->mark(NoPosition{});
}

asio::awaitable<void> AttachReader::run() {
    auto pause = pause_min;
    while (!life_.removed) {
        bool attached = co_await read_once();
        complete_ = attached;
        finish_pending();
        if (life_.removed) co_return;
        // Attaching to a container that is being removed can wedge the removal (measured): one that removes itself is
        // attached to once. Another is attached to again before it starts again.
        if (attached && facts_.auto_remove) {
            co_await life_.changed.wait();
            continue;
        }
        pause = attached ? pause_min : std::min(pause * 2, pause_max);
        if (attached) co_await learn_whether_it_runs(clock_.now());
        co_await life_.changed.wait_for(pause);
    }
}

// The stream ended at `ended`: because the container did, as a rule, and the engine's event may be late. Only inspect
// tells whether it prints on while nobody is attached.
asio::awaitable<void> AttachReader::learn_whether_it_runs(Timestamp ended) {
    for (auto pause = pause_min; life_.running && !life_.removed; pause = std::min(pause * 2, pause_max)) {
        auto facts = co_await client_.inspect(facts_.id, {});
        if (facts) {
            if (facts->running) unattached_since_ = std::max(ended, facts->started_at.value_or(ended));
            co_return;
        }
        co_await life_.changed.wait_for(pause);
    }
}

asio::awaitable<bool> AttachReader::read_once() {
    auto stream = co_await client_.attach(facts_.id);
    if (!stream) {
        counters_.errors.add();
        last_error_ = {.when = clock_.now(), .what = stream.error().what};
        log_.warning("container not attached to", {{"container", facts_.id}, {"error", stream.error()}});
        co_return false;
    }
    log_.info("attached to container", {{"container", facts_.id}});
    if (unattached_since_) {
        feed_->append(Gap{.from = *unattached_since_, .to = clock_.now(), .reason = gap_not_attached});
        feed_->mark(NoPosition{});
        unattached_since_.reset();
    }
    engine::MultiplexedParser parser;
    for (;;) {
        auto bytes = co_await (*stream)->next();
        if (!bytes || bytes->empty()) co_return true;
        if (facts_.tty) {
            take(Stream::out, *bytes);
        } else if (auto parsed =
                       parser.feed(*bytes, [&](Stream from, std::string_view piece, bool) { take(from, piece); });
                   !parsed) {
            counters_.errors.add();
            last_error_ = {.when = clock_.now(), .what = parsed.error().what};
            log_.warning("attached stream not understood", {{"container", facts_.id}, {"error", parsed.error()}});
            co_return true;
        }
        feed_->note_pending(pending_[0].capacity() + pending_[1].capacity());
        feed_->mark(NoPosition{});
    }
}

void AttachReader::take(Stream stream, std::string_view bytes) {
    auto& pending = pending_[index(stream)];
    for (auto newline = bytes.find('\n'); newline != std::string_view::npos; newline = bytes.find('\n')) {
        if (pending.empty()) {
            take_line(stream, bytes.substr(0, newline), true);
        } else {
            pending.append(bytes.substr(0, newline));
            take_line(stream, pending, true);
            pending.clear();
        }
        bytes.remove_prefix(newline + 1);
    }
    // Where memory is short, a line is not gathered: its pieces are taken, or dropped, as they come.
    auto gathered_max = feed_->has_room() ? line_bytes_max : std::max(pending.size(), short_of_room_line_bytes_max);
    while (pending.size() + bytes.size() > gathered_max) {
        auto part = gathered_max - pending.size();
        pending.append(bytes.substr(0, part));
        take_line(stream, pending, false);
        pending = {};
        gathered_max = feed_->has_room() ? line_bytes_max : short_of_room_line_bytes_max;
        bytes.remove_prefix(part);
    }
    pending.append(bytes);
}

void AttachReader::take_line(Stream stream, std::string_view bytes, bool newline) {
    auto now = clock_.now();
    if (feed_->ask_room() == 0) {
        if (!overflow_) overflow_ = Gap{.from = now, .reason = gap_attach_overflow};
        overflow_->to = now;
        overflow_->lines_min += newline ? 1 : 0;
        overflow_->bytes_min += bytes.size() + (newline ? 1 : 0);
        counters_.dropped_bytes.add(bytes.size() + (newline ? 1 : 0));
        return;
    }
    auto& frame = feed_->text();
    if (overflow_) frame.append(*std::exchange(overflow_, std::nullopt));
    // The bytes were cut at newlines; a TTY's carriage return is part of the line, as json-file keeps it.
    while (bytes.size() > line_bytes_max) {
        frame.append(Line{.time = now, .stream = stream, .partial = true, .bytes = bytes.substr(0, line_bytes_max)});
        bytes.remove_prefix(line_bytes_max);
    }
    frame.append(Line{.time = now, .stream = stream, .partial = !newline, .bytes = bytes});
}

void AttachReader::finish_pending() {
    for (auto stream : {Stream::out, Stream::err}) {
        auto& pending = pending_[index(stream)];
        if (!pending.empty()) take_line(stream, pending, false);
        pending = {};
    }
    if (overflow_ && feed_->has_room()) feed_->text().append(*std::exchange(overflow_, std::nullopt));
    feed_->note_pending(0);
    feed_->mark(NoPosition{});
}

}  // namespace boatswain::intake
