// A store in front of one that works: it is away, full, refuses, loses its answers, or lets nobody look, as it is told.
// Thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>

#include "store/store.h"

namespace boatswain::model {

enum class Mood {
    well,
    away,         // no answer to anything
    full,         // puts fail, and may be tried again
    refusing,     // each object is refused for what it is
    forbidding,   // nothing is allowed
    answers_lost  // puts are done, and their answers are lost
};

class MoodyStore final : public store::Store {
  public:
    explicit MoodyStore(store::Store& under) : under_(under) {}

    // `mood` for `puts` puts, then `afterwards`.
    void set(Mood mood, unsigned puts = std::numeric_limits<unsigned>::max(), Mood afterwards = Mood::well) {
        std::scoped_lock lock{guard_};
        mood_ = mood, left_ = puts, afterwards_ = afterwards;
    }
    // Credentials that may put and not look (s3:PutObject alone).
    void let_look(bool may_look) {
        std::scoped_lock lock{guard_};
        may_look_ = may_look;
    }
    Mood mood() const {
        std::scoped_lock lock{guard_};
        return mood_;
    }

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        auto [mood, may_look] = next_put();
        if (auto trouble = trouble_of(mood)) return std::unexpected(*trouble);
        if (mood == Mood::full) return fail(Remedy::back_off, "507 no space is left");
        if (mood == Mood::refusing) return fail(Remedy::quarantine, "413 EntityTooLarge");
        auto outcome = under_.put(key, bytes, sha256);
        if (mood == Mood::answers_lost) return fail(Remedy::back_off, "the answer was lost");
        if (!may_look && outcome && *outcome != store::PutOutcome::created) return store::PutOutcome::unseen;
        return outcome;
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override {
        return under_.replace(key, bytes, sha256);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        if (auto trouble = trouble_of_look()) return std::unexpected(*trouble);
        return under_.read(key, range);
    }
    Result<std::string> read(std::string_view key) override {
        if (auto trouble = trouble_of_look()) return std::unexpected(*trouble);
        return under_.read(key);
    }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        if (auto trouble = trouble_of_look()) return std::unexpected(*trouble);
        return under_.list(prefix, delimited, next);
    }
    Result<void> probe() override { return under_.probe(); }
    std::string describe() const override { return under_.describe(); }

  private:
    std::pair<Mood, bool> next_put() {
        std::scoped_lock lock{guard_};
        auto mood = mood_;
        if (left_ != std::numeric_limits<unsigned>::max() && --left_ == 0) {
            mood_ = afterwards_;
            left_ = std::numeric_limits<unsigned>::max();
        }
        return {mood, may_look_};
    }
    static std::optional<Error> trouble_of(Mood mood) {
        if (mood == Mood::away) return Error{.remedy = Remedy::back_off, .what = "no answer"};
        if (mood == Mood::forbidding) return Error{.remedy = Remedy::stop, .what = "403 AccessDenied"};
        return std::nullopt;
    }
    std::optional<Error> trouble_of_look() const {
        std::scoped_lock lock{guard_};
        if (!may_look_) return trouble_of(Mood::forbidding);
        return trouble_of(mood_);
    }

    store::Store& under_;
    mutable std::mutex guard_;
    Mood mood_ = Mood::away;
    Mood afterwards_ = Mood::well;
    unsigned left_ = std::numeric_limits<unsigned>::max();
    bool may_look_ = true;
};

}  // namespace boatswain::model
