#include "query/roll_up_check.h"

#include <algorithm>
#include <deque>
#include <thread>

#include "base/bytes.h"
#include "query/opened.h"
#include "query/ordered_parallel.h"
#include "query/roll_up_segment.h"
#include "query/rolled_up.h"
#include "rollup/rollup.h"

namespace boatswain::query {
namespace {

constexpr std::size_t workers_max = 4;

class Check {
  public:
    Check(store::Store& store, std::span<const open::Identity> identities, const TenantId& tenant, const Limits& limits)
        : store_(store), identities_(identities), tenant_(tenant), limits_(limits) {}

    Result<RollUpCheck> run(const RollupInfo& listed) {
        auto opened = open_rollup(store_, identities_, tenant_, listed, store_.read_ahead_bytes());
        if (!opened) {
            if (open::is_for_others(opened.error())) {
                done_.is_for_others = true;
                return done_;
            }
            CHECK(refuse_or_fail(opened.error()));
            return done_;
        }
        for (const auto& [hour, described] : opened->index()) {
            auto checked = check_hour(*opened, hour, described);
            if (!checked) CHECK(refuse_or_fail(checked.error()));
        }
        return done_;
    }

  private:
    // What is wrong with the roll-up is a problem of it; the store's trouble ends the check.
    Result<void> refuse_or_fail(const Error& error) {
        if (!is_of_one_object(error)) return std::unexpected(error);
        tell(error.what);
        return {};
    }

    void tell(std::string what) {
        ++done_.problem_count;
        if (done_.problems.size() < roll_up_problems_max) done_.problems.push_back(std::move(what));
    }

    Result<void> check_hour(rollup::Rollup& rollup, Timestamp hour, const rollup::IndexHour& described) {
        TRY(auto held, limits_.budget.hold(2 * described.footers_text_bytes, "footers of a roll-up"));
        TRY(auto said, rollup.summaries(described));
        std::vector<SegmentInfo> infos;
        std::vector<std::size_t> frames;  // of each, as the roll-up counts them
        std::size_t frames_total = 0;
        for (const auto& one : said) {
            auto key = segment::parse_object_key(one.key);
            if (!key || key->tenant != tenant_ || key->hour != hour)
                return fail(Remedy::quarantine, "it names " + printable(one.key, 200) + " in another place");
            infos.push_back({.key = std::move(*key), .size = one.size});
            TRY(auto footer, open::parse_footer(one.footer_json));
            frames.push_back(footer.frames.size());
            frames_total += footer.frames.size();
        }
        std::optional<rollup::GramReader> grams;
        Share grams_held;
        if (described.grams) {
            TRY(grams_held, limits_.budget.hold(rollup::Rollup::filters_memory_max, "filters of a roll-up"));
            TRY(auto reader, rollup.filters(described, frames_total));
            grams.emplace(std::move(reader));
        }
        std::deque<rollup::GramFilter> filters;  // those of the band that were not yet compared
        Share filters_held;
        auto take = [&](std::size_t at, PreparedSegment found) -> Result<void> {
            while (grams && filters.size() < frames[at]) {
                TRY(auto band, grams->next_band());
                if (band.empty()) return fail(Remedy::quarantine, "grams: fewer filters than frames");
                std::ranges::move(band, std::back_inserter(filters));
                std::uint64_t bytes = 0;  // those of bands before that are still waiting, too
                for (const auto& filter : filters) bytes += sizeof filter + filter.bits.size();
                filters_held = {};
                TRY(filters_held, limits_.budget.hold(3 * bytes, "filters of a roll-up"));
            }
            compare(said[at], found, filters);
            if (grams) filters.erase(filters.begin(), filters.begin() + static_cast<std::ptrdiff_t>(frames[at]));
            return {};
        };
        auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, workers_max);
        CHECK(ordered_parallel<PreparedSegment>(
            infos.size(), threads, threads + 1,
            [&](std::size_t at) {
                return prepare_segment(store_, infos[at], identities_, limits_, described.grams.has_value());
            },
            take));
        // What readers refuse at their end: bytes behind the last frame's.
        if (grams) CHECK(grams->finish());
        return {};
    }

    // `filters`: those of its frames come first; or none.
    void compare(const rollup::SegmentSummary& said, const PreparedSegment& found,
                 const std::deque<rollup::GramFilter>& filters) {
        if (!found.summary) {
            ++done_.left_out;
            return;
        }
        ++done_.segments;
        if (found.summary->header_mac != said.header_mac) return tell(said.key + ": it is another object");
        if (found.summary->footer_json != said.footer_json) return tell(said.key + ": its footer is another one");
        if (filters.empty()) return;
        for (std::size_t i = 0; i < found.filters.size(); ++i)
            if (found.filters[i] != filters[i])
                tell(said.key + ": frame " + std::to_string(i) + ": its filter is not what the frame gives");
    }

    store::Store& store_;
    std::span<const open::Identity> identities_;
    const TenantId& tenant_;
    const Limits& limits_;
    RollUpCheck done_;
};

}  // namespace

Result<RollUpCheck> check_roll_up(store::Store& store, std::span<const open::Identity> identities,
                                  const TenantId& tenant, const RollupInfo& listed, const Limits& limits) {
    return Check{store, identities, tenant, limits}.run(listed);
}

}  // namespace boatswain::query
