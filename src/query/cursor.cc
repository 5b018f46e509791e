#include "query/cursor.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace boatswain::query {
namespace {

constexpr std::size_t sum_digits = 8;

std::unexpected<Error> refuse(std::string_view why) {
    return fail(Remedy::stop, "invalid cursor: " + std::string{why} + "; it is what the page before gave, whole");
}

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

std::string Cursor::sum_of(std::string_view text) const {
    auto sum = crypto::sha256((backward_ ? "backward\n" : "forward\n") + question_ + "\n" + std::string{text});
    return to_hex(sum).substr(0, sum_digits);
}

Result<Cursor> Cursor::parse(std::string_view text, bool backward, std::string_view question) {
    Cursor cursor{backward, question};
    auto sum_at = text.rfind(';');
    if (sum_at == std::string_view::npos || text.size() - sum_at - 1 != sum_digits) return refuse("it was cut short");
    auto sum = text.substr(sum_at + 1);
    text = text.substr(0, sum_at);
    if (sum != cursor.sum_of(text)) return refuse("it was changed, or is of another question");
    auto time = time_of(take_until(text, ';'));
    if (!time) return refuse("there is no time");
    cursor.time_ = *time;
    cursor.begun_ = true;
    while (!text.empty()) {
        auto part = take_until(text, ';');
        auto source = percent_decode(take_until(part, ':'));
        auto ordinal = number_of<std::uint64_t>(take_until(part, ':'));
        auto at = time_of(part);
        if (!source || !ordinal || !at) return refuse("a source in it has no line");
        if (cursor.sources_.size() == sources_max) return refuse("it has too many sources");
        cursor.sources_[*source] = {.ordinal = *ordinal, .time = *at};
    }
    return cursor;
}

TimeRange Cursor::rest_of(const TimeRange& range) const {
    if (!begun_) return range;
    auto rest = range;
    if (backward_)
        rest.until = std::min(range.until, time_ + clock_step + Nanoseconds{1});
    else
        rest.since = std::max(range.since, time_ - clock_step);
    return rest;
}

bool Cursor::has(const Entry& entry) const {
    auto last = sources_.find(entry.source.id);
    if (last == sources_.end()) return false;
    if (backward_)
        return entry.is_line() ? entry.ordinal >= last->second.ordinal : entry.ordinal > last->second.ordinal;
    return entry.ordinal <= last->second.ordinal;
}

bool Cursor::has(const FrameSummary& frame) const {
    auto last = sources_.find(frame.origin.source.id);
    if (last == sources_.end()) return false;
    auto first = frame.frame.first_ordinal, behind_it = first + frame.frame.counts.lines;
    return backward_ ? first > last->second.ordinal : behind_it <= last->second.ordinal && behind_it >= first;
}

void Cursor::add(const Entry& entry) {
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
    return text + ";" + sum_of(text);
}

namespace {

class Behind final : public Filter {
  public:
    explicit Behind(Cursor cursor) : cursor_(std::move(cursor)) {}
    using Filter::match;
    Match match(const FrameSummary& frame) const override { return cursor_.has(frame) ? Match::none : Match::some; }
    Match match(const Entry& entry) const override { return match_if(!cursor_.has(entry)); }

  private:
    Cursor cursor_;
};

}  // namespace

FilterPtr behind(Cursor cursor) { return std::make_shared<Behind>(std::move(cursor)); }

}  // namespace boatswain::query
