// A store for the length of one question: it ends when the client is gone, when the question has taken too long, or
// when it has read too much; and it remembers when the store behind it failed.
//
// A question that ends so is refused with Remedy::stop, and so is everything it asks afterwards. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>

#include "store/store.h"

namespace boatswain::api {

struct StoreBounds {
    std::chrono::steady_clock::time_point until;
    std::uint64_t bytes_max = 0;
};

class BoundedStore final : public store::Store {
  public:
    enum class End { none, given_up, too_late, too_much, failed };

    // All borrowed.
    BoundedStore(store::Store& store, StoreBounds bounds, const Clock& clock, const std::atomic<bool>& given_up)
        : store_(store), bounds_(bounds), clock_(clock), given_up_(given_up) {}

    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override;
    Result<std::string> read(std::string_view key) override;
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override;
    Result<void> probe() override { return store_.probe(); }
    std::uint64_t read_ahead_bytes() const override { return store_.read_ahead_bytes(); }
    std::string describe() const override { return store_.describe(); }

    // Why nothing more is read; looks at the bounds.
    End end();
    // The question may go no further: an answer made from here on would not be whole. (A store that failed once may
    // have answered since.)
    bool is_over() {
        auto why = end();
        return why != End::none && why != End::failed;
    }
    std::uint64_t bytes() const { return bytes_; }
    // What the store behind said last, when it failed; empty: it did not.
    std::string failure() const;

  private:
    Result<void> check();
    template <class T>
    Result<T> note(Result<T> result);

    store::Store& store_;
    const StoreBounds bounds_;
    const Clock& clock_;
    const std::atomic<bool>& given_up_;
    std::atomic<std::uint64_t> bytes_ = 0;
    mutable std::mutex mutex_;  // of what follows
    std::string failure_;
};

}  // namespace boatswain::api
