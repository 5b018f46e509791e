#include "intake/docker/logs_place.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace boatswain::intake::docker {

std::uint64_t fingerprint_of(const engine::LogsRecord& record) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a: the same in every build
    auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3ULL; };
    auto number = [&add](std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8) add(static_cast<unsigned char>(value >> shift));
    };
    number(static_cast<std::uint64_t>(record.time.time_since_epoch().count()));
    number(record.part);
    add(record.stream == Stream::out ? 1 : 2);
    for (char byte : record.bytes.substr(0, fingerprint_message_max)) add(static_cast<unsigned char>(byte));
    return hash == 0 ? 1 : hash;
}

void LogsPlace::search(Window window, std::uint64_t entries, bool followed) {
    bool longer = window == Window::last_entries && window_ == window && entries > entries_;
    if (!longer) beginning_.reset();
    window_ = window;
    entries_ = entries;
    followed_ = followed;
    seen_ = 0;
    same_beginning_ = false;
    replays_left_ = position_.after;
    for (auto& stream : streams_) stream.pending_time = {}, stream.new_seen = false;
    bool begins = at_beginning();
    bool by_time = position_.mark == 0 || window == Window::everything;
    phase_ = begins ? Phase::taking : by_time && window == Window::everything ? Phase::by_time : Phase::seeking;
}

LogsPlace::Verdict LogsPlace::see(const engine::LogsRecord& record, bool continues) {
    auto fingerprint = seen_fingerprint_ = fingerprint_of(record);
    bool first = seen_ == 0;
    if (record.part == 0) ++seen_;
    if (first) {
        same_beginning_ = beginning_ == fingerprint;
        beginning_ = fingerprint;
    }
    switch (phase_) {
        case Phase::seeking: return seek(record, fingerprint);
        case Phase::replaying:
            remember(record.stream, fingerprint);
            if (--replays_left_ == 0) phase_ = Phase::taking;
            return Verdict::replay;
        case Phase::by_time:
            if (first && record.time > last(record.stream))
                gap_ = Gap{.from = std::max(position_.out, position_.err), .to = record.time, .reason = "rotated-away"};
            if (!of(record.stream).new_seen && record.time <= last(record.stream)) {
                remember(record.stream, fingerprint);
                return Verdict::skip;
            }
            of(record.stream).new_seen = true;
            return judge_new(record, fingerprint, continues);
        case Phase::taking: return judge_new(record, fingerprint, continues);
    }
    return Verdict::take;
}

LogsPlace::Verdict LogsPlace::seek(const engine::LogsRecord& record, std::uint64_t fingerprint) {
    // Later than all that was taken of its stream: it lies behind the place, and so does all that follows.
    bool behind = record.time > last(record.stream);
    if (position_.mark == 0) {
        if (behind) return Verdict::search;
        phase_ = Phase::by_time;
        remember(record.stream, fingerprint);
        return Verdict::skip;
    }
    if (fingerprint == position_.mark && record.time == position_.mark_time) {
        phase_ = replays_left_ > 0 ? Phase::replaying : Phase::taking;
        remember(record.stream, fingerprint);
        return Verdict::skip;
    }
    if (behind || seen_ >= entries_) return Verdict::search;
    remember(record.stream, fingerprint);
    return Verdict::skip;
}

LogsPlace::Verdict LogsPlace::judge_new(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues) {
    if (continues) return Verdict::take;
    auto& stream = of(record.stream);
    // Only a followed stream holds what was served before.
    if (followed_ && record.time <= std::max(stream.newest, last(record.stream))) {
        if (is_recent(record.stream, fingerprint)) return Verdict::skip;
        bool of_one_entry = record.part > 0 && record.time == last(record.stream);
        if (record.time <= last(record.stream) && !of_one_entry) return Verdict::search;
    }
    if (record.time < last(record.stream)) ++clock_steps_;
    return Verdict::take;
}

void LogsPlace::took(const engine::LogsRecord& record, bool begins, bool pending, bool pending_any) {
    auto& stream = of(record.stream);
    remember(record.stream, seen_fingerprint_);
    stream.newest = std::max(stream.newest, record.time);
    latest_time_ = record.time;
    latest_ = seen_fingerprint_;
    if (pending) {
        // Pieces of one line share its time, so only a complete line moves the time on.
        if (begins && stream.pending_time != Timestamp{} && stream.pending_time != record.time)
            last(record.stream) = stream.pending_time;
        stream.pending_time = record.time;
    } else {
        stream.pending_time = {};
        last(record.stream) = record.time;
    }
    if (!pending_any) return set_mark();
    if (pieces_counted_) ++position_.after;
}

void LogsPlace::replayed(const engine::LogsRecord& record, bool pending) {
    of(record.stream).pending_time = pending ? record.time : Timestamp{};
    latest_time_ = record.time;
    latest_ = seen_fingerprint_;
}

void LogsPlace::settled() {
    for (auto stream : {Stream::out, Stream::err})
        if (auto time = std::exchange(of(stream).pending_time, Timestamp{}); time != Timestamp{}) last(stream) = time;
    if (latest_ != 0) set_mark();
}

void LogsPlace::set_mark() {
    position_.mark_time = latest_time_;
    position_.mark = latest_;
    position_.after = 0;
}

void LogsPlace::remember(Stream stream, std::uint64_t fingerprint) {
    auto& ring = of(stream);
    if (ring.recent.size() < recent_max) {
        ring.recent.push_back(fingerprint);
        return;
    }
    ring.recent[ring.next] = fingerprint;
    ring.next = (ring.next + 1) % recent_max;
}

bool LogsPlace::is_recent(Stream stream, std::uint64_t fingerprint) {
    return std::ranges::find(of(stream).recent, fingerprint) != of(stream).recent.end();
}

}  // namespace boatswain::intake::docker
