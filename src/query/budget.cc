#include "query/budget.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace boatswain::query {

Share::~Share() {
    if (budget_ != nullptr) budget_->give_back(bytes_);
}

bool Budget::take(std::uint64_t bytes, std::uint64_t limit) {
    auto held = held_.load();
    do {
        if (bytes > limit || held > limit - bytes) return false;
    } while (!held_.compare_exchange_weak(held, held + bytes));
    note_peak();
    return true;
}

void Budget::note_peak() {
    auto now = held_ + text_ + ahead_;
    auto peak = peak_.load();
    while (peak < now && !peak_.compare_exchange_weak(peak, now)) {
    }
}

Result<Share> Budget::hold(std::uint64_t bytes, std::string_view what) {
    if (!take(bytes, held_bytes_max())) return std::unexpected(over_budget(*this, what));
    return Share{*this, bytes};
}

Share Budget::try_tail(std::uint64_t bytes) {
    if (!take(bytes, tail_bytes_max())) return {};
    return {*this, bytes};
}

void Budget::set_text(std::uint64_t bytes) {
    text_ = bytes;
    note_peak();
}

void Budget::set_ahead(std::uint64_t bytes) {
    ahead_ = bytes;
    note_peak();
}

bool is_over_budget(const Error& error) { return error.cause == std::errc::not_enough_memory; }

Error over_budget(const Budget& budget, std::string_view what) {
    return {.remedy = Remedy::stop,
            .what = "over budget: " + std::string{what} + " need more than half of the " +
                    size_to_text(budget.bytes_max()) +
                    " of memory that this may take; ask for less with --tenant, --app, --since and --until, or give "
                    "more with --memory",
            .cause = std::make_error_code(std::errc::not_enough_memory)};
}

}  // namespace boatswain::query
