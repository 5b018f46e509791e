#include "query/roll_up.h"

#include <algorithm>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "query/forms.h"
#include "query/opened.h"
#include "query/ordered_parallel.h"
#include "query/roll_up_segment.h"
#include "query/rolled_up.h"
#include "rollup/rollup.h"
#include "segment/seal.h"

namespace boatswain::query {
namespace {

constexpr std::size_t workers_max = 4;
constexpr int zstd_level = 3;

class DayBuilder {
  public:
    DayBuilder(store::Store& store, std::span<const open::Identity> identities, const TenantId& tenant, Timestamp day,
               const RollUpOptions& options, const Limits& limits, Observer& observer)
        : store_(store),
          identities_(identities),
          tenant_(tenant),
          day_(day),
          options_(options),
          limits_(limits),
          observer_(observer),
          catalog_(store, &limits.budget) {}

    Result<RolledUpDay> run() {
        std::vector<RollupInfo> rollups;
        TRY(auto places,
            catalog_.hours(tenant_, {.first = day_, .last = day_ + std::chrono::hours{rollup::hours_max - 1}},
                           &rollups));
        open_older(rollups);
        for (const auto& place : places)
            if (!place.spanning) CHECK(add(place));
        bool is_as_before = old_ && done_.hours_kept == done_.hours && old_->index().size() == done_.hours;
        // Nothing of it opens: it is another tenant's, whose roll-up stays.
        if (done_.segments == 0 || is_as_before) return done_;
        TRY(auto bytes, rollup::seal_rollup(tenant_, day_, options_.now, parts_, identities_));
        CHECK(store_.replace(rollup::rollup_key(tenant_, day_), bytes, crypto::sha256(bytes)));
        done_.bytes = bytes.size();
        return done_;
    }

  private:
    // One that is not to be believed is made again.
    void open_older(const std::vector<RollupInfo>& rollups) {
        auto found = std::ranges::find(rollups, day_, &RollupInfo::day);
        if (found == rollups.end() || options_.again) return;
        auto opened = open_rollup(store_, identities_, tenant_, *found, store_.read_ahead_bytes());
        if (opened)
            old_.emplace(std::move(*opened));
        else if (!open::is_for_others(opened.error()))
            observer_.rollup_refused(Error{opened.error()}.within(rollup::rollup_key(tenant_, day_)));
    }

    Result<void> add(const HourPlace& place) {
        TRY(auto infos, catalog_.segments(tenant_, place));
        std::string listing;
        for (const auto& info : infos) listing += info.key.str() + " " + std::to_string(info.size) + "\n";
        rollup::HourParts parts{.hour = place.hour, .listing = to_hex(crypto::sha256(listing))};
        ++done_.hours;
        if (!keep_old(parts)) {
            TRY(auto forms, settle_forms(store_, infos));
            (void)forms;  // readers count them
            CHECK(make(infos, parts));
        }
        TRY(auto held,
            limits_.budget.hold(parts.footers.size() + (parts.grams ? parts.grams->size() : 0), "a day's roll-up"));
        held_.push_back(std::move(held));
        parts_.push_back(std::move(parts));
        return {};
    }

    bool keep_old(rollup::HourParts& parts) {
        if (!old_) return false;
        auto found = old_->index().find(parts.hour);
        if (found == old_->index().end() || found->second.listing != parts.listing) return false;
        if (options_.grams && !found->second.grams) return false;
        auto footers = old_->read(found->second.footers);
        if (!footers) return false;
        if (found->second.grams) {
            auto grams = old_->read(*found->second.grams);
            if (!grams) return false;
            parts.grams = std::move(*grams);
        }
        parts.footers = std::move(*footers);
        parts.footers_text_bytes = found->second.footers_text_bytes;
        parts.segments = found->second.segments;
        done_.segments += parts.segments;
        ++done_.hours_kept;
        return true;
    }

    Result<void> make(const std::vector<SegmentInfo>& infos, rollup::HourParts& parts) {
        std::string text, grams;
        std::vector<Share> text_held;
        std::vector<rollup::GramFilter> band;
        auto close_band = [&] {
            if (!band.empty()) grams += rollup::pack_band(band);
            band.clear();
        };
        auto take = [&](std::size_t, PreparedSegment prepared) -> Result<void> {
            if (prepared.damage) observer_.damaged(*prepared.damage);
            if (!prepared.summary) {
                ++done_.left_out;
                return {};
            }
            auto packed = rollup::pack_summaries(std::span{&*prepared.summary, 1});
            std::uint64_t filters = 0;  // until their band is packed, and then there
            for (const auto& filter : prepared.filters) filters += sizeof filter + 2 * filter.bits.size();
            TRY(text_held.emplace_back(), limits_.budget.hold(packed.size() + filters, "the footers of an hour"));
            text += packed;
            if (text.size() > rollup::footers_text_bytes_max)
                return fail(Remedy::stop, "the footers of one hour are more than a roll-up may hold");
            ++parts.segments;
            done_.text_bytes += prepared.text_bytes;
            for (auto& filter : prepared.filters) {
                band.push_back(std::move(filter));
                if (band.size() == rollup::frames_of_band) close_band();
            }
            return {};
        };
        auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, workers_max);
        CHECK(ordered_parallel<PreparedSegment>(
            infos.size(), threads, threads + 1,
            [&](std::size_t at) { return prepare_segment(store_, infos[at], identities_, limits_, options_.grams); },
            take));
        close_band();
        done_.segments += parts.segments;
        parts.footers = segment::Compressor{zstd_level}.compress(text);
        parts.footers_text_bytes = text.size();
        if (options_.grams) parts.grams = std::move(grams);
        return {};
    }

    store::Store& store_;
    std::span<const open::Identity> identities_;
    const TenantId& tenant_;
    Timestamp day_;
    const RollUpOptions& options_;
    Limits limits_;
    Observer& observer_;
    Catalog catalog_;
    std::optional<rollup::Rollup> old_;
    std::vector<rollup::HourParts> parts_;
    std::vector<Share> held_;
    RolledUpDay done_;
};

}  // namespace

Result<RolledUpDay> roll_up_day(store::Store& store, std::span<const open::Identity> identities, const TenantId& tenant,
                                Timestamp day, const RollUpOptions& options, const Limits& limits, Observer& observer) {
    return DayBuilder{store, identities, tenant, day, options, limits, observer}.run();
}

Result<std::vector<Timestamp>> days_with_segments(store::Store& store, const TenantId& tenant, const TimeRange& range,
                                                  Budget& budget) {
    Catalog catalog{store, &budget};
    TRY(auto places, catalog.hours(tenant, hours_of(range)));
    std::set<Timestamp> days;
    for (const auto& place : places)
        if (!place.spanning) days.insert(std::chrono::floor<std::chrono::days>(place.hour));
    return std::vector<Timestamp>{days.begin(), days.end()};
}

}  // namespace boatswain::query
