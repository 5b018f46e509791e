#include "intake/engine_logs/logs_place.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace boatswain::intake {

std::uint64_t fingerprint_of(const engine::LogsRecord& record, bool sized) {
    auto hash = fnv1a_of_nothing;
    auto number = [&hash](std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8) {
            auto byte = static_cast<char>(value >> shift);
            hash = fnv1a({&byte, 1}, hash);
        }
    };
    number(static_cast<std::uint64_t>(record.time.time_since_epoch().count()));
    number(record.part);
    if (sized) number(record.bytes.size());
    hash = fnv1a(record.stream == Stream::out ? "\1" : "\2", hash);
    hash = fnv1a(record.bytes.substr(0, fingerprint_message_max), hash);
    return hash < 2 ? 2 : hash;
}

std::uint64_t LogsPlace::fingerprint_of(const engine::LogsRecord& record) const {
    return intake::fingerprint_of(record, pieces_counted_);
}

void LogsPlace::search(How how, std::optional<std::uint64_t> entries, bool followed) {
    if (!entries || !entries_ || *entries <= *entries_) beginning_.reset();
    how_ = how;
    entries_ = entries;
    followed_ = followed;
    seen_entries_ = 0;
    same_beginning_ = passing_mark_ = false;
    seen_ = {};
    skips_left_ = position_.past;
    replays_left_ = position_.after;
    for (auto& stream : streams_) stream.pending_time = {}, stream.new_seen = stream.repeating = false;
    if (how == How::behind)
        phase_ = Phase::by_time;
    else if (at_beginning())
        phase_ = Phase::taking;
    else if (needs_everything() && !entries)
        phase_ = Phase::starting;
    else
        phase_ = how == How::by_time ? Phase::by_time : Phase::seeking;
}

LogsPlace::Verdict LogsPlace::see(const engine::LogsRecord& record, bool continues) {
    auto before = std::exchange(seen_, seen(record));
    seen_continues_ = continues;
    bool first = seen_entries_ == 0;
    if (record.part == 0) ++seen_entries_;
    if (first) {
        same_beginning_ = beginning_ == seen_.fingerprint;
        beginning_ = seen_.fingerprint;
    }
    return judge(record, continues, first, before);
}

LogsPlace::Verdict LogsPlace::judge(const engine::LogsRecord& record, bool continues, bool first, const Seen& before) {
    auto fingerprint = seen_.fingerprint;
    if (passing_mark_) {
        if (fingerprint == position_.mark && record.time == position_.mark_time) {
            remember(record.stream, fingerprint);
            return Verdict::skip;
        }
        passing_mark_ = false;
    }
    switch (phase_) {
        case Phase::starting: return start(record, continues);
        case Phase::seeking: return seek(record, fingerprint, before);
        case Phase::skipping:
            if (is_beyond(record)) return miscounted(record, fingerprint, continues);
            remember(record.stream, fingerprint);
            before_latest_ = std::exchange(latest_, seen_);
            if (is_one_entry(record) && --skips_left_ == 0)
                phase_ = replays_left_ > 0 ? Phase::replaying : Phase::taking;
            return Verdict::skip;
        case Phase::replaying:
            if (is_beyond(record)) return miscounted(record, fingerprint, continues);
            remember(record.stream, fingerprint);
            if (--replays_left_ == 0) phase_ = Phase::taking;
            return Verdict::replay;
        case Phase::by_time: {
            auto last_time = last(record.stream);
            if (first) latest_ = before_latest_ = {};
            // Entries of the last one's time may have gone with the mark, too.
            if (first && (record.time > last_time || (record.time == last_time && position_.mark != 0)))
                gap_ = Gap{.from = std::max(position_.out, position_.err),
                           .to = std::max({record.time, position_.out, position_.err}),
                           .reason = how_ == How::behind ? gap_unreadable : gap_rotated_away};
            if (!of(record.stream).new_seen && record.time <= last_time) {
                remember(record.stream, fingerprint);
                before_latest_ = std::exchange(latest_, seen_);
                return Verdict::skip;
            }
            of(record.stream).new_seen = true;
            return judge_new(record, fingerprint, continues);
        }
        case Phase::taking: return judge_new(record, fingerprint, continues);
    }
    return Verdict::take;
}

// A terminal's line of over 1 MiB comes in several records, the first of which ends nothing.
bool LogsPlace::is_one_entry(const engine::LogsRecord& record) const {
    return pieces_counted_ || record.ended_by_newline || record.bytes.size() < engine::logs_piece_bytes;
}

void LogsPlace::pass_mark() {
    phase_ = skips_left_ > 0 ? Phase::skipping : replays_left_ > 0 ? Phase::replaying : Phase::taking;
}

// Fewer entries lead to the place than were taken: the log lost its beginning, and what it begins with now looks the
// same, as equal lines of one second do.
LogsPlace::Verdict LogsPlace::miscounted(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues) {
    if (followed_ || !needs_everything()) return Verdict::search;
    phase_ = Phase::by_time;
    gap_ = Gap{.from = std::max(position_.out, position_.err), .to = record.time, .reason = gap_rotated_away};
    for (auto& stream : streams_) stream.new_seen = true;
    return judge_new(record, fingerprint, continues);
}

LogsPlace::Verdict LogsPlace::start(const engine::LogsRecord& record, bool continues) {
    bool same = record.time == position_.mark_time && (position_.before == 0 || position_.before == seen_.fingerprint);
    if (same)
        pass_mark();
    else
        phase_ = Phase::by_time;  // the log begins elsewhere by now
    return judge(record, continues, true, {});
}

bool LogsPlace::is_mark(const engine::LogsRecord& record, std::uint64_t fingerprint, const Seen& before) const {
    if (fingerprint != position_.mark || record.time != position_.mark_time) return false;
    if (position_.before == 0 || position_.before == before.fingerprint) return true;
    // What was before it may be gone. That it is another one of the same time, a fine clock rules out.
    bool first_of_all = !entries_ && seen_entries_ == 1 && before.fingerprint == 0;
    return first_of_all && position_.past == 0 && is_fine(record.time);
}

LogsPlace::Verdict LogsPlace::seek(const engine::LogsRecord& record, std::uint64_t fingerprint, const Seen& before) {
    // Later than all that was taken of its stream: it lies behind the place, and so does all that follows.
    bool behind = record.time > last(record.stream);
    if (needs_everything()) return Verdict::search;
    if (position_.mark == 0) {
        if (behind) return Verdict::search;
        phase_ = Phase::by_time;
        remember(record.stream, fingerprint);
        before_latest_ = std::exchange(latest_, seen_);
        return Verdict::skip;
    }
    if (is_mark(record, fingerprint, before)) {
        pass_mark();
        passing_mark_ = position_.before == 0;
        before_latest_ = before;
        latest_ = seen_;
        remember(record.stream, fingerprint);
        return Verdict::skip;
    }
    if ((behind && how_ == How::hasty) || (entries_ && seen_entries_ >= *entries_)) return Verdict::search;
    remember(record.stream, fingerprint);
    return Verdict::skip;
}

LogsPlace::Verdict LogsPlace::judge_new(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues) {
    if (continues) return Verdict::take;
    // Only a followed stream holds what was served before.
    auto before = last(record.stream);
    auto& repeating = of(record.stream).repeating;
    bool repeated = std::exchange(repeating, false);
    if (followed_ && repeats_ && record.time <= std::max(position_.newest, before)) {
        if (is_recent(record.stream, fingerprint)) {
            // Known, or a new one of the same moment: only behind another one that is known, where times are fine, is
            // there no doubt.
            if (coarse_ || (record.time == before && !repeated)) return Verdict::search;
            repeating = true;
            return Verdict::skip;
        }
        bool of_one_entry = record.part > 0 && record.time == before;
        bool goes_on = record.time > before && record.time - before < step_seen_min;
        if (!of_one_entry && !goes_on) return Verdict::search;
    }
    if (record.time < last(record.stream)) ++clock_steps_;
    return Verdict::take;
}

void LogsPlace::took(const engine::LogsRecord& record, bool begins, bool pending, bool pending_any) {
    auto& stream = of(record.stream);
    remember(record.stream, seen_.fingerprint);
    bool same_time = record.part == 0 && record.time == last(record.stream);
    coarse_ |= !followed_ && !seen_continues_ && same_time && (record.ended_by_newline || !is_fine(record.time));
    position_.gap_told = false;
    bool may_be_mark = latest_.fingerprint != 0 && latest_.time != record.time;
    bool begins_log = latest_.fingerprint == 0 && !entries_ && (at_beginning() || phase_ == Phase::by_time);
    before_latest_ = std::exchange(latest_, seen_);
    if (begins_log) {
        position_.mark = log_start;
        position_.mark_time = record.time;
        position_.before = pieces_counted_ ? seen_.fingerprint : 0;
        position_.after = position_.past = 0;
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
    if (pending_any) {
        if (pieces_counted_) ++position_.after;
    } else if (may_be_mark) {
        set_mark(latest_, before_latest_.fingerprint);
    } else {
        position_.past += std::exchange(position_.after, 0) + 1;
    }
}

void LogsPlace::replayed(const engine::LogsRecord& record, bool pending) {
    of(record.stream).pending_time = pending ? record.time : Timestamp{};
    before_latest_ = std::exchange(latest_, seen_);
}

void LogsPlace::settled() {
    for (auto stream : {Stream::out, Stream::err})
        if (auto time = std::exchange(of(stream).pending_time, Timestamp{}); time != Timestamp{}) last(stream) = time;
    if (pieces_counted_) {
        position_.past += std::exchange(position_.after, 0);
    } else if (latest_.fingerprint != 0) {
        set_mark(latest_, 0);
    }
}

void LogsPlace::set_mark(const Seen& entry, std::uint64_t before) {
    position_.mark_time = entry.time;
    position_.mark = entry.fingerprint;
    position_.before = before;
    position_.after = position_.past = 0;
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

}  // namespace boatswain::intake
