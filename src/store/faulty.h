// A store that fails as told, in front of one that works. For tests of whatever puts and reads.
//
//   FaultyStore store{directory};
//   Error lost{Remedy::back_off, "the answer was lost"};
//   store.on_call(Operation::put, 3, {.when = Fault::When::after, .error = lost});
//   store.on_every_call(Operation::list, {.delay = 50ms});
//
// Calls are counted from 1, for each operation apart. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <mutex>

#include "store/store.h"

namespace boatswain::store {

enum class Operation { put, read, list, probe, replace };

struct Fault {
    enum class When {
        before,  // nothing reaches the store
        after,   // the store has done it, and the answer is lost
    };
    When when = When::before;
    std::optional<Error> error{};  // none: only the delay
    std::chrono::milliseconds delay{0};
};

class FaultyStore final : public Store {
  public:
    // `under` is borrowed.
    explicit FaultyStore(Store& under) : under_(under) {}

    void on_call(Operation operation, std::uint64_t nth, Fault fault);  // once
    void on_every_call(Operation operation, Fault fault);               // where no other is set
    void heal();                                                        // forgets all faults; counts stay
    std::uint64_t calls(Operation operation) const;

    Result<PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<PutOutcome> put_file(std::string_view key, const Path& file, std::string_view bytes,
                                std::string_view sha256) override;
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha256) override;
    Result<RangeBytes> read(std::string_view key, Range range) override;
    Result<std::string> read(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) override;
    Result<void> probe() override;
    std::uint64_t read_ahead_bytes() const override { return under_.read_ahead_bytes(); }
    std::string describe() const override { return "faulty " + under_.describe(); }

  private:
    struct Script {
        std::map<std::uint64_t, Fault> nth;
        std::optional<Fault> every;
        std::uint64_t calls = 0;
    };
    Fault fault_of_this_call(Operation operation);
    template <class Work>
    auto with_fault(Operation operation, const Work& work) -> decltype(work());

    Store& under_;
    mutable std::mutex mutex_;
    std::array<Script, 5> scripts_;
};

}  // namespace boatswain::store
