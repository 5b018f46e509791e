#include "intake/docker/logs_place.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace boatswain::intake::docker {

std::uint64_t fingerprint_of(const engine::LogsRecord& record, bool sized) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a: the same in every build
    auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3ULL; };
    auto number = [&add](std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8) add(static_cast<unsigned char>(value >> shift));
    };
    number(static_cast<std::uint64_t>(record.time.time_since_epoch().count()));
    number(record.part);
    if (sized) number(record.bytes.size());
    add(record.stream == Stream::out ? 1 : 2);
    for (char byte : record.bytes.substr(0, fingerprint_message_max)) add(static_cast<unsigned char>(byte));
    return hash < 2 ? 2 : hash;
}

void LogsPlace::search(How how, std::optional<std::uint64_t> entries, bool followed) {
    if (!entries || !entries_ || *entries <= *entries_) beginning_.reset();
    how_ = how;
    entries_ = entries;
    followed_ = followed;
    seen_ = 0;
    same_beginning_ = passing_mark_ = false;
    replays_left_ = position_.after;
    for (auto& stream : streams_) stream.pending_time = {}, stream.new_seen = false;
    if (at_beginning())
        phase_ = Phase::taking;
    else if (needs_everything() && !entries)
        phase_ = Phase::starting;
    else
        phase_ = how == How::by_time ? Phase::by_time : Phase::seeking;
}

LogsPlace::Verdict LogsPlace::see(const engine::LogsRecord& record, bool continues) {
    auto fingerprint = seen_fingerprint_ = fingerprint_of(record, pieces_counted_);
    bool first = seen_ == 0;
    if (record.part == 0) ++seen_;
    if (first) {
        same_beginning_ = beginning_ == fingerprint;
        beginning_ = fingerprint;
    }
    if (passing_mark_) {
        if (fingerprint == position_.mark && record.time == position_.mark_time) {
            remember(record.stream, fingerprint);
            return Verdict::skip;
        }
        passing_mark_ = false;
    }
    switch (phase_) {
        case Phase::starting: return start(record, continues);
        case Phase::seeking: return seek(record, fingerprint);
        case Phase::replaying:
            remember(record.stream, fingerprint);
            if (--replays_left_ == 0) phase_ = Phase::taking;
            return Verdict::replay;
        case Phase::by_time:
            if (first && record.time > last(record.stream))
                gap_ =
                    Gap{.from = std::max(position_.out, position_.err), .to = record.time, .reason = gap_rotated_away};
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

LogsPlace::Verdict LogsPlace::start(const engine::LogsRecord& record, bool continues) {
    if (record.time == position_.mark_time) {
        phase_ = replays_left_ > 0 ? Phase::replaying : Phase::taking;
    } else {
        phase_ = Phase::by_time;  // the log begins elsewhere by now
    }
    if (record.part == 0) seen_ = 0;  // see() counts it once more
    return see(record, continues);
}

LogsPlace::Verdict LogsPlace::seek(const engine::LogsRecord& record, std::uint64_t fingerprint) {
    // Later than all that was taken of its stream: it lies behind the place, and so does all that follows.
    bool behind = record.time > last(record.stream);
    if (needs_everything()) return Verdict::search;
    if (position_.mark == 0) {
        if (behind) return Verdict::search;
        phase_ = Phase::by_time;
        remember(record.stream, fingerprint);
        return Verdict::skip;
    }
    if (fingerprint == position_.mark && record.time == position_.mark_time) {
        phase_ = replays_left_ > 0 ? Phase::replaying : Phase::taking;
        passing_mark_ = true;
        remember(record.stream, fingerprint);
        return Verdict::skip;
    }
    if ((behind && how_ == How::hasty) || (entries_ && seen_ >= *entries_)) return Verdict::search;
    remember(record.stream, fingerprint);
    return Verdict::skip;
}

LogsPlace::Verdict LogsPlace::judge_new(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues) {
    if (continues) return Verdict::take;
    // Only a followed stream holds what was served before.
    auto before = last(record.stream);
    if (followed_ && record.time <= std::max(position_.newest, before)) {
        if (is_recent(record.stream, fingerprint)) return Verdict::skip;
        bool of_one_entry = record.part > 0 && record.time == before;
        bool goes_on = record.time > before && record.time - before < step_seen_min;
        if (!of_one_entry && !goes_on) return Verdict::search;
    }
    if (record.time < last(record.stream)) ++clock_steps_;
    return Verdict::take;
}

void LogsPlace::took(const engine::LogsRecord& record, bool begins, bool pending, bool pending_any) {
    auto& stream = of(record.stream);
    remember(record.stream, seen_fingerprint_);
    latest_time_ = record.time;
    latest_ = seen_fingerprint_;
    if (at_beginning() && pending_any) {
        position_.mark = log_start;
        position_.mark_time = record.time;
    }
    position_.newest = std::max(position_.newest, record.time);
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
