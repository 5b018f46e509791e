#include "intake/docker/suspects.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "net/event.h"

namespace boatswain::intake::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds turn_pause{100};
constexpr std::size_t id_bytes_max = 128;

std::string_view next_word(std::string_view& text) {
    auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

template <class Integer>
bool read_integer(std::string_view text, Integer& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Suspects::Suspects(std::string_view saved, std::function<void(const std::string&)> save, const Clock& clock,
                   Metrics& metrics, Log& log)
    : save_(std::move(save)),
      clock_(clock),
      log_(log),
      left_(metrics.gauge("boatswain_logs_left_alone",
                          "Logs that are not read: the engine died twice when it was asked for them")),
      suspected_(metrics.gauge("boatswain_logs_suspected",
                               "Logs that were being asked for when the engine vanished, and not answered since")) {
    while (!saved.empty() && suspects_.size() < suspects_max) {
        auto id = next_word(saved), times = next_word(saved), left = next_word(saved);
        Suspect suspect;
        std::int64_t when = 0;
        bool is_id = !id.empty() && id.size() <= id_bytes_max;
        if (!is_id || !read_integer(times, suspect.times) || suspect.times == 0 || !read_integer(left, when)) continue;
        suspect.left = Timestamp{Nanoseconds{when}};
        suspects_.emplace(id, suspect);
    }
    count();
}

Suspects::Question::~Question() {
    if (of_) of_->end(number_, false, true);
}
void Suspects::Question::answered() {
    if (auto* of = std::exchange(of_, nullptr)) of->end(number_, true, true);
}
void Suspects::Question::never_was() {
    if (auto* of = std::exchange(of_, nullptr)) of->end(number_, false, false);
}
void Suspects::Question::dropped() {
    if (auto* of = std::exchange(of_, nullptr)) of->end(number_, false, true);
}

asio::awaitable<Suspects::Question> Suspects::ask(std::string id, bool follow) {
    while (!may_ask(id)) co_await net::sleep_for(turn_pause);
    absolve_the_old();
    open_.emplace(++next_, Open{.id = std::move(id), .follow = follow, .asked = clock_.steady()});
    co_return Question{*this, next_};
}

bool Suspects::left(const std::string& id) const {
    auto found = suspects_.find(id);
    return found != suspects_.end() && found->second.left != Timestamp{};
}

// The engine works on it now, as far as we know. One that takes long holds nobody up.
bool Suspects::is_asked(const Open& open) const { return clock_.steady() - open.asked < young_max; }

bool Suspects::may_ask(const std::string& id) const {
    if (!followed_) return false;
    bool alone = suspected(id);
    return std::ranges::none_of(open_, [&](const auto& one) {
        return !one.second.follow && is_asked(one.second) &&
               (alone || (suspected(one.second.id) && one.second.id != id));
    });
}

void Suspects::note_ended(const Open& open) {
    auto now = clock_.steady();
    while (!ended_.empty() && now - ended_.front().when > ended_max) ended_.pop_front();
    if (!is_asked(open)) return;
    if (ended_.size() >= suspects_max) ended_.pop_front();
    ended_.push_back({.id = open.id, .when = now});
}

void Suspects::end(std::uint64_t number, bool survived, bool counts) {
    auto open = open_.extract(number);
    if (!open) return;
    const auto& id = open.mapped().id;
    if (counts && !survived) note_ended(open.mapped());
    if (survived || (counts && open.mapped().follow && !is_asked(open.mapped()))) absolve(id);
}

void Suspects::absolve(const std::string& id) {
    if (left(id)) return;
    std::erase_if(ended_, [&](const Ended& one) { return one.id == id; });
    if (suspects_.erase(id) == 0) return;
    save();
    count();
}

void Suspects::absolve_the_old() {
    if (suspects_.empty()) return;
    for (const auto& [number, open] : open_)
        if (open.follow && !is_asked(open)) absolve(open.id);
}

void Suspects::engine_followed(bool followed) {
    if (std::exchange(followed_, followed) && !followed) vanished();
}

void Suspects::vanished() {
    auto now = clock_.steady();
    absolve_the_old();
    std::set<std::string> asked;
    for (const auto& [number, open] : open_)
        if (is_asked(open)) asked.insert(open.id);
    for (const auto& ended : ended_)
        if (now - ended.when <= ended_max) asked.insert(ended.id);
    ended_.clear();
    if (asked.empty()) return;
    for (const auto& id : asked) {
        if (!suspects_.contains(id) && suspects_.size() >= suspects_max) {
            log_.warning("more logs were being asked for when the engine vanished than are remembered",
                         {{"remembered", suspects_max}});
            break;
        }
        auto& suspect = suspects_[id];
        if (++suspect.times < leave_after || suspect.left != Timestamp{}) continue;
        suspect.left = clock_.now();
        log_.error(
            "the engine vanished again when it was asked for this log, which is left alone until its container "
            "starts again",
            {{"container", id}});
    }
    if (asked.size() > 1)
        log_.warning("the engine vanished while it was asked for logs; they are asked for one at a time now",
                     {{"logs", asked.size()}});
    save();
    count();
}

// It has another run to read, behind whatever did it. It stays a suspect: one more time is enough.
void Suspects::started(const std::string& id, Timestamp when) {
    auto found = suspects_.find(id);
    if (found == suspects_.end() || found->second.left == Timestamp{}) return;
    const auto& [times, since] = found->second;
    auto again = times - leave_after;
    auto pause =
        again == 0 ? std::chrono::minutes{0} : pardon_after * (1U << std::min(again - 1, pardon_doublings_max));
    if (when <= since || clock_.now() - since < pause) return;
    found->second.left = {};
    save();
    count();
}

void Suspects::forget(const std::string& id) {
    if (suspects_.erase(id) == 0) return;
    save();
    count();
}

void Suspects::save() const {
    std::string text;
    for (const auto& [id, suspect] : suspects_)
        text += (text.empty() ? "" : " ") + id + " " + std::to_string(suspect.times) + " " +
                std::to_string(suspect.left.time_since_epoch().count());
    save_(text);
}

void Suspects::count() {
    auto left = std::ranges::count_if(suspects_, [](const auto& one) { return one.second.left != Timestamp{}; });
    left_.set(static_cast<double>(left));
    suspected_.set(static_cast<double>(static_cast<std::ptrdiff_t>(suspects_.size()) - left));
}

}  // namespace boatswain::intake::docker
