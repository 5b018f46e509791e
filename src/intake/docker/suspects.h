// Which container's log the engine was being asked for when it died.
//
// A damaged log of the driver `local` can crash the engine that is asked for it (Docker 20.10, `tail=64`: every time).
// Asking again for ever would take the engine down for ever, and with it, without live-restore, every container of the
// host. So each log that was being asked for when the engine vanished is suspected; suspects are asked one at a time,
// while no other log is asked for, and one that is asked when the engine vanishes again is left alone until its
// container starts.
//
// An engine that is restarted vanishes, too. That counts only where the question was young: a crash follows its
// question within moments, and two restarts within moments of a question for one and the same log do not happen. A
// suspect whose question was answered to its end is none any more.
//
// What is known is kept in the state, since an agent in a container dies with its engine. Belongs to the I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"

namespace boatswain::intake::docker {

class Suspects {
  public:
    // `saved`: what `save` was given last, by whatever process; nonsense in it is passed over.
    Suspects(std::string_view saved, std::function<void(const std::string&)> save, const Clock& clock, Metrics& metrics,
             Log& log);
    Suspects(const Suspects&) = delete;
    Suspects& operator=(const Suspects&) = delete;

    // A question while it is open. Destroyed without a word, it was broken off.
    class Question {
      public:
        Question(Question&& other) noexcept : of_(std::exchange(other.of_, nullptr)), number_(other.number_) {}
        Question& operator=(Question&&) = delete;
        ~Question();
        void answered();   // to its end: the engine survived it
        void never_was();  // it did not reach the engine
        void dropped();    // by us, while the engine was answering

      private:
        friend class Suspects;
        Question(Suspects& of, std::uint64_t number) : of_(&of), number_(number) {}
        Suspects* of_;
        std::uint64_t number_;
    };
    // Waits for its turn: the engine is followed, and no suspect is being asked (or, for one, nobody else). The
    // question for a stream that is `follow`ed stays open, so nobody waits for its end; that it is old absolves, too.
    boost::asio::awaitable<Question> ask(std::string id, bool follow);
    bool suspected(const std::string& id) const { return suspects_.contains(id); }
    bool left(const std::string& id) const;  // alone, until started()

    void engine_followed(bool followed);                  // false: it vanished
    void started(const std::string& id, Timestamp when);  // what is told of an earlier start is no news
    void forget(const std::string& id);                   // it is removed

    static constexpr std::chrono::seconds young_max{10};
    static constexpr std::chrono::milliseconds ended_max{2'000};  // a question that ended so lately counts as open
    static constexpr unsigned leave_after = 2;                    // times that the engine vanished
    // A container that is started again by the engine that died of it must not bring that about for ever: after each
    // further time a start counts only so long after the last one, then twice as long, and so on.
    static constexpr std::chrono::minutes pardon_after{10};
    static constexpr unsigned pardon_doublings_max = 8;
    static constexpr std::size_t suspects_max = 1024;  // more are not remembered; the log says so

  private:
    using Steady = std::chrono::steady_clock::time_point;
    struct Suspect {
        unsigned times = 0;  // that the engine vanished
        Timestamp left{};    // since when it is left alone; zero: it is not
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
    bool is_asked(const Open& open) const;
    void absolve(const std::string& id);
    void absolve_the_old();
    void note_ended(const Open& open);
    void end(std::uint64_t number, bool survived, bool counts);
    void vanished();
    void save() const;
    void count();

    std::function<void(const std::string&)> save_;
    const Clock& clock_;
    Log& log_;
    Gauge& left_;
    Gauge& suspected_;
    bool followed_ = true;
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, Open> open_;
    std::list<Ended> ended_;  // oldest first
    std::map<std::string, Suspect> suspects_;
};

}  // namespace boatswain::intake::docker
