#include "intake/docker/stream_reader.h"

#include <algorithm>

#include "engine/logs_line.h"
#include "engine/multiplexed.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds pause_min{200};
constexpr std::chrono::milliseconds pause_max{10'000};
constexpr std::chrono::milliseconds room_pause{100};
// Lines of one stream may reach the engine's log a little later than later ones of the other (13 ms measured): asking
// again begins so much earlier, and what was taken is dropped by its own stream's time.
constexpr std::chrono::seconds since_slack{60};

std::size_t index(Stream stream) { return stream == Stream::out ? 0 : 1; }

}  // namespace

StreamCounters::StreamCounters(Metrics& metrics)
    : repeated(metrics.counter("boatswain_repeated_lines_total", "Lines that the engine served again, dropped")),
      engine_messages(
          metrics.counter("boatswain_engine_stream_errors_total", "Messages of the engine itself inside a log stream")),
      dropped_bytes(metrics.counter("boatswain_attach_dropped_bytes_total",
                                    "Bytes dropped for want of room, named by gap records")),
      errors(metrics.counter("boatswain_read_errors_total", "Times a container's log could not be read",
                             {{"reader", "engine"}})) {}

// ---- GET /logs ------------------------------------------------------------------------------------------------------

LogsReader::LogsReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
                       TimePosition start, Life& life, StreamCounters& counters, const Clock& clock, Log& log)
    : client_(client),
      facts_(std::move(facts)),
      feed_(std::move(feed)),
      taken_(start),
      life_(life),
      counters_(counters),
      clock_(clock),
      log_(log) {}

void LogsReader::change_feed(std::unique_ptr<batch::Feed> feed) {
    feed_->hand_over(*feed);
    feed_ = std::move(feed);
}

void LogsReader::close(const End& end) {
    if (complete_) feed_->close(end);
    feed_.reset();
}

asio::awaitable<void> LogsReader::run() {
    auto pause = pause_min;
    bool caught_up = false;
    for (;;) {
        if (caught_up && !life_.running) {
            finish_pending();
            if (life_.removed) co_return;
            co_await life_.changed.wait();
            caught_up = life_.removed && !life_.running;
            continue;
        }
        bool follow = life_.running;
        bool was_complete = std::exchange(complete_, false);
        auto end = co_await read_once(follow);
        refused_ = end == Ending::refused;
        if (refused_) {
            // All of it was read before the engine stopped serving it: looking once more is what was refused.
            complete_ = was_complete;
            // Gone, or its log cannot be read any more. What was not read by then is lost; whether that is anything,
            // nobody can say.
            if (life_.removed) co_return;
            caught_up = true;
            life_.running = false;
            continue;
        }
        if (end == Ending::clean) {
            pause = pause_min;
            // A follow stream ends when the container does, perhaps before its last lines: read once more without
            // following. Only a read that began after the container's end has surely seen all of its log.
            caught_up = complete_ = !follow;
            if (follow) {
                bool ended_before = !life_.running;
                auto last_read = co_await read_once(false);
                complete_ = last_read == Ending::clean;
                // A request for the log of one that removes itself can hold its removal up (measured): no more of them
                // than needed.
                bool all_seen = ended_before || (facts_.auto_remove && !joiner_.pending());
                caught_up = last_read != Ending::broken && all_seen;
                if (life_.running) co_await life_.changed.wait_for(pause_min);
            }
            continue;
        }
        co_await net::sleep_for(pause);
        pause = std::min(pause * 2, pause_max);
    }
}

asio::awaitable<void> LogsReader::wait_for_room() {
    while (!feed_->has_room()) co_await life_.changed.wait_for(room_pause);
}

asio::awaitable<LogsReader::Ending> LogsReader::read_once(bool follow) {
    engine::LogsQuery query{.follow = follow};
    auto earliest = taken_.out == Timestamp{}   ? taken_.err
                    : taken_.err == Timestamp{} ? taken_.out
                                                : std::min(taken_.out, taken_.err);
    if (earliest != Timestamp{}) query.since = earliest - since_slack;
    joiner_.forget();
    for (auto& time : pending_time_) time = {};

    auto stream = co_await client_.logs(facts_.id, query);
    if (!stream) {
        counters_.errors.add();
        trouble_ = {.when = clock_.now(), .what = stream.error().what};
        log_.warning("logs of a container not served", {{"container", facts_.id}, {"error", stream.error()}});
        bool gone = stream.error().remedy == Remedy::re_resolve || stream.error().remedy == Remedy::stop;
        co_return gone ? Ending::refused : Ending::broken;
    }
    using Splitter = engine::LogsLineSplitter;
    Splitter splitter{facts_.tty ? Splitter::Shape::terminal : Splitter::Shape::frames};
    bool engine_trouble = false;
    auto on_record = [&](const engine::LogsRecord& record) {
        take(record.stream, record.time, record.bytes, record.ended_by_newline);
    };
    auto on_message = [&](std::string_view message) {
        engine_trouble = true;
        counters_.engine_messages.add();
        trouble_ = {.when = clock_.now(), .what = "the engine reports trouble inside the log stream"};
        log_.warning("the engine reports trouble inside a log stream",
                     {{"container", facts_.id}, {"message", message}});
    };
    for (;;) {
        co_await wait_for_room();
        auto bytes = co_await (*stream)->next();
        if (!bytes) co_return Ending::broken;
        auto split =
            bytes->empty() ? splitter.end(on_record, on_message) : splitter.feed(*bytes, on_record, on_message);
        feed_->mark(taken_);
        if (!split) {
            counters_.errors.add();
            trouble_ = {.when = clock_.now(), .what = split.error().what};
            log_.warning("log stream not understood", {{"container", facts_.id}, {"error", split.error()}});
        }
        if (!split || engine_trouble) co_return Ending::broken;
        if (bytes->empty()) co_return Ending::clean;
    }
}

void LogsReader::take(Stream stream, Timestamp time, std::string_view bytes, bool newline) {
    // Pieces of one line share its time, so only a complete line moves the time on.
    if (time <= last(stream) && !joiner_.pending(stream)) {
        counters_.repeated.add();
        return;
    }
    auto& frame = feed_->text();
    // The engine's reader of `local` logs loses the newline behind the last piece of a long line (measured): a piece
    // that continues a full one, and is shorter, ends the line.
    bool ends_long_line =
        !newline && joiner_.pending(stream) && bytes.size() < engine_piece_bytes && facts_.log_driver != "json-file";
    auto pending_before = pending_time_[index(stream)];
    bool begins = joiner_.add(frame, stream, time, bytes, newline || ends_long_line);
    if (joiner_.pending(stream)) {
        if (begins && pending_before != Timestamp{} && pending_before != time) last(stream) = pending_before;
        pending_time_[index(stream)] = time;
        return;
    }
    pending_time_[index(stream)] = {};
    last(stream) = time;
}

void LogsReader::finish_pending() {
    if (!joiner_.pending()) return;
    for (auto stream : {Stream::out, Stream::err})
        if (joiner_.pending(stream)) last(stream) = std::exchange(pending_time_[index(stream)], Timestamp{});
    joiner_.end(feed_->text());
    feed_->mark(taken_);
}

// ---- Attach ---------------------------------------------------------------------------------------------------------

AttachReader::AttachReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
                           Life& life, StreamCounters& counters, const Clock& clock, Log& log)
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
    if (complete_) feed_->close(end);
    feed_.reset();
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
        auto facts = co_await client_.inspect(facts_.id, [](std::string_view) { return false; });
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
        trouble_ = {.when = clock_.now(), .what = stream.error().what};
        log_.warning("container not attached to", {{"container", facts_.id}, {"error", stream.error()}});
        co_return false;
    }
    log_.info("attached to container", {{"container", facts_.id}});
    if (unattached_since_) {
        feed_->append(Gap{.from = *unattached_since_, .to = clock_.now(), .reason = "not-attached"});
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
            trouble_ = {.when = clock_.now(), .what = parsed.error().what};
            log_.warning("attached stream not understood", {{"container", facts_.id}, {"error", parsed.error()}});
            co_return true;
        }
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
    while (pending.size() + bytes.size() > line_bytes_max) {
        auto part = line_bytes_max - pending.size();
        pending.append(bytes.substr(0, part));
        take_line(stream, pending, false);
        pending.clear();
        bytes.remove_prefix(part);
    }
    pending.append(bytes);
}

void AttachReader::take_line(Stream stream, std::string_view bytes, bool newline) {
    auto now = clock_.now();
    if (!feed_->has_room()) {
        if (!overflow_) overflow_ = Gap{.from = now, .reason = "attach-overflow"};
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
    feed_->mark(NoPosition{});
}

}  // namespace boatswain::intake::docker
