#include "boatswain/previous_runs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "query/filter_pod.h"

namespace boatswain::tool {
namespace {

constexpr std::uint64_t run_bytes = 600;  // what it costs to hold one, about

// Runs of one container have the same one. A pod may come back on another node; an engine's names are its own.
std::string container_of(const segment::ObjectKey& segment, const Source& source) {
    auto pod = query::pod_container(source);
    if (!pod) return segment.host + "\n" + source.name;
    return std::string{pod->space} + "/" + std::string{pod->pod} + "/" + std::string{pod->container};
}

struct Run {
    Timestamp first_line{};
    query::Share held;
};
// By tenant and container; then by the source's id.
using Runs = std::map<std::pair<TenantId, std::string>, std::map<std::string, Run>>;

Result<void> gather(Runs& runs, const query::SegmentInfo& info, const open::Footer& footer,
                    const query::Selection& selection, query::Budget& budget) {
    for (const auto& frame : footer.frames) {
        const auto& source = footer.sources[frame.source];
        if (!selection.wants(query::FrameSummary{{info.key, source}, frame})) continue;
        auto [run, is_new] = runs[{info.key.tenant, container_of(info.key, source)}].try_emplace(source.id);
        if (is_new) {
            TRY(run->second.held, budget.hold(run_bytes, "the runs of containers"));
            run->second.first_line = frame.counts.first_time;
        }
        run->second.first_line = std::min(run->second.first_line, frame.counts.first_time);
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> previous_runs(store::Store& store, const std::vector<open::Identity>& identities,
                                               const query::Selection& selection, const query::Limits& limits,
                                               query::Observer& observer) {
    Runs runs;
    Result<void> taken;
    TRY(auto tally, query::read_footers(
                        store, identities, selection, limits, observer,
                        [&](const query::SegmentInfo& info, const open::Footer& footer) {
                            taken = gather(runs, info, footer, selection, limits.budget);
                            return taken.has_value();
                        }));
    (void)tally;
    CHECK(taken);
    std::vector<std::string> ids;
    for (const auto& [container, all] : runs) {
        std::vector<std::pair<Timestamp, std::string>> ordered;
        for (const auto& [id, run] : all) ordered.emplace_back(run.first_line, id);
        std::ranges::sort(ordered);
        if (ordered.size() > 1) ids.push_back(ordered[ordered.size() - 2].second);
    }
    return ids;
}

}  // namespace boatswain::tool
