// Exports lines for other programs: Hive-partitioned files below a store (a directory, or S3), one folder for each
// tenant and hour (UTC) of the lines:
//
//   tenant=acme/date=2026-11-23/hour=10/part-00001.ndjson.zst ... _boatswain.json
//
// Invariants
//   - A run that ends early, by a kill as well, loses and repeats nothing: the next one goes on. An hour is exported
//     when its manifest is there, and a manifest is put after its parts (manifest.h).
//   - Lines are added to an hour when segments hold some that were not there before (a host was away), in further
//     parts. What is exported stays when the store deletes its segments.
//   - Memory: one part (part_writer.h), the names of the segments of a day, and what reading an hour takes; the latter
//     two are held of the budget.
//
// Days are gone through one after the other: footers say which hours have something, then those are read.
#pragma once

#include <cstdint>
#include <string>

#include "export/row.h"
#include "logql/evaluate.h"
#include "query/merge.h"

namespace boatswain::exporting {

struct ExportQuestion {
    query::TimeRange range;      // whole hours are exported: those that it touches
    logql::LogQuery query;       // of nothing: every line
    query::FilterPtr selection;  // beside it
    std::string text;            // names both: in manifests, and for people
    RowFormat format = RowFormat::ndjson;
    bool with_labels = false;
    bool again = false;  // also what is exported
};

// What was done so far.
struct Exported {
    std::uint64_t days_total = 0, days = 0;
    std::uint64_t hours = 0;       // of one tenant each, of which something was written
    std::uint64_t hours_kept = 0;  // that were exported before
    std::uint64_t hours_damaged = 0;
    std::uint64_t parts = 0, lines = 0, gaps = 0, bytes = 0;
    query::Tally tally;  // of all footers
};

// `ground.observer` hears of damage as with query::read_lines(); `told` is called often. Errors: of either store, over
// budget; Remedy::stop when `to` holds the export of another question.
Result<Exported> run_export(const logql::Ground& ground, const ExportQuestion& question, store::Store& to,
                            const std::function<void(const Exported&)>& told);

}  // namespace boatswain::exporting
