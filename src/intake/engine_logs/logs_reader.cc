#include "intake/engine_logs/logs_reader.h"

#include <algorithm>

#include "engine/logs_line.h"

namespace boatswain::intake {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds orderly_end_pause{50};
constexpr std::chrono::milliseconds pause_min{200};
constexpr std::chrono::milliseconds pause_max{10'000};
constexpr std::chrono::milliseconds room_pause{100};
// A place is looked for among so many entries from the end first, then among twice as many, and so on.
constexpr std::uint64_t tail_min = 64;
constexpr std::uint64_t tail_max = 1ULL << 26;
// A followed stream begins so far back at first: more than is printed while one request follows the other.
constexpr std::uint64_t follow_tail_min = 1024;
// A log in which entries share times is asked for its end in this rhythm.
constexpr std::chrono::milliseconds coarse_pause{1000};

constexpr const char* ended_early =
    "the engine ends the answer though the container runs: perhaps a part of its log is damaged";
constexpr const char* not_whole = "the end of this log is not where the engine's answer ends";
constexpr const char* trouble_within =
    "the engine reports trouble inside the log stream: perhaps a part of it is damaged";

// Podman's log drivers: it follows a file, and serves nothing twice.
bool may_repeat(std::string_view driver) { return driver != "k8s-file" && driver != "journald"; }

}  // namespace

LogsReader::LogsReader(engine::Client& client, engine::ContainerFacts facts, std::unique_ptr<batch::Feed> feed,
                       TimePosition start, ContainerState& life, StreamCounters& counters, Suspects& suspects,
                       const Clock& clock, Log& log)
    : client_(client),
      facts_(std::move(facts)),
      feed_(std::move(feed)),
      place_(start, !facts_.tty, may_repeat(facts_.log_driver)),
      replayed_(feed_->source()),
      follow_tail_(follow_tail_min),
      life_(life),
      counters_(counters),
      suspects_(suspects),
      clock_(clock),
      log_(log),
      repeats_(may_repeat(facts_.log_driver)) {}

void LogsReader::change_feed(std::unique_ptr<batch::Feed> feed) {
    feed_->hand_over(*feed);
    feed_ = std::move(feed);
}

void LogsReader::close(const End& end) {
    auto last = last_time();
    if (complete_)
        feed_->close(end);
    else if (!place_.is_gap_told())
        feed_->append(Gap{.from = last, .to = std::max(last, end.time), .reason = gap_removed_unread});
    feed_.reset();
}

std::unique_ptr<batch::Feed> LogsReader::take_feed() {
    feed_->note_pending(0);
    return std::move(feed_);
}

asio::awaitable<void> LogsReader::run() {
    auto pause = pause_min;
    bool caught_up = false;
    auto starts = life_.starts;  // before the last read began
    for (;;) {
        if (caught_up && !life_.running) {
            finish_pending();
            if (life_.removed) co_return;
            if (complete_) life_.read_whole();
            // Notified of room, too, which is no reason to ask the engine for a log that was read to its end, or
            // refused.
            while (!life_.removed && life_.starts == starts) co_await life_.changed.wait();
            caught_up = life_.removed && !life_.running;
            continue;
        }
        starts = life_.starts;
        bool follow = life_.running;
        bool was_complete = std::exchange(complete_, false);
        auto taken_before = taken_entries_;
        auto end = co_await read_once(follow);
        if (taken_entries_ > taken_before || life_.starts != starts) unserved_pause_ = unserved_pause_min;
        refused_ = end == Ending::refused;
        if (refused_) {
            bool left = suspects_.left(facts_.id);
            if (left) leave_alone();
            // All of it was read before the engine stopped serving it: looking once more is what was refused.
            complete_ = was_complete;
            // Gone, or its log cannot be read any more. What was not read by then is lost; whether that is anything,
            // nobody can say.
            if (life_.removed) co_return;
            // What does not run prints nothing: it is asked for again when it starts.
            caught_up = !follow;
            if (follow && left) co_await wait_for_start(starts);
            if (follow && !left) co_await wait_to_ask_again(starts, refused_pause_max, unserved_);
            continue;
        }
        if (end == Ending::clean) {
            suspects_.absolve(facts_.id);
            pause = pause_min;
            // A follow stream ends when the container does, perhaps before its last lines: read once more without
            // following. Only a read that began after the container's end has surely seen all of its log.
            caught_up = complete_ = !follow;
            if (follow) {
                bool ended_before = !life_.running;
                // An engine that is stopped ends streams in an orderly way, and its events a moment later: asked in
                // between, it would seem to have died of the question.
                if (life_.running) co_await life_.changed.wait_for(orderly_end_pause);
                auto last_read = co_await read_once(false);
                complete_ = last_read == Ending::clean;
                // A request for the log of one that removes itself can hold its removal up (measured): no more of them
                // than needed.
                bool all_seen = ended_before || (facts_.auto_remove && !joiner_.pending());
                caught_up = last_read != Ending::broken && last_read != Ending::troubled && all_seen;
                if (life_.running) co_await wait_to_ask_again(starts, damaged_pause_max, ended_early);
            }
            if (complete_ && !life_.running && !co_await look_behind()) {
                caught_up = complete_ = false;
                co_await wait_to_ask_again(life_.starts, damaged_pause_max, not_whole);
            }
            continue;
        }
        if (end == Ending::troubled) {
            co_await wait_to_ask_again(starts, damaged_pause_max, trouble_within);
            continue;
        }
        co_await net::sleep_for(pause);
        pause = std::min(pause * 2, pause_max);
    }
}

// Until it is time; sooner when the container starts, stops or is removed.
asio::awaitable<void> LogsReader::wait_to_ask_again(unsigned starts, std::chrono::milliseconds longest,
                                                    std::string why) {
    auto pause = refused_ ? std::max(unserved_pause_, named_pause_min) : unserved_pause_;
    bool was_news = is_news();
    unserved_pause_ = std::min(pause * 2, longest);
    if (was_news && !is_news())
        log_.warning("a log is not served; it is asked for again after pauses that grow",
                     {{"container", facts_.id}, {"error", why}, {"pause_ms_max", longest.count()}});
    if (!is_news()) {
        auto seconds = std::chrono::ceil<std::chrono::seconds>(pause).count();
        last_error_ = {.when = clock_.now(), .what = why + "; asked again after " + std::to_string(seconds) + " s"};
    }
    if (pause < named_pause_min) co_return co_await life_.changed.wait_for(pause);
    auto until = clock_.steady() + pause;
    bool running = life_.running;
    while (!life_.removed && life_.starts == starts && life_.running == running) {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady());
        if (left.count() <= 0) co_return;
        co_await life_.changed.wait_for(left);  // notified of room, too
    }
}

asio::awaitable<void> LogsReader::wait_for_start(unsigned starts) {
    while (!life_.removed && life_.starts == starts) co_await life_.changed.wait();
}

// The engine died of it. Its tenant is told once.
void LogsReader::leave_alone() {
    last_error_ = {.when = clock_.now(),
                   .what = "the engine died " + std::to_string(Suspects::leave_after) +
                           " times when it was asked for this log: it is left alone until its container starts again"};
    if (place_.is_gap_told()) return;
    finish_pending();
    auto last = last_time();
    feed_->append(Gap{.from = last, .to = std::max(last, clock_.now()), .reason = gap_unreadable});
    place_.gap_told();
    feed_->mark(place_.position());
}

asio::awaitable<void> LogsReader::wait_for_room() {
    while (feed_->ask_room() == 0) {
        put_down();  // what cannot be sealed yet may be what takes the room
        co_await life_.changed.wait_for(room_pause);
    }
}

asio::awaitable<LogsReader::Ending> LogsReader::read_once(bool follow) {
    using How = LogsPlace::How;
    for (auto how = How::hasty;;) {
        if (!place_.at_beginning()) {
            auto ending = co_await catch_up();
            if (ending != Ending::clean || !follow) co_return ending;
        }
        bool from_the_start = place_.at_beginning() || place_.needs_everything();
        auto tail = from_the_start ? std::nullopt : std::optional{follow_tail_};
        auto ending = co_await read_window(how, tail, follow);
        if (ending != Ending::lost) co_return ending;
        if (place_.found()) {
            // Equal entries of one time have to be counted, which a followed stream does not allow.
            if (place_.is_coarse()) co_await net::sleep_for(coarse_pause);
            continue;
        }
        // More was printed between the two requests than the answer holds; or the clock stepped back within it.
        if (how == How::thorough) follow_tail_ = std::min(follow_tail_ * 2, tail_max);
        how = How::thorough;
    }
}

// Takes all that the log holds by now behind the place. Clean: that was done.
asio::awaitable<LogsReader::Ending> LogsReader::catch_up() {
    using How = LogsPlace::How;
    auto leads_nowhere = [this](Ending ending) {
        return ending == Ending::lost || (ending == Ending::clean && !place_.found());
    };
    bool read_all = false;
    for (auto tail = tail_min; tail <= tail_max && !place_.needs_everything() && !read_all; tail *= 2) {
        auto ending = co_await read_window(How::hasty, tail, false);
        if (!leads_nowhere(ending)) co_return ending;
        read_all = ending == Ending::clean;  // fewer entries than asked for, and all were looked at
        if (place_.saw_everything()) break;
    }
    if (!read_all) {
        // Every answer began behind the place, as it seemed: where the clock stepped back, that can be wrong.
        auto ending = co_await read_window(How::thorough, std::nullopt, false);
        if (!leads_nowhere(ending)) co_return ending;
    }
    // The mark is not in the log any more, or there never was one.
    co_return co_await read_window(How::by_time, std::nullopt, false);
}

bool LogsReader::is_refusal(const Error& error, Suspects::Question& question) {
    const auto& cause = error.cause;
    if (!cause || cause == std::errc::connection_refused || cause == std::errc::no_such_file_or_directory ||
        cause == engine::stale_socket)
        question.harmless();
    return error.remedy == Remedy::re_resolve || error.remedy == Remedy::stop;
}

asio::awaitable<LogsReader::Ending> LogsReader::read_window(LogsPlace::How how, std::optional<std::uint64_t> tail,
                                                            bool follow) {
    auto question = co_await suspects_.ask(facts_.id, follow);
    if (!question) co_return Ending::refused;
    auto asked = clock_.now();
    place_.search(how, tail, follow);
    joiner_.forget();
    counted_ = 0;
    auto stream = co_await client_.logs(facts_.id, {.follow = follow, .since = std::nullopt, .tail = tail});
    if (!stream) {
        counters_.errors.add();
        unserved_ = stream.error().what;
        last_error_ = {.when = clock_.now(), .what = unserved_};
        if (is_news())
            log_.warning("logs of a container not served", {{"container", facts_.id}, {"error", stream.error()}});
        bool gone = is_refusal(stream.error(), *question);
        co_return gone ? Ending::refused : Ending::broken;
    }
    refused_ = false;
    using Splitter = engine::LogsLineSplitter;
    Splitter splitter{facts_.tty ? Splitter::Shape::terminal : Splitter::Shape::frames};
    bool engine_trouble = false, lost = false;
    auto on_record = [&](const engine::LogsRecord& record) {
        // Printed since it was asked: the engine has all that was there behind it, whatever it dies of later.
        if (record.time > asked) question->harmless();
        if (!lost) lost = take(record) == LogsPlace::Verdict::search;
    };
    auto on_message = [&](std::string_view message) {
        if (lost) return;
        engine_trouble = true;
        counters_.engine_messages.add();
        last_error_ = {.when = clock_.now(), .what = trouble_within};
        if (is_news())
            log_.warning("the engine reports trouble inside a log stream",
                         {{"container", facts_.id}, {"message", message}});
    };
    for (;;) {
        auto bytes = co_await (*stream)->next();
        if (!bytes) co_return Ending::broken;
        // Only now: thousands that waited for their engine with a yes from long ago would all take it at once.
        if (!bytes->empty()) co_await wait_for_room();
        auto split =
            bytes->empty() ? splitter.end(on_record, on_message) : splitter.feed(*bytes, on_record, on_message);
        feed_->note_pending(joiner_.pending_bytes());
        feed_->mark(place_.position());
        tell_clock_steps();
        if (lost) {
            question->harmless();  // we end it, and the engine was alive so far
            co_return Ending::lost;
        }
        if (!split) {
            counters_.errors.add();
            last_error_ = {.when = clock_.now(), .what = split.error().what};
            if (is_news())
                log_.warning("log stream not understood", {{"container", facts_.id}, {"error", split.error()}});
        }
        if (!split || engine_trouble) co_return Ending::troubled;
        if (bytes->empty()) {
            question->harmless();
            co_return Ending::clean;
        }
    }
}

LogsPlace::Verdict LogsReader::take(const engine::LogsRecord& record) {
    auto stream = record.stream;
    bool continues = joiner_.pending(stream) && joiner_.pending_time(stream) == record.time;
    auto verdict = place_.see(record, continues);
    if (verdict == LogsPlace::Verdict::skip || verdict == LogsPlace::Verdict::search) {
        counters_.repeated.add(verdict == LogsPlace::Verdict::skip ? 1 : 0);
        return verdict;
    }
    // The engine's reader of `local` logs loses the newline behind the last piece of a long line (measured): a piece
    // that continues another one, and is shorter, ends the line. That one may have been put down for want of memory.
    bool is_last_piece = !record.ended_by_newline && record.bytes.size() < engine_piece_bytes;
    bool ends_long_line =
        is_last_piece && (continues || place_.continues_the_last(record)) && facts_.log_driver != "json-file";
    bool newline = record.ended_by_newline || ends_long_line;
    if (verdict == LogsPlace::Verdict::replay) {
        counters_.repeated.add();
        joiner_.add(replayed_, stream, record.time, record.bytes, newline);
        replayed_ = segment::FrameText{feed_->source(), replayed_.take_memory()};
        place_.replayed(record, joiner_.pending(stream));
        return verdict;
    }
    ++taken_entries_;
    if (record.part == 0 && ++counted_ == 1) counted_from_ = place_.seen(record);
    auto& frame = feed_->text();
    if (auto gap = place_.take_gap()) {
        gap->from = std::max(gap->from, std::min(facts_.created, gap->to));
        frame.append(*gap);
    }
    bool begins = joiner_.add(frame, stream, record.time, record.bytes, newline);
    place_.took(record, begins, joiner_.pending(stream), joiner_.pending());
    return verdict;
}

void LogsReader::tell_clock_steps() {
    auto steps = place_.clock_steps();
    if (steps == clock_steps_told_) return;
    counters_.clock_steps.add(steps - std::exchange(clock_steps_told_, steps));
    log_.warning("the times of a container's lines stepped back; all of them are kept", {{"container", facts_.id}});
}

void LogsReader::put_down() {
    if (feed_ && feed_->should_put_down() && place_.is_taking()) finish_pending();
}

void LogsReader::finish_pending() {
    if (!joiner_.pending()) return;
    joiner_.end(feed_->text());
    feed_->note_pending(0);
    place_.settled();
    feed_->mark(place_.position());
}

}  // namespace boatswain::intake
