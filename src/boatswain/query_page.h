// Pages of an answer on the command line: where one that a limit ended is gone on with, by another process, later.
//
// The text of a cursor is SINCE/UNTIL/ and that of query/cursor.h: the stretch of time belongs to it, since `--since 1h`
// means another one an hour later.
#pragma once

#include <string>

#include "boatswain/commands.h"
#include "query/cursor.h"
#include "query/range.h"

namespace boatswain::tool {

// A file with a cursor, `@FILE`, is at most so long; that of 5,000 sources is shorter.
inline constexpr std::uint64_t cursor_file_bytes_max = 4U << 20;

struct QueryPage {
    query::TimeRange range;  // of the whole question
    query::Cursor cursor;

    // What is left of the range.
    query::TimeRange rest() const { return cursor.rest_of(range); }
    std::string str() const;
};

// The first page of `request` in `range`, or the one that its cursor stands for. Remedy::stop: a cursor that no page of
// this question gave, or a file that cannot be read.
Result<QueryPage> page_of(const Query& request, const query::TimeRange& range);

}  // namespace boatswain::tool
