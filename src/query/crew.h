// The threads that read for questions: one crew for all questions of a process, however many run.
//
// A question enlists its work, and calls when a piece of it may begin. Hands go to those that called in turn, a piece at
// a time, so that a long question does not keep a short one waiting. Nobody depends on a hand: what none has begun, the
// one who asks does alone. So a crew without a free hand, or without any, makes questions slower and never stuck.
//
// Thread-safe. Outlives the work that is enlisted.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "open/segment_reader.h"

namespace boatswain::query {

// As many hands as the machine has cores, and at least hands_min, since on S3 reading is waiting.
inline constexpr std::size_t hands_min = 8;
inline constexpr std::size_t hands_max = 32;
std::size_t hands_of_this_machine();

class Crew {
  public:
    class Work {
      public:
        Work() = default;
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        virtual ~Work() = default;
        // One piece, if there is still one that may begin; called without a lock, by several hands at once.
        virtual void do_one(open::FrameOpener& opener) = 0;
    };

    // Threads begin when they are needed. With 0 hands whoever asks does all of it.
    explicit Crew(std::size_t hands = hands_of_this_machine());
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    void enlist(Work& work);
    // A piece of `work`, which is enlisted, may begin: a hand comes, once. May be called from do_one(), and under a lock
    // that do_one() takes.
    void call(Work& work);
    // No hand comes to `work` any more, and none is at it. Not under a lock that do_one() takes.
    void dismiss(Work& work);

    std::size_t hands() const;  // that have begun

  private:
    struct Enlisted {
        Work* work = nullptr;
        bool has_called = false;
        std::size_t hands = 0;  // at it
    };
    std::list<Enlisted>::iterator find(const Work& work);
    void stand_by();

    const std::size_t hands_allowed_;
    mutable std::mutex guard_;  // of what follows
    std::condition_variable is_called_, is_left_;
    std::list<Enlisted> enlisted_;  // whose turn is next stands first
    std::size_t idle_ = 0;
    bool is_over_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace boatswain::query
