// One entry with everything that it borrows: to hold it after the call that handed it out.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "query/budget.h"
#include "query/filter.h"

namespace boatswain::query {

// Who printed, shared by the entries that are kept.
struct Printer {
    segment::ObjectKey segment;
    Source source;
};

struct KeptEntry {
    std::shared_ptr<const Printer> printer;
    std::unique_ptr<std::string> bytes;  // of a line
    open::TextEntry text;
    std::uint64_t ordinal = 0;
    Share held;

    // Borrows from this.
    Entry entry() const {
        return {.segment = printer->segment, .source = printer->source, .text = text, .ordinal = ordinal};
    }
};

// Keeps entries; those of one printer that come one after the other share it.
class EntryKeeper {
  public:
    // `what` names for people what is kept: "the last lines". Both are borrowed.
    EntryKeeper(Budget& budget, std::string_view what) : budget_(budget), what_(what) {}

    // An error: the budget is used up (is_over_budget()).
    Result<KeptEntry> keep(const Entry& entry);

  private:
    static constexpr std::uint64_t printer_bytes = 1'000;
    std::shared_ptr<const Printer> printer_of(const Entry& entry);

    Budget& budget_;
    std::string_view what_;
    std::shared_ptr<const Printer> last_;
};

}  // namespace boatswain::query
