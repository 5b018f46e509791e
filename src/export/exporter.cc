#include "export/exporter.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "export/manifest.h"
#include "export/part_writer.h"

namespace boatswain::exporting {

namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr days day_length{1};

// Far enough from both ends of time that days can be reckoned with.
Timestamp within_bounds(Timestamp time) {
    return std::clamp(time, Timestamp::min() + 2 * day_length, Timestamp::max() - 2 * day_length);
}

// The hours of one tenant, and the segments that hold something of each.
using Unit = std::pair<TenantId, Timestamp>;
struct KeyLess {
    static auto tied(const segment::ObjectKey& key) {
        return std::tie(key.tenant, key.hour, key.spanning, key.host, key.epoch, key.sequence, key.hash);
    }
    bool operator()(const segment::ObjectKey& one, const segment::ObjectKey& other) const {
        return tied(one) < tied(other);
    }
};
using Keys = std::set<segment::ObjectKey, KeyLess>;

// Entries of these segments alone. Lines are not asked: they are of frames whose origin was.
class SegmentIsOneOf final : public query::Filter {
  public:
    explicit SegmentIsOneOf(Keys keys) : keys_(std::move(keys)) {}
    query::Match match(const query::Origin& origin) const override {
        return query::match_if(keys_.contains(origin.segment));
    }
    query::Match match(const query::FrameSummary& frame) const override { return match(frame.origin); }
    query::Match match(const query::Entry&) const override { return query::Match::all; }

  private:
    Keys keys_;
};

std::string folder_of(const Unit& unit) {
    auto text = to_text(unit.second);  // "2026-11-23T10:00:00..."
    return "tenant=" + percent_encode(unit.first.str()) + "/date=" + text.substr(0, 10) +
           "/hour=" + text.substr(11, 2) + "/";
}

void add(query::Tally& total, const query::Tally& day) {
    total.hours_listed += day.hours_listed;
    total.segments_listed += day.segments_listed;
    total.segments_opened += day.segments_opened;
    total.for_others = std::max(total.for_others, day.for_others);
    total.foreign = std::max(total.foreign, day.foreign);
    total.damaged += day.damaged;
    total.copies = std::max(total.copies, day.copies);
    total.conflicts = std::max(total.conflicts, day.conflicts);
}

class Exporter {
  public:
    Exporter(const logql::Ground& ground, const ExportQuestion& question, store::Store& to,
             const std::function<void(const Exported&)>& told)
        : ground_(ground), question_(question), to_(to), told_(told) {}

    Result<Exported> run();

  private:
    Result<void> export_day(const query::TimeRange& day);
    bool has_something(const query::TimeRange& day) const;
    void count_days(Timestamp start);
    void reach(Timestamp time);
    Result<void> find_units(const query::TimeRange& day);
    Result<void> note(const query::SegmentInfo& info, const open::FooterFrame& frame, const query::TimeRange& day);
    // Of the export.
    Timestamp first_hour() const { return std::chrono::floor<hours>(within_bounds(question_.range.since)); }
    Result<void> export_unit(const Unit& unit, const Keys& segments);
    Result<void> put_manifest(const std::string& folder, const Manifest& manifest);
    Result<std::optional<Manifest>> manifest_of(const std::string& folder);
    Result<Manifest> write_lines(const Unit& unit, Manifest manifest, Keys fresh);

    const logql::Ground& ground_;
    const ExportQuestion& question_;
    store::Store& to_;
    const std::function<void(const Exported&)>& told_;
    std::map<Unit, Keys> units_;  // of a day
    std::vector<query::Share> held_;
    std::vector<Timestamp> hours_;                // that have segments
    Timestamp first_{};                           // the first day
    Timestamp last_ = Timestamp::min();           // behind which nothing can lie, as far as is known
    Timestamp footers_reach_ = Timestamp::min();  // the latest that a footer told of
    Exported done_;
};

Result<Exported> Exporter::run() {
    query::Selection selection{.tenant = ground_.tenant, .range = question_.range};
    TRY(hours_, query::hours_with_segments(ground_.store, selection, ground_.limits.budget));
    done_.tally.hours_total = hours_.size();
    if (hours_.empty()) return done_;
    first_ = std::chrono::floor<days>(within_bounds(std::max(hours_.front(), question_.range.since)));
    reach(within_bounds(hours_.back()) + hours{1} + segment::segment_span_max - Nanoseconds{1});
    for (auto start = first_; start <= last_ && start < question_.range.until; start += day_length) {
        count_days(start);
        query::TimeRange day{std::max<Timestamp>(start, first_hour()), start + day_length};
        if (question_.range.until < day.until) day.until = std::chrono::ceil<hours>(question_.range.until);
        if (has_something(day)) CHECK(export_day(day));
        ++done_.days;
        told_(done_);
    }
    return done_;
}

// How many there are of what is known now.
void Exporter::count_days(Timestamp start) {
    auto end = std::min(last_, question_.range.until);
    auto left = std::chrono::floor<days>(end).time_since_epoch() - std::chrono::floor<days>(start).time_since_epoch();
    done_.days_total = done_.days + static_cast<std::uint64_t>(left.count()) + 1;
}

// Whether segments are there that begin on that day, or footers told of lines of it. The first day has those that began
// before and span more.
bool Exporter::has_something(const query::TimeRange& day) const {
    if (day.since < first_ + day_length || footers_reach_ >= day.since) return true;
    auto at = std::ranges::lower_bound(hours_, day.since);
    if (at != hours_.end() && *at < day.until) return true;
    return at != hours_.begin() && *(at - 1) + hours{1} + segment::segment_span_max > day.since;
}

void Exporter::reach(Timestamp time) { last_ = std::max(last_, within_bounds(time)); }

Result<void> Exporter::export_day(const query::TimeRange& day) {
    CHECK(find_units(day));
    for (const auto& [unit, segments] : units_) CHECK(export_unit(unit, segments));
    units_.clear();
    held_.clear();
    return {};
}

Result<void> Exporter::find_units(const query::TimeRange& day) {
    query::Selection selection{.tenant = ground_.tenant,
                               .range = day,
                               .filter = query::all_of({question_.selection, question_.query.filter()})};
    Result<void> noted;
    TRY(auto tally, query::read_footers(
                        ground_.store, ground_.identities, selection, ground_.limits, ground_.observer,
                        [&](const query::SegmentInfo& info, const open::Footer& footer) {
                            for (const auto& frame : footer.frames) {
                                query::Origin origin{info.key, footer.sources[frame.source]};
                                if (!selection.wants(query::FrameSummary{origin, frame})) continue;
                                noted = note(info, frame, day);
                                if (!noted) return false;
                            }
                            return true;
                        }));
    CHECK(noted);
    add(done_.tally, tally);
    return {};
}

Result<void> Exporter::note(const query::SegmentInfo& info, const open::FooterFrame& frame,
                            const query::TimeRange& day) {
    constexpr std::uint64_t nodes_bytes = 300;
    auto last = std::min(frame.counts.last_time, day.until - Nanoseconds{1});
    for (auto hour = std::chrono::floor<hours>(std::max(frame.counts.first_time, day.since)); hour <= last;
         hour += hours{1})
        if (units_[{info.key.tenant, hour}].insert(info.key).second) {
            TRY(held_.emplace_back(),
                ground_.limits.budget.hold(nodes_bytes + memory_of(info), "the segments of a day"));
        }
    footers_reach_ = std::max(footers_reach_, frame.counts.last_time);
    reach(frame.counts.last_time);
    return {};
}

Result<std::optional<Manifest>> Exporter::manifest_of(const std::string& folder) {
    auto key = folder + std::string{manifest_name};
    auto text = to_.read(key);
    if (!text && text.error().remedy == Remedy::re_resolve) return std::nullopt;
    if (!text) return std::unexpected(std::move(text).error());
    auto manifest = parse_manifest(*text);
    if (!manifest) return std::unexpected(std::move(manifest).error().within(to_.describe() + ": " + key));
    if (manifest->question == question_.text) return *manifest;
    if (question_.again) return std::nullopt;
    return fail(Remedy::stop, to_.describe() + ": " + key + " is of the export of " +
                                  printable(manifest->question, 1'000) + ", and this is one of " +
                                  printable(question_.text, 1'000) +
                                  ". Export to another place, or write over it with --again");
}

Result<void> Exporter::put_manifest(const std::string& folder, const Manifest& manifest) {
    auto json = manifest.json();
    return to_.replace(folder + std::string{manifest_name}, json, crypto::sha256(json));
}

Result<void> Exporter::export_unit(const Unit& unit, const Keys& segments) {
    auto folder = folder_of(unit);
    TRY(auto before, manifest_of(folder));
    Manifest manifest{.question = question_.text, .segments = {}};
    if (question_.again)
        CHECK(put_manifest(folder, manifest));  // of parts old and new that a kill would leave, none counts
    else if (before)
        manifest = std::move(*before);
    Keys fresh;
    for (const auto& key : segments)
        if (manifest.segments.insert(digest_of(key)).second) fresh.insert(key);
    if (fresh.empty()) {
        ++done_.hours_kept;
        told_(done_);
        return {};
    }
    TRY(manifest, write_lines(unit, std::move(manifest), std::move(fresh)));
    CHECK(put_manifest(folder, manifest));
    ++done_.hours;
    if (manifest.damaged > 0) ++done_.hours_damaged;
    told_(done_);
    return {};
}

// The lines of an hour that lie in `fresh`, in parts behind those of the manifest; gives the manifest of all.
Result<Manifest> Exporter::write_lines(const Unit& unit, Manifest manifest, Keys fresh) {
    auto ground = ground_;
    ground.tenant = unit.first;
    ground.scope = query::all_of({question_.selection, std::make_shared<SegmentIsOneOf>(std::move(fresh))});
    PartWriter writer{to_, folder_of(unit), question_.format, question_.with_labels, manifest.parts};
    auto parts_before = writer.parts();
    Result<void> written;
    auto each = [&](const query::Entry& entry, const logql::Record* record) {
        // One that reaches over several hours is in the first of them.
        if (!entry.is_line() && entry.text.gap.from < unit.second && unit.second != first_hour()) return true;
        ++(entry.is_line() ? manifest.lines : manifest.gaps);
        ++(entry.is_line() ? done_.lines : done_.gaps);
        written = writer.append(entry, record);
        return written.has_value();
    };
    TRY(auto tally, logql::read_lines(ground, question_.query, {unit.second, unit.second + hours{1}}, each));
    CHECK(written);
    CHECK(writer.finish());
    done_.parts += writer.parts() - parts_before;
    done_.bytes += writer.bytes();
    manifest.parts = writer.parts();
    manifest.bytes += writer.bytes();
    manifest.damaged += tally.damaged;
    return manifest;
}

}  // namespace

Result<Exported> run_export(const logql::Ground& ground, const ExportQuestion& question, store::Store& to,
                            const std::function<void(const Exported&)>& told) {
    return Exporter{ground, question, to, told}.run();
}

}  // namespace boatswain::exporting
