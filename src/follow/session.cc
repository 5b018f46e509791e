#include "follow/session.h"

#include <algorithm>
#include <thread>

#include "open/text.h"

namespace boatswain::follow {
namespace {

// Hosts that are connected say so at once; without any, nobody waits longer.
constexpr std::chrono::milliseconds first_word_wait{300};
constexpr std::chrono::milliseconds mark_pause{1'000}, streams_pause_min{2'000}, streams_pause_max{32'000};

using LinesPtr = std::shared_ptr<const hub::LiveLines>;

}  // namespace

FollowSession::FollowSession(std::shared_ptr<hub::Follower> follower, Outside outside, Timestamp since,
                             const Clock& clock)
    : follower_(std::move(follower)),
      outside_(std::move(outside)),
      since_(since),
      clock_(clock),
      streams_pause_(streams_pause_min) {}

std::size_t FollowSession::live_hosts() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(hosts_, [](const auto& host) { return host.second.state == State::live; }));
}

bool FollowSession::is_settled() const {
    return std::ranges::all_of(
        hosts_, [&](const auto& host) { return host.second.state == State::live || stored_.contains(host.first); });
}

// History is shown once, in the order of its times: so the hosts are waited for that are there.
bool FollowSession::waits_for_hosts() {
    auto now = clock_.steady();
    if (!began_) began_ = now;
    auto waited = now - *began_;
    return follower_ && waited < history_wait && (waited < first_word_wait || !is_settled());
}

Result<void> FollowSession::turn(std::chrono::milliseconds wait) {
    take(wait);
    if (!read_at_) {
        if (waits_for_hosts()) return {};
        CHECK(read_store(true));
    } else {
        auto pause = live_hosts() > 0 ? store_pause_beside_live : store_pause;
        bool polls = clock_.steady() - *asked_store_ >= pause;
        // A store that does not answer is asked again; what came live is shown meanwhile.
        if (polls || !stored_.empty())
            if (auto done = read_store(polls); !done) outside_.note("the store is not read: " + done.error().what);
    }
    look_at_late_hosts();
    if (follower_) ask_hub();
    if (too_many_)
        return fail(Remedy::stop, "more than " + std::to_string(sources_max) +
                                      " containers are followed: ask for fewer, by a narrower selector");
    return {};
}

void FollowSession::take(std::chrono::milliseconds wait) {
    if (!follower_) {
        std::this_thread::sleep_for(wait);
        return;
    }
    auto taken = follower_->take(wait);
    // Lines were dropped: of which host nobody knows.
    if (taken.dropped)
        for (auto& [name, host] : hosts_) join_again(name, host);
    for (const auto& event : taken.events) hear(event);
}

// A stream that ends again and again is asked for less and less. Marks of other hosts do not wait for that.
void FollowSession::ask_hub() {
    auto now = clock_.steady();
    if (!wants_marks_.empty() && (!asked_marks_ || now - *asked_marks_ >= mark_pause)) {
        asked_marks_ = now;
        for (const auto& host : std::exchange(wants_marks_, {})) follower_->ask_mark(host);
    }
    if (!wants_streams_ || now - *asked_streams_ < streams_pause_) return;
    asked_streams_ = now;
    wants_streams_ = false;
    streams_pause_ = std::min(streams_pause_ * 2, streams_pause_max);
    follower_->ask_streams();
}

void FollowSession::join_again(const std::string& name, Host& host) {
    stored_.erase(name);
    host = {.state = State::asked, .since = clock_.steady()};
    wants_marks_.insert(name);
}

void FollowSession::hear(const hub::LiveEvent& event) {
    if (const auto* lines = std::get_if<LinesPtr>(&event)) return hear_lines(*lines);
    if (const auto* joined = std::get_if<hub::Joined>(&event)) {
        stored_.erase(joined->host);
        hosts_[joined->host] = {.state = State::asked, .since = clock_.steady()};
        return;
    }
    if (const auto* left = std::get_if<hub::Left>(&event)) {
        stored_.erase(left->host);
        hosts_.erase(left->host);
        if (std::exchange(left_[left->host], left->reason) != left->reason)
            outside_.note("host " + left->host + " is not followed live: " + left->reason);
        wants_marks_.erase(left->host);
        wants_streams_ = true;
        if (!asked_streams_) asked_streams_ = clock_.steady();
        return;
    }
    if (const auto* marked = std::get_if<std::shared_ptr<const hub::Marked>>(&event)) {
        auto found = hosts_.find((*marked)->host);
        if (found == hosts_.end() || found->second.state != State::asked) return;
        auto& host = found->second;
        host.state = State::marked;
        host.since = clock_.steady();
        host.mark = (*marked)->mark;
        host.places = *marked;
        for (const auto& place : host.places->sources) {
            auto key = key_of(place.source->origin, place.source->source.id);
            // Lines that were shown and lost: their ordinals are used again.
            if (!place.again && place.next < seen_.next(key)) seen_.begin_again(key, place.next);
        }
        return;
    }
    const auto& stored = std::get<hub::Stored>(event);
    auto found = hosts_.find(stored.host);
    if (found == hosts_.end() || found->second.state == State::asked || stored.mark < found->second.mark) return;
    // Of a host that went live without them: what was missing is there now.
    auto missing = missing_.lower_bound(stored.host + '\0');
    bool is_missing = missing != missing_.end() && missing->first.starts_with(stored.host + '\0');
    if (found->second.state == State::marked || is_missing) stored_.insert(stored.host);
}

void FollowSession::hear_lines(const LinesPtr& lines) {
    const auto& origin = lines->source->origin;
    auto found = hosts_.find(origin.host);
    if (found == hosts_.end() || !outside_.wants(query::Origin{origin, lines->source->source})) return;
    auto& host = found->second;
    if (host.state == State::asked) return;
    if (host.state == State::live) {
        if (!show_lines(*lines)) join_again(found->first, host);
        return;
    }
    host.held_bytes += lines->text.size();
    if (host.held_bytes > held_bytes_max) return join_again(found->first, host);
    host.held.push_back(lines);
}

// False: lines before these were dropped on the way.
bool FollowSession::show_lines(const hub::LiveLines& lines) {
    const auto& origin = lines.source->origin;
    auto ordinal = lines.first_ordinal;
    auto key = key_of(origin, lines.source->source.id);
    auto is = seen_.line(key, ordinal);
    if (is == Seen::Is::beyond) return false;
    if (is == Seen::Is::next && outside_.show_whole && !over_)
        if (auto shown = outside_.show_whole(lines)) {
            seen_.pass_to(key, ordinal + *shown);
            if (seen_.size() > sources_max) too_many_ = over_ = true;
            return true;
        }
    open::EntryWalk walk{lines.text};
    while (!over_) {
        auto entry = walk.next();
        if (!entry) {
            outside_.note("a line of host " + origin.host + " cannot be shown live");
            return true;
        }
        if (*entry == nullptr) break;
        const auto& text = **entry;
        if (text.kind == open::TextEntry::Kind::heading) continue;
        (void)show_entry({.segment = origin, .source = lines.source->source, .text = text, .ordinal = ordinal});
        if (text.kind == open::TextEntry::Kind::line) ++ordinal;
    }
    return true;
}

// Whatever is shown comes through here: nothing is shown twice.
bool FollowSession::show_entry(const query::Entry& entry) {
    auto key = key_of(entry.segment, entry.source.id);
    if (entry.is_line()) {
        if (seen_.line(key, entry.ordinal) == Seen::Is::seen) return show_missing(entry, key);
        seen_.show_line(key, entry.ordinal);
    } else {
        if (!seen_.shows_note(key, entry.ordinal, entry.is_end())) return true;
        seen_.show_note(key, entry.ordinal, entry.is_end());
    }
    if (seen_.size() > sources_max) too_many_ = over_ = true;
    if (!over_ && !outside_.show(entry)) over_ = true;
    return !over_;
}

bool FollowSession::show_missing(const query::Entry& entry, const std::string& key) {
    auto missing = missing_.find(key);
    if (missing == missing_.end()) return true;
    auto range = std::ranges::find_if(
        missing->second, [&](const auto& one) { return entry.ordinal >= one.from && entry.ordinal < one.to; });
    if (range == missing->second.end()) return true;
    range->from = entry.ordinal + 1;
    if (range->from == range->to) missing->second.erase(range);
    if (missing->second.empty()) missing_.erase(missing);
    if (!outside_.show(entry)) over_ = true;
    return !over_;
}

// Everything before the mark is shown; what was held comes behind it.
void FollowSession::go_live(const std::string& name, Host& host) {
    for (const auto& place : host.places->sources)
        if (outside_.wants(query::Origin{place.source->origin, place.source->source}))
            seen_.pass_to(key_of(place.source->origin, place.source->source.id), place.next);
    host.state = State::live;
    host.since = clock_.steady();
    host.held_bytes = 0;
    if (left_.erase(name) > 0) streams_pause_ = streams_pause_min;
    for (const auto& lines : std::exchange(host.held, {}))
        if (!show_lines(*lines)) return join_again(name, host);
}

void FollowSession::note_missing(const Host& host) {
    for (const auto& place : host.places->sources) {
        auto key = key_of(place.source->origin, place.source->source.id);
        auto from = seen_.next(key);
        if (!outside_.wants(query::Origin{place.source->origin, place.source->source})) continue;
        if (from < place.next) missing_[key].push_back({.from = from, .to = place.next});
    }
    if (!missing_.empty() && !missing_since_) missing_since_ = since_last_read();
}

// Their live lines are worth more than their order.
void FollowSession::look_at_late_hosts() {
    for (auto& [name, host] : hosts_) {
        if (host.state == State::live || clock_.steady() - host.since < history_wait) continue;
        bool is_silent = host.state == State::asked;
        if (!std::exchange(host.is_told, true))
            outside_.note("host " + name + ": " +
                          (is_silent ? "its agent does not answer"
                                     : "older lines are not in the store yet; they come when they are"));
        if (is_silent) {
            wants_marks_.insert(name);
            host.since = clock_.steady();
            continue;
        }
        note_missing(host);
        were_read_.insert(name);
        go_live(name, host);
    }
}

Timestamp FollowSession::since_last_read() const { return read_at_ ? std::max(since_, *read_at_ - late_max) : since_; }

Result<void> FollowSession::read(Wanted what, Timestamp since) {
    query::TimeRange range{.since = since, .until = clock_.now() + late_max};
    return outside_.read(wanted(std::move(what)), range, [&](const query::Entry& entry) { return show_entry(entry); });
}

// Hosts whose mark is in the store: up to that, and no further.
Result<void> FollowSession::read_hosts(std::set<std::string> hosts, Timestamp since) {
    if (hosts.empty()) return {};
    Wanted what{.sources = {}, .not_hosts = {}, .only_hosts = hosts};
    for (const auto& name : hosts) {
        const auto& host = hosts_.at(name);
        if (host.state == State::live) continue;
        for (const auto& place : host.places->sources) {
            auto key = key_of(place.source->origin, place.source->source.id);
            what.sources[key] = {.from = seen_.next(key), .to = place.next};
        }
    }
    for (const auto& [key, ranges] : missing_)
        if (hosts.contains(key.substr(0, key.find('\0')))) {
            auto [at, is_new] = what.sources.try_emplace(key, ranges.front());
            for (const auto& range : ranges) {
                at->second.from = std::min(at->second.from, range.from);
                at->second.to = std::max(at->second.to, range.to);
            }
        }
    CHECK(read(std::move(what), since));
    for (const auto& name : hosts) {
        stored_.erase(name);
        were_read_.insert(name);
        std::erase_if(missing_, [&](const auto& one) { return one.first.starts_with(name + '\0'); });
        if (auto& host = hosts_.at(name); host.state != State::live) go_live(name, host);
    }
    if (missing_.empty()) missing_since_.reset();
    return {};
}

// `all`: hosts without a hub, too. The first time everything at once, so that it comes in the order of its times.
Result<void> FollowSession::read_store(bool all) {
    auto began = clock_.now();
    if (all) asked_store_ = clock_.steady();
    std::set<std::string> fresh, others;
    for (const auto& name : stored_) (were_read_.contains(name) ? others : fresh).insert(name);
    if (!read_at_) {
        Wanted what;
        for (const auto& [name, host] : hosts_) {
            if (!stored_.contains(name)) {
                what.not_hosts.insert(name);
                continue;
            }
            for (const auto& place : host.places->sources)
                what.sources[key_of(place.source->origin, place.source->source.id)] = {.to = place.next};
        }
        CHECK(read(std::move(what), since_));
        for (const auto& name : std::exchange(stored_, {})) {
            were_read_.insert(name);
            go_live(name, hosts_.at(name));
        }
        read_at_ = began;
        return {};
    }
    CHECK(read_hosts(std::move(fresh), since_));
    CHECK(read_hosts(std::move(others),
                     missing_since_ ? std::min(*missing_since_, since_last_read()) : since_last_read()));
    if (!all) return {};
    Wanted what;
    for (const auto& [name, host] : hosts_) what.not_hosts.insert(name);
    CHECK(read(std::move(what), since_last_read()));
    read_at_ = began;
    return {};
}

}  // namespace boatswain::follow
