// Records of a log file at given places: to tell whether a place is still where it was.
//
// No state, and no more is read than one record, or `record_look_bytes` where that is less.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "intake/log_file/record_form.h"
#include "intake/rotation/log_files.h"

namespace boatswain::intake {

// Of a record that is longer, the place is not told.
inline constexpr std::size_t record_look_bytes = 128U << 10;

// When the file's first record was printed; nothing where it has none, or one that is not understood.
std::optional<Timestamp> first_record_time(const RecordForm& form, LogFile& file);

// What ends at `end`.
struct RecordEnd {
    enum class Is {
        beyond,  // the file is shorter
        torn,    // no newline is before that place
        line,    // a line ends there
    } is = Is::beyond;
    std::optional<Timestamp> time;  // of that line, where it is a record
};
Result<RecordEnd> record_end_at(const RecordForm& form, LogFile& file, std::uint64_t end);

// The last record of a file that is not compressed; nothing as above.
std::optional<Timestamp> last_record_time(const RecordForm& form, LogFile& file);

struct RecordAt {
    std::uint64_t offset = 0;
    LogRecord record;
};
// The first record that starts at `from` or behind it, where `from` may lie in the middle of one.
std::optional<RecordAt> first_record_behind(const RecordForm& form, LogFile& file, std::uint64_t from);

}  // namespace boatswain::intake
