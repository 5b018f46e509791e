#include "api/cursor.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.h"

namespace boatswain::api {
namespace {

std::unexpected<Error> refuse() { return fail(Remedy::stop, "invalid cursor: it is what the page before gave"); }

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string_view take_until(std::string_view& text, char end) {
    auto part = text.substr(0, text.find(end));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

std::optional<Timestamp> time_of(std::string_view text) {
    // Between 1970 and 2200, so that sums with it stay what a Timestamp holds.
    constexpr std::int64_t latest = 7'258'118'400'000'000'000;
    auto ns = number_of<std::int64_t>(text);
    if (!ns || *ns < 0 || *ns > latest) return std::nullopt;
    return Timestamp{Nanoseconds{*ns}};
}

}  // namespace

Result<Cursor> Cursor::parse(std::string_view text, bool backward) {
    Cursor cursor{backward};
    auto time = time_of(take_until(text, ';'));
    if (!time) return refuse();
    cursor.time_ = *time;
    cursor.begun_ = true;
    while (!text.empty()) {
        auto part = take_until(text, ';');
        auto source = percent_decode(take_until(part, ':'));
        auto ordinal = number_of<std::uint64_t>(take_until(part, ':'));
        auto at = time_of(part);
        if (!source || !ordinal || !at || cursor.sources_.size() == sources_max) return refuse();
        cursor.sources_[*source] = {.ordinal = *ordinal, .time = *at};
    }
    return cursor;
}

query::TimeRange Cursor::rest_of(const query::TimeRange& range) const {
    if (!begun_) return range;
    auto rest = range;
    if (backward_)
        rest.until = std::min(range.until, time_ + clock_step + Nanoseconds{1});
    else
        rest.since = std::max(range.since, time_ - clock_step);
    return rest;
}

bool Cursor::has(const query::Entry& entry) const {
    auto last = sources_.find(entry.source.id);
    if (last == sources_.end()) return false;
    if (backward_)
        return entry.is_line() ? entry.ordinal >= last->second.ordinal : entry.ordinal > last->second.ordinal;
    return entry.ordinal <= last->second.ordinal;
}

bool Cursor::has(const query::FrameSummary& frame) const {
    auto last = sources_.find(frame.origin.source.id);
    if (last == sources_.end()) return false;
    auto first = frame.frame.first_ordinal, behind_it = first + frame.frame.counts.lines;
    return backward_ ? first > last->second.ordinal : behind_it <= last->second.ordinal && behind_it >= first;
}

void Cursor::add(const query::Entry& entry) {
    if (!entry.is_line()) return;
    begun_ = true;
    time_ = entry.text.line.time;
    auto known = sources_.find(entry.source.id);
    if (known == sources_.end()) known = sources_.emplace(entry.source.id, Last{}).first;
    known->second = {.ordinal = entry.ordinal, .time = time_};
}

std::string Cursor::str() const {
    auto text = std::to_string(time_.time_since_epoch().count());
    for (const auto& [source, last] : sources_) {
        // What lies further away is not read again.
        if (std::chrono::abs(last.time - time_) > clock_step) continue;
        text += ";" + percent_encode(source) + ":" + std::to_string(last.ordinal) + ":" +
                std::to_string(last.time.time_since_epoch().count());
    }
    return text;
}

namespace {

class Behind final : public query::Filter {
  public:
    explicit Behind(Cursor cursor) : cursor_(std::move(cursor)) {}
    using query::Filter::match;
    query::Match match(const query::FrameSummary& frame) const override {
        return cursor_.has(frame) ? query::Match::none : query::Match::some;
    }
    query::Match match(const query::Entry& entry) const override { return query::match_if(!cursor_.has(entry)); }

  private:
    Cursor cursor_;
};

}  // namespace

query::FilterPtr behind(Cursor cursor) { return std::make_shared<Behind>(std::move(cursor)); }

}  // namespace boatswain::api
