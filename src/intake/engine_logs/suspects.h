// Which container's log the engine was being asked for when it died.
//
// A damaged log of the driver `local` can crash the engine that is asked for it (Docker 20.10, `tail=64`: every time).
// Asking again for ever would take the engine down for ever, and with it, without live-restore, every container of the
// host. So each log that was being asked for when the engine vanished is suspected; suspects are asked for one at a
// time, while no other log is. One that is being asked for when the engine vanishes again is doubted. When that happens
// for the third time it is left alone until its container starts.
//
// An engine that is restarted, or crashes for reasons of its own, vanishes, too. A crash follows its question within
// moments, so that counts only where the question was young, and no line had come that was printed since. And while a
// log is doubted nothing is asked for some seconds after the engine is back: an engine that dies then, without a
// question, dies of something else, and no log is doubted any more. A suspect whose log was read to its end is none any
// more. One question that is answered says little: the same log answers `tail=1` and kills at `tail=64`.
//
// What is known is kept in the state, since an agent in a container ends with its engine. Belongs to the I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"

namespace boatswain::intake {

class Suspects {
  public:
    // `saved`: what `save` was given last, by whatever process; nonsense in it is passed over.
    Suspects(std::string_view saved, std::function<void(const std::string&)> save, const Clock& clock, Metrics& metrics,
             Log& log);
    Suspects(const Suspects&) = delete;
    Suspects& operator=(const Suspects&) = delete;

    // A question while it is open.
    class Question {
      public:
        Question(Question&& other) noexcept : of_(std::exchange(other.of_, nullptr)), number_(other.number_) {}
        Question& operator=(Question&&) = delete;
        ~Question() { end(true); }
        // It did not reach the engine, or was answered: the engine does not die of it any more.
        void harmless() { end(false); }

      private:
        friend class Suspects;
        Question(Suspects& of, std::uint64_t number) : of_(&of), number_(number) {}
        void end(bool broken_off);
        Suspects* of_;
        std::uint64_t number_;
    };
    // Waits for its turn: the engine is followed, and no suspect is being asked for (or, for one, nobody else).
    // Nothing: the log is left alone. A stream that is `follow`ed is open for long: nobody waits for its end.
    boost::asio::awaitable<std::optional<Question>> ask(std::string id, bool follow);
    void absolve(const std::string& id);  // its log was read to its end
    bool suspected(const std::string& id) const { return suspects_.contains(id); }
    bool left(const std::string& id) const;  // alone, until started()

    void engine_followed(bool followed);                  // false: it vanished
    void started(const std::string& id, Timestamp when);  // news of an earlier start is none
    void forget(const std::string& id);                   // it is removed

    // Times that the engine vanished.
    static constexpr unsigned doubt_after = 2;
    static constexpr unsigned leave_after = 3;
    // After the engine is followed again, while a log is doubted: nothing is asked for.
    static constexpr std::chrono::seconds quiet{5};
    static constexpr std::chrono::seconds young_max{2};
    static constexpr std::chrono::seconds follow_watched{2};  // a suspect's followed stream holds others up so long
    // A question that was broken off so recently counts as open.
    static constexpr std::chrono::milliseconds ended_max{2'000};
    // A container that the engine itself starts again must not bring about for ever that it dies: after each further
    // time a start counts only so long after the last one.
    static constexpr std::chrono::hours pardon_after{24};
    static constexpr std::size_t suspects_max = 1024;  // more are not remembered; the log says so

  private:
    using Steady = std::chrono::steady_clock::time_point;
    struct Suspect {
        unsigned times = 0;  // that the engine vanished
        Timestamp left{};    // since when it is left alone; zero: it is not
        bool doubted() const { return times >= doubt_after && left == Timestamp{}; }
    };
    struct Open {
        std::string id;
        bool follow = false;
        Steady asked;
    };
    struct Ended {
        std::string id;
        Steady when;
    };
    bool may_ask(const std::string& id) const;
    bool is_young(const Open& open, std::chrono::seconds max) const { return clock_.steady() - open.asked < max; }
    void absolve_the_old();
    void vanished();
    void blame(const std::string& id);
    bool is_quiet() const;  // nothing is asked for now
    void died_of_its_own();
    void changed();
    void count();

    std::function<void(const std::string&)> save_;
    const Clock& clock_;
    Log& log_;
    Gauge& left_;
    Gauge& suspected_;
    bool followed_ = true;
    Steady followed_since_;
    bool asked_since_ = false;  // anything, since the engine is followed
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, Open> open_;
    std::deque<Ended> ended_;  // broken off; oldest first
    std::map<std::string, Suspect> suspects_;
};

}  // namespace boatswain::intake
