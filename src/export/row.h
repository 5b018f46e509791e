// One line or gap as a row for other programs. Nothing is lost: bytes that are not UTF-8 have a column of their own,
// and gaps are rows.
//
// Columns: time host app component instance source name stream partial message bytes_base64 gap gap_until gap_lines_min
// gap_bytes_min, and labels where a query gives them. NDJSON leaves out members that say nothing. Tenant, date and hour
// are in the names of files, as partitions are (docs/reading/export.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "logql/record.h"
#include "query/filter.h"

namespace boatswain::exporting {

enum class RowFormat : std::uint8_t { ndjson, csv };

// What stands first in a file: the names of CSV's columns.
std::string_view heading_of(RowFormat format, bool with_labels);

// `record`: what a pipeline left of a line; its labels are written when `with_labels`. Nothing for a gap.
void append_row(std::string& text, RowFormat format, const query::Entry& entry, const logql::Record* record,
                bool with_labels);

}  // namespace boatswain::exporting
