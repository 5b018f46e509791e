// Where in the files of a json-file log a container stands that was read through the engine so far.
//
// The engine serves the records of those files with their times and bytes, so the entry that was taken last is found
// among them as it would be in an answer of the engine (logs_place.h), from the end of the log.
#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"
#include "record/position.h"

namespace boatswain::intake::docker {

// At most so much is looked through, from the end of the log; compressed files are not.
inline constexpr std::uint64_t file_place_bytes_max = 64U << 20;

// The place behind what was taken; nothing when it is not found there. `pieces_counted` as LogsPlace has it. A place in
// the middle of a long line is not looked for.
std::optional<FilePosition> place_in_files(const Path& log_path, const TimePosition& taken, bool pieces_counted);

}  // namespace boatswain::intake::docker
