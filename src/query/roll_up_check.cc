#include "query/roll_up_check.h"

#include <algorithm>
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
        auto opened = open_rollup(store_, identities_, tenant_, listed, ReadAhead::piece_bytes);
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
        rollup::GramIndex grams;
        Share grams_held;
        if (described.grams) {
            TRY(grams_held, limits_.budget.hold(2 * described.grams->bytes, "filters of a roll-up"));
            TRY(auto bytes, rollup.read(*described.grams));
            TRY(grams, rollup::GramIndex::parse(std::move(bytes), frames_total));
        }
        std::size_t first_frame = 0;
        auto take = [&](std::size_t at, PreparedSegment found) -> Result<void> {
            compare(said[at], frames[at], found, described.grams ? &grams : nullptr, first_frame);
            first_frame += frames[at];
            return {};
        };
        auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, workers_max);
        return ordered_parallel<PreparedSegment>(
            infos.size(), threads, threads + 1,
            [&](std::size_t at) {
                return prepare_segment(store_, infos[at], identities_, limits_, described.grams.has_value());
            },
            take);
    }

    void compare(const rollup::SegmentSummary& said, std::size_t frames, const PreparedSegment& found,
                 const rollup::GramIndex* grams, std::size_t first_frame) {
        if (!found.summary) {
            ++done_.left_out;
            return;
        }
        ++done_.segments;
        if (found.summary->header_mac != said.header_mac) return tell(said.key + ": it is another object");
        if (found.summary->footer_json != said.footer_json) return tell(said.key + ": its footer is another one");
        if (grams == nullptr) return;
        for (std::size_t i = 0; i < frames; ++i)
            if (found.frames[i].is_known && !grams->frame(first_frame + i).holds(found.frames[i].slots))
                tell(said.key + ": frame " + std::to_string(i) + ": its filter rules out what is in it");
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
