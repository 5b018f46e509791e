// Lines, gaps and closing records in the forms of our own routes: one JSON object a record, or a file to keep.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "logql/record.h"
#include "query/filter.h"

namespace boatswain::api {

enum class RecordFormat { ndjson, json, csv, text, raw };

// Remedy::stop for a name that is none of them.
Result<RecordFormat> record_format_of(std::string_view name);
std::string_view content_type_of(RecordFormat format);
std::string_view extension_of(RecordFormat format);

// One record. `record` is what a pipeline made of a line; nullptr for what is no line. `is_hit`: among lines around it.
std::string record_json(const query::Entry& entry, const logql::Record* record, bool is_hit = false);
// The same as a line of a file; what stands before the first and behind the last one is said by before() and behind().
std::string record_text(RecordFormat format, const query::Entry& entry, const logql::Record* record, bool is_first);
std::string_view before(RecordFormat format);
std::string_view behind(RecordFormat format);

}  // namespace boatswain::api
