// What ls, logs and inspect share: opening the store and the identities, and telling what was met on the way.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "boatswain/output.h"
#include "boatswain/patience.h"
#include "boatswain/unmatched.h"
#include "open/identity.h"
#include "query/merge.h"
#include "store/store.h"

namespace boatswain::tool {

// All identities of all files, in their order.
Result<std::vector<open::Identity>> read_identities(const std::vector<std::string>& files, Console& console);

// At most so many damaged objects are named; the rest is counted.
inline constexpr std::size_t damages_named_max = 100;

// A line on standard error that says how far reading has come. Only where that is a terminal, and only after a while.
class Progress final : public query::Observer {
  public:
    // With names it notices which of them are not there.
    explicit Progress(Console& console, const Unmatched::Names& asked_for = {});
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void damaged(const Error& error) override;
    void rollup_refused(const Error& error) override { refused_rollups_.insert(error.what); }
    void progress(const query::Tally& tally) override;
    void met(const Source& source) override { unmatched_.met(source); }

    // Takes the line away, so that something else can be printed.
    void clear();
    // Starts over: what was damaged will be met again.
    void forget();
    // Names each damaged object on standard error, and each roll-up that was not used. Whether there was damage.
    bool tell_damages();
    const Unmatched& unmatched() const { return unmatched_; }

  private:
    Console& console_;
    std::chrono::steady_clock::time_point last_;
    bool shown_ = false;
    std::vector<std::string> damages_;  // the first damages_named_max
    std::uint64_t damages_not_named_ = 0;
    std::set<std::string> refused_rollups_;
    Unmatched unmatched_;
};

// One reading that went well, to say what came of it.
struct Conclusion {
    store::Store& store;
    const query::Tally& tally;
    const query::Selection& selection;
    const std::vector<open::Identity>& identities;
    bool complete = true;                   // all that was asked for was gone through: no limit ended it
    bool says_when_nothing_matches = true;  // else that is an answer like any other
};

// What a person should know of a reading: objects passed over, damaged ones, names that are not there. The exit code:
// exit_error when something was damaged, or when there were segments and none could be opened.
int conclude(Console& console, Progress& progress, const Conclusion& reading);

// Error to standard error; exit_over_budget or exit_error.
int failed(Console& console, const Error& error);

}  // namespace boatswain::tool
