// Frames that are read before a merge asks for them: fetched, opened and searched by the hands of a crew (crew.h), in
// about the order in which they will be asked for.
//
// Frames of a segment that lie side by side are one run: one request, and work for one thread. What is read and not
// taken yet is bounded by a part of the budget (Budget::ahead_bytes_max()). So that a question that ends early reads
// little in vain, it begins with few frames and grows with what is taken. Where there is no room for a run, whoever
// asks for a frame of it reads that alone.
//
// Threads share what is const, the store and the segments' readers, which allow it; all else has one owner at a
// time, handed over under one lock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "query/budget.h"
#include "query/crew.h"
#include "query/opened.h"
#include "query/selection.h"

namespace boatswain::query {

// Up to so many bytes that nobody asked for are fetched between two frames rather than asking twice.
inline constexpr std::uint64_t run_hole_bytes_max = 128U << 10;
// A run is at most this share of what may be held.
inline constexpr std::uint64_t run_share = 16;
// What is held before anything was taken.
inline constexpr std::uint64_t ahead_bytes_first = 1U << 20;

struct ReadFrame {
    std::string text;
    bool is_wanted = false;  // all entries in it are: wanted_of()
};

// Frame `index`, read now. Errors name the object.
Result<ReadFrame> read_frame(const Selection& selection, Opened& segment, std::size_t index, open::FrameOpener& opener);

class FramesAhead final : public Crew::Work {
  public:
    // All are borrowed.
    FramesAhead(const Selection& selection, Budget& budget, Crew& crew);
    ~FramesAhead() override;  // waits for what is being read

    // These frames of `segment`, which ascend, will be asked for.
    void plan(const std::shared_ptr<Opened>& segment, std::span<const std::size_t> frames);
    // A frame that was planned, once. Called by one thread.
    Result<ReadFrame> take(const std::shared_ptr<Opened>& segment, std::size_t index);

  private:
    struct Frame {
        std::size_t index = 0;
        bool is_taken = false;
        std::optional<Result<ReadFrame>> read{};
        std::uint64_t held = 0;  // of read, in bytes
    };
    enum class State : std::uint8_t { waiting, running, done };
    struct Run {
        std::shared_ptr<Opened> segment;
        std::vector<Frame> frames;
        std::uint64_t cost = 0;  // while it is read: text, and twice what is fetched
        State state = State::waiting;
        std::multimap<Timestamp, std::shared_ptr<Run>>::iterator place{};  // while waiting
    };
    using RunPtr = std::shared_ptr<Run>;
    struct Place {
        RunPtr run;
        std::size_t at = 0;
    };
    using Key = std::pair<const Opened*, std::size_t>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return std::hash<const void*>{}(key.first) ^ (key.second * 0x9E3779B97F4A7C15U);
        }
    };

    void add(RunPtr run);
    void do_one(open::FrameOpener& opener) override;
    bool may_begin() const;
    void call_one();
    void begin(Run& run);
    void read(Run& run, open::FrameOpener& opener);
    void hold(std::int64_t bytes);

    const Selection& selection_;
    Budget& budget_;
    Crew& crew_;

    std::mutex guard_;  // of all below
    std::condition_variable has_read_;
    std::multimap<Timestamp, RunPtr> waiting_;
    std::unordered_map<Key, Place, KeyHash> places_;
    std::uint64_t held_ = 0;
    std::uint64_t taken_ = 0;  // text of what was taken, in bytes
    bool is_over_ = false;

    open::FrameOpener opener_;  // of the one who takes
};

}  // namespace boatswain::query
