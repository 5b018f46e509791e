#include "follow/seen.h"

#include <algorithm>

namespace boatswain::follow {
namespace {

class WantedFilter final : public query::Filter {
  public:
    explicit WantedFilter(Wanted what) : what_(std::move(what)) {}

    query::Match match(const query::Origin& origin) const override {
        const auto& host = origin.segment.host;
        bool is_asked = what_.only_hosts.empty() || what_.only_hosts.contains(host);
        return is_asked && !what_.not_hosts.contains(host) ? query::Match::some : query::Match::none;
    }
    // Gaps and ends of a frame without lines stand before the line with its ordinal.
    query::Match match(const query::FrameSummary& frame) const override {
        if (match(frame.origin) == query::Match::none) return query::Match::none;
        auto range = range_of(frame.origin);
        auto first = frame.frame.first_ordinal, behind = first + frame.frame.counts.lines;
        return first > range.to || behind < range.from ? query::Match::none : query::Match::some;
    }
    query::Match match(const query::Entry& entry) const override {
        if (match(entry.origin()) == query::Match::none) return query::Match::none;
        auto range = range_of(entry.origin());
        if (entry.is_line()) return query::match_if(entry.ordinal >= range.from && entry.ordinal < range.to);
        return query::match_if(entry.ordinal >= range.from && entry.ordinal <= range.to);
    }

  private:
    Wanted::Range range_of(const query::Origin& origin) const {
        auto found = what_.sources.find(key_of(origin.segment, origin.source.id));
        return found == what_.sources.end() ? Wanted::Range{} : found->second;
    }
    const Wanted what_;
};

}  // namespace

std::string key_of(const segment::ObjectKey& origin, std::string_view source) {
    std::string key;
    key.reserve(origin.host.size() + origin.epoch.size() + source.size() + 2);
    key += origin.host;
    key += '\0';
    key += origin.epoch;
    key += '\0';
    key += source;
    return key;
}

Seen::Is Seen::line(const std::string& key, std::uint64_t ordinal) const {
    auto at = next(key);
    return ordinal == at ? Is::next : ordinal < at ? Is::seen : Is::beyond;
}

bool Seen::shows_note(const std::string& key, std::uint64_t ordinal, bool is_end) const {
    auto found = sources_.find(key);
    if (found == sources_.end()) return true;
    const auto& place = found->second;
    if (is_end) return !place.ended;
    return ordinal >= place.next && !(place.gap_before && *place.gap_before >= ordinal);
}

void Seen::show_line(const std::string& key, std::uint64_t ordinal) { pass_to(key, ordinal + 1); }

void Seen::show_note(const std::string& key, std::uint64_t ordinal, bool is_end) {
    auto& place = sources_[key];
    if (is_end)
        place.ended = true;
    else
        place.gap_before = ordinal;
}

void Seen::pass_to(const std::string& key, std::uint64_t next) {
    auto& place = sources_[key];
    place.next = std::max(place.next, next);
}

void Seen::begin_again(const std::string& key, std::uint64_t next) { sources_[key] = {.next = next, .gap_before = {}}; }

std::uint64_t Seen::next(const std::string& key) const {
    auto found = sources_.find(key);
    return found == sources_.end() ? 0 : found->second.next;
}

query::FilterPtr wanted(Wanted what) { return std::make_shared<WantedFilter>(std::move(what)); }

}  // namespace boatswain::follow
