#include "intake/engine_logs/suspects.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "net/event.h"

namespace boatswain::intake {
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
                          "Logs that are not read: the engine died again and again when it was asked for them")),
      suspected_(metrics.gauge(
          "boatswain_logs_suspected",
          "Logs that were being asked for when the engine vanished, and were not read to their end since")),
      followed_since_(clock.steady()) {
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

void Suspects::Question::end(bool broken_off) {
    auto* of = std::exchange(of_, nullptr);
    if (!of) return;
    auto open = of->open_.extract(number_);
    if (!broken_off || !of->is_young(open.mapped(), young_max)) return;
    if (of->ended_.size() >= suspects_max) of->ended_.pop_front();
    of->ended_.push_back({.id = std::move(open.mapped().id), .when = of->clock_.steady()});
}

asio::awaitable<std::optional<Suspects::Question>> Suspects::ask(std::string id, bool follow) {
    while (!left(id) && !may_ask(id)) co_await net::sleep_for(turn_pause);
    if (left(id)) co_return std::nullopt;
    absolve_the_old();
    asked_since_ = true;
    open_.emplace(++next_, Open{.id = std::move(id), .follow = follow, .asked = clock_.steady()});
    co_return Question{*this, next_};
}

bool Suspects::left(const std::string& id) const {
    auto found = suspects_.find(id);
    return found != suspects_.end() && found->second.left != Timestamp{};
}

bool Suspects::may_ask(const std::string& id) const {
    if (!followed_) return false;
    if (suspects_.empty()) return true;
    if (is_quiet()) return false;
    bool alone = suspected(id);
    return std::ranges::none_of(open_, [&](const auto& entry) {
        const auto& open = entry.second;
        bool of_suspect = suspected(open.id);
        if (open.id == id || !(alone || of_suspect)) return false;
        return open.follow ? of_suspect && is_young(open, follow_watched) : is_young(open, young_max);
    });
}

bool Suspects::is_quiet() const {
    return clock_.steady() - followed_since_ < quiet &&
           std::ranges::any_of(suspects_, [](const auto& one) { return one.second.doubted(); });
}

void Suspects::absolve(const std::string& id) {
    if (left(id)) return;
    std::erase_if(ended_, [&](const Ended& one) { return one.id == id; });
    if (suspects_.erase(id) > 0) changed();
}

// Followed for so long, it is not what the engine dies of.
void Suspects::absolve_the_old() {
    if (suspects_.empty()) return;
    for (const auto& [number, open] : open_)
        if (open.follow && !is_young(open, young_max)) absolve(open.id);
}

void Suspects::engine_followed(bool followed) {
    bool was_followed = std::exchange(followed_, followed);
    if (was_followed && !followed) vanished();
    if (!was_followed && followed) followed_since_ = clock_.steady(), asked_since_ = false;
}

void Suspects::vanished() {
    absolve_the_old();
    std::set<std::string> asked;
    for (const auto& [number, open] : open_)
        if (is_young(open, young_max)) asked.insert(open.id);
    for (const auto& ended : ended_)
        if (clock_.steady() - ended.when <= ended_max) asked.insert(ended.id);
    ended_.clear();
    if (!asked_since_) died_of_its_own();
    if (asked.empty()) return;
    for (const auto& id : asked) blame(id);
    if (asked.size() > 1)
        log_.warning("the engine vanished while it was asked for logs; they are asked for one at a time now",
                     {{"logs", asked.size()}});
    changed();
}

// They stay suspects, which are asked for one at a time.
void Suspects::died_of_its_own() {
    bool any = false;
    for (auto& [id, suspect] : suspects_)
        if (suspect.doubted()) suspect.times = 1, any = true;
    if (!any) return;
    log_.warning("the engine vanished without having been asked for a log: none is doubted any more");
    changed();
}

void Suspects::blame(const std::string& id) {
    if (!suspects_.contains(id) && suspects_.size() >= suspects_max) {
        log_.warning("more logs were being asked for when the engine vanished than are remembered",
                     {{"remembered", suspects_max}});
        return;
    }
    auto& suspect = suspects_[id];
    if (++suspect.times < leave_after || suspect.left != Timestamp{}) return;
    suspect.left = clock_.now();
    log_.error(
        "the engine vanished again when it was asked for this log, which is left alone until its container starts",
        {{"container", id}});
}

// It has another run to read, behind whatever did it. It stays a suspect: one more time is enough.
void Suspects::started(const std::string& id, Timestamp when) {
    auto found = suspects_.find(id);
    if (found == suspects_.end() || found->second.left == Timestamp{}) return;
    auto& [times, since] = found->second;
    if (when <= since || (times > leave_after && when - since < pardon_after)) return;
    since = {};
    changed();
}

void Suspects::forget(const std::string& id) {
    if (suspects_.erase(id) > 0) changed();
}

void Suspects::changed() {
    std::string text;
    for (const auto& [id, suspect] : suspects_)
        text += (text.empty() ? "" : " ") + id + " " + std::to_string(suspect.times) + " " +
                std::to_string(suspect.left.time_since_epoch().count());
    save_(text);
    count();
}

void Suspects::count() {
    auto left = std::ranges::count_if(suspects_, [](const auto& one) { return one.second.left != Timestamp{}; });
    left_.set(static_cast<double>(left));
    suspected_.set(static_cast<double>(static_cast<std::ptrdiff_t>(suspects_.size()) - left));
}

}  // namespace boatswain::intake
