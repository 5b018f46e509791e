#include "api/bounded_store.h"

namespace boatswain::api {

namespace {

std::unexpected<Error> only_read() { return fail(Remedy::stop, "this store is only read"); }

}  // namespace

BoundedStore::End BoundedStore::end() {
    if (given_up_) return End::given_up;
    if (clock_.steady() >= bounds_.until) return End::too_late;
    if (bytes_ > bounds_.bytes_max) return End::too_much;
    std::lock_guard lock{mutex_};
    return failure_.empty() ? End::none : End::failed;
}

Result<void> BoundedStore::check() {
    if (!is_over()) return {};
    return fail(Remedy::stop, "the question has ended");
}

// What concerns one object alone (damaged, or gone meanwhile) is the reader's to judge.
template <class T>
Result<T> BoundedStore::note(Result<T> result) {
    if (!result && result.error().remedy != Remedy::quarantine && result.error().remedy != Remedy::re_resolve) {
        std::lock_guard lock{mutex_};
        failure_ = result.error().what;
    }
    return result;
}

Result<store::PutOutcome> BoundedStore::put(std::string_view, std::string_view, std::string_view) {
    return only_read();
}

Result<void> BoundedStore::replace(std::string_view, std::string_view, std::string_view) { return only_read(); }

Result<store::RangeBytes> BoundedStore::read(std::string_view key, store::Range range) {
    CHECK(check());
    auto result = note(store_.read(key, range));
    if (result) bytes_ += result->bytes.size();
    return result;
}

Result<std::string> BoundedStore::read(std::string_view key) {
    CHECK(check());
    auto result = note(store_.read(key));
    if (result) bytes_ += result->size();
    return result;
}

Result<store::ListPage> BoundedStore::list(std::string_view prefix, bool delimited,
                                           const std::optional<std::string>& next) {
    CHECK(check());
    return note(store_.list(prefix, delimited, next));
}

std::string BoundedStore::failure() const {
    std::lock_guard lock{mutex_};
    return failure_;
}

}  // namespace boatswain::api
