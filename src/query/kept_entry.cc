#include "query/kept_entry.h"

namespace boatswain::query {

std::shared_ptr<const Printer> EntryKeeper::printer_of(const Entry& entry) {
    bool is_same = last_ && last_->segment == entry.segment && last_->source.id == entry.source.id;
    if (!is_same) last_ = std::make_shared<const Printer>(Printer{entry.segment, entry.source});
    return last_;
}

Result<KeptEntry> EntryKeeper::keep(const Entry& entry) {
    KeptEntry one{.printer = printer_of(entry), .bytes = {}, .text = entry.text, .ordinal = entry.ordinal, .held = {}};
    if (entry.is_line()) {
        one.bytes = std::make_unique<std::string>(entry.text.line.bytes);
        one.text.line.bytes = *one.bytes;
        one.text.raw = {};
    }
    auto bytes = sizeof(KeptEntry) + (one.bytes ? one.bytes->capacity() : 0) + entry.text.gap.reason.capacity() +
                 (one.printer.use_count() == 2 ? printer_bytes : 0);
    TRY(one.held, budget_.hold(bytes, what_));
    return one;
}

}  // namespace boatswain::query
