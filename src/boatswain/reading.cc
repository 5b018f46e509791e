#include "boatswain/reading.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/text.h"
#include "boatswain/commands.h"

namespace boatswain::tool {

namespace {

constexpr std::chrono::milliseconds progress_every{200};

// Silence must mean that those who were asked for were silent.
void tell_unmatched(Console& console, const Unmatched& unmatched, bool nothing_matched) {
    auto sentences = unmatched.sentences();
    for (const auto& sentence : sentences) console.note(sentence);
    if (sentences.empty() && nothing_matched) console.note("no line of this stretch of time is one that was asked for");
}

std::string recipients_text(const std::vector<open::Identity>& identities) {
    std::string text;
    for (const auto& identity : identities) text += (text.empty() ? "" : ", ") + identity.recipient().str();
    return text;
}

}  // namespace

Result<std::vector<open::Identity>> read_identities(const std::vector<std::string>& files, Console& console) {
    std::vector<open::Identity> all;
    for (const auto& file : files) {
        auto read = open::read_identity_file(file);
        if (!read) {
            auto error = std::move(read).error();
            bool says_which = error.what.find(file) != std::string::npos;
            return std::unexpected(
                std::move(error).within(says_which ? "--identity" : "--identity " + printable(file)));
        }
        if (read->empty())
            return fail(Remedy::stop,
                        "--identity " + printable(file) + ": there is no identity (AGE-SECRET-KEY-1...) in this file");
        all.insert(all.end(), read->begin(), read->end());
    }
    if (secret_memory().unlocked_bytes > 0)
        console.complain("warning: the system locks no more memory (ulimit -l): an identity may reach a swap area");
    return all;
}

Progress::Progress(Console& console, const Unmatched::Names& asked_for)
    : console_(console), last_(console.clock.steady()), unmatched_(asked_for) {}
Progress::~Progress() { clear(); }

void Progress::damaged(const Error& error) {
    if (damages_.size() < damages_named_max)
        damages_.push_back(error.what);
    else
        ++damages_not_named_;
}

void Progress::forget() {
    damages_.clear();
    damages_not_named_ = 0;
}

void Progress::progress(const query::Tally& tally) {
    // What was found so far may be all for a while: fetching the next hour takes its time.
    console_.out.flush();
    auto now = console_.clock.steady();
    if (!console_.err.is_terminal() || now - last_ < progress_every) return;
    last_ = now;
    shown_ = true;
    console_.err.write(fmt::format("\r\x1b[Khour {} of {}, {} read ", tally.hours_listed, tally.hours_total,
                                   counted(tally.segments_listed, "segment")));
    console_.err.flush();
}

void Progress::clear() {
    if (!std::exchange(shown_, false)) return;
    console_.err.write("\r\x1b[K");
    console_.err.flush();
}

bool Progress::tell_damages() {
    clear();
    bool any = !damages_.empty();
    for (const auto& refused : refused_rollups_) console_.note("a roll-up was not used: " + refused);
    refused_rollups_.clear();
    for (const auto& damage : damages_) console_.complain(damage);
    if (damages_not_named_ > 0)
        console_.complain(fmt::format("and {} more", counted(damages_not_named_, "damaged object")));
    forget();
    return any;
}

int conclude(Console& console, Progress& progress, const Conclusion& reading) {
    const auto& [store, tally, selection, identities, complete, says_when_nothing_matches] = reading;
    progress.tell_damages();
    auto whose =
        selection.tenant ? fmt::format(" of tenant \"{}\"", printable(selection.tenant->str())) : std::string{};
    if (tally.foreign > 0)
        console.note(fmt::format("{} in the store {} not Boatswain's and {} passed over",
                                 counted(tally.foreign, "name"), tally.foreign == 1 ? "is" : "are",
                                 tally.foreign == 1 ? "was" : "were"));
    if (tally.conflicts > 0)
        console.complain(
            fmt::format("{}{} {} there as several objects with different bytes, and the lines of all of "
                        "them are shown: a key was taken. `boatswain verify` names them",
                        counted(tally.conflicts, "segment"), whose, tally.conflicts == 1 ? "is" : "are"));
    if (tally.hours_total == 0)
        console.note(fmt::format("there is no segment{} in this stretch of time; `boatswain ls` shows what there is{}",
                                 whose, selection.tenant ? suggestion_for_tenant(store, *selection.tenant) : ""));
    if (tally.for_others > 0 && tally.segments_opened == 0) {
        console.complain(
            fmt::format("none of the {}{} can be opened: {} not sealed for the identity given ({}). Give the "
                        "tenant's key with --identity FILE",
                        counted(tally.for_others, "segment"), whose, tally.for_others == 1 ? "it is" : "they are",
                        recipients_text(identities)));
        return exit_error;
    }
    if (tally.for_others > 0)
        console.note(fmt::format("{}{} {} passed over: sealed for other keys", counted(tally.for_others, "segment"),
                                 whose, tally.for_others == 1 ? "was" : "were"));
    if (complete && tally.segments_opened > 0)
        tell_unmatched(console, progress.unmatched(), says_when_nothing_matches && tally.entries == 0);
    return tally.damaged > 0 ? exit_error : exit_ok;
}

int failed(Console& console, const Error& error) {
    console.complain(error.what);
    return query::is_over_budget(error) ? exit_over_budget : exit_error;
}

}  // namespace boatswain::tool
