// One who follows: what the store holds, then each line as it is printed; none twice, none left out.
//
//   hub -> Follower -> here -> show()
//   store  ---------> here
//
// A host whose agent is connected to the hub is read live: a mark says where its live lines begin, and what is before
// that is taken from the store as soon as it is there. All other hosts are read from the store again and again.
//
// Belongs to one thread, which blocks in the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "follow/seen.h"
#include "hub/follower.h"
#include "query/merge.h"
#include "query/range.h"

namespace boatswain::follow {

// How long a host may take to say where its live lines begin, and what is before that to reach the store. Then its live
// lines are shown without, and the rest when it comes.
inline constexpr std::chrono::milliseconds history_wait{5'000};
// How often the store is asked about hosts without a hub.
inline constexpr std::chrono::milliseconds store_pause{2'000};
inline constexpr std::chrono::milliseconds store_pause_beside_live{5'000};
// Lines older than this when they reach the store are not looked for any more.
inline constexpr std::chrono::hours late_max{1};
// Live lines that wait for what is before them.
inline constexpr std::size_t held_bytes_max = 8U << 20;

struct Outside {
    // An entry to be shown, in order. Nothing of it is kept. False: enough.
    std::function<bool(const query::Entry& entry)> show;
    // Live lines of which none was shown, all at once: how many ordinals they took. Nothing: one by one, please. Not
    // set: always so.
    std::function<std::optional<std::uint64_t>(const hub::LiveLines& lines)> show_whole{};
    // A sentence for people about what they see.
    std::function<void(const std::string& note)> note;
    // Whether a source's lines can be wanted at all: others are not kept in mind.
    std::function<bool(const query::Origin& origin)> wants;
    // The store's entries that the filter lets through, in the order of their times.
    std::function<Result<void>(query::FilterPtr filter, const query::TimeRange& range,
                               const std::function<bool(const query::Entry&)>& each)>
        read;
};

class FollowSession {
  public:
    // `follower`: nullptr without a hub; then the store alone is asked. `since`: from when on history is shown.
    FollowSession(std::shared_ptr<hub::Follower> follower, Outside outside, Timestamp since, const Clock& clock);

    // Waits at most so long for something to come, and shows it. The first calls show history, as soon as the hosts that
    // are there have said where their live lines begin. An error is the store's, while history is not shown, or says
    // that too many sources are followed.
    Result<void> turn(std::chrono::milliseconds wait);
    bool is_over() const { return over_; }                     // show() said so
    bool has_history() const { return read_at_.has_value(); }  // it was shown
    std::size_t live_hosts() const;                            // that are read live now

  private:
    enum class State { asked, marked, live };
    struct Host {
        State state = State::asked;
        std::chrono::steady_clock::time_point since{};  // when this state began
        std::uint32_t mark = 0;
        std::shared_ptr<const hub::Marked> places{};
        std::vector<std::shared_ptr<const hub::LiveLines>> held{};
        std::size_t held_bytes = 0;
        bool is_told = false;  // that it is late
    };
    bool waits_for_hosts();
    void take(std::chrono::milliseconds wait);
    void hear(const hub::LiveEvent& event);
    void hear_lines(const std::shared_ptr<const hub::LiveLines>& lines);
    void join_again(const std::string& name, Host& host);
    void ask_hub();
    void look_at_late_hosts();
    Result<void> read_store(bool all);
    Result<void> read_hosts(std::set<std::string> hosts, Timestamp since);
    Result<void> read(Wanted what, Timestamp since);
    Timestamp since_last_read() const;
    bool show_lines(const hub::LiveLines& lines);
    bool show_entry(const query::Entry& entry);
    bool show_missing(const query::Entry& entry, const std::string& key);
    void go_live(const std::string& name, Host& host);
    void note_missing(const Host& host);
    bool is_settled() const;

    const std::shared_ptr<hub::Follower> follower_;
    const Outside outside_;
    const Timestamp since_;
    const Clock& clock_;
    Seen seen_;
    std::map<std::string, Host> hosts_;
    std::set<std::string> stored_;     // hosts whose mark is in the store, not yet read
    std::set<std::string> were_read_;  // hosts whose history was shown
    // What is not shown though later lines of the same source are, by key_of(): shown when the store has it.
    std::map<std::string, std::vector<Wanted::Range>> missing_;
    std::optional<Timestamp> missing_since_;
    std::optional<std::chrono::steady_clock::time_point> began_, asked_store_, asked_marks_, asked_streams_;
    std::optional<Timestamp> read_at_;         // when the store was read last, wholly
    std::set<std::string> wants_marks_;        // of these hosts
    bool wants_streams_ = false;               // of hosts whose stream ended
    std::chrono::milliseconds streams_pause_;  // grows while they end again
    std::map<std::string, std::string> left_;  // hosts, and why, as it was told
    bool over_ = false;
    bool too_many_ = false;
};

}  // namespace boatswain::follow
