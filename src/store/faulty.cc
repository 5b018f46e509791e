#include "store/faulty.h"

#include <thread>

namespace boatswain::store {
namespace {

std::size_t index(Operation operation) { return static_cast<std::size_t>(operation); }

}  // namespace

void FaultyStore::on_call(Operation operation, std::uint64_t nth, Fault fault) {
    std::lock_guard lock{mutex_};
    scripts_[index(operation)].nth.insert_or_assign(nth, std::move(fault));
}

void FaultyStore::on_every_call(Operation operation, Fault fault) {
    std::lock_guard lock{mutex_};
    scripts_[index(operation)].every = std::move(fault);
}

void FaultyStore::heal() {
    std::lock_guard lock{mutex_};
    for (auto& script : scripts_) script.nth.clear(), script.every.reset();
}

std::uint64_t FaultyStore::calls(Operation operation) const {
    std::lock_guard lock{mutex_};
    return scripts_[index(operation)].calls;
}

Fault FaultyStore::fault_of_this_call(Operation operation) {
    std::lock_guard lock{mutex_};
    auto& script = scripts_[index(operation)];
    auto found = script.nth.find(++script.calls);
    return found != script.nth.end() ? found->second : script.every.value_or(Fault{});
}

template <class Work>
auto FaultyStore::with_fault(Operation operation, const Work& work) -> decltype(work()) {
    auto fault = fault_of_this_call(operation);
    if (fault.delay.count() > 0) std::this_thread::sleep_for(fault.delay);
    if (!fault.error) return work();
    if (fault.when == Fault::When::after) (void)work();
    return std::unexpected(*fault.error);
}

Result<PutOutcome> FaultyStore::put(std::string_view key, std::string_view bytes, std::string_view sha256) {
    return with_fault(Operation::put, [&] { return under_.put(key, bytes, sha256); });
}

Result<PutOutcome> FaultyStore::put_file(std::string_view key, const Path& file, std::string_view bytes,
                                         std::string_view sha256) {
    return with_fault(Operation::put, [&] { return under_.put_file(key, file, bytes, sha256); });
}

Result<void> FaultyStore::replace(std::string_view key, std::string_view bytes, std::string_view sha256) {
    return with_fault(Operation::replace, [&] { return under_.replace(key, bytes, sha256); });
}

Result<RangeBytes> FaultyStore::read(std::string_view key, Range range) {
    return with_fault(Operation::read, [&] { return under_.read(key, range); });
}

Result<std::string> FaultyStore::read(std::string_view key) {
    return with_fault(Operation::read, [&] { return under_.read(key); });
}

Result<ListPage> FaultyStore::list(std::string_view prefix, bool delimited, const std::optional<std::string>& next) {
    return with_fault(Operation::list, [&] { return under_.list(prefix, delimited, next); });
}

Result<void> FaultyStore::probe() {
    return with_fault(Operation::probe, [&] { return under_.probe(); });
}

}  // namespace boatswain::store
