// Where the state directory may lie: on a disk of this machine. Positions and segments are kept by an SQLite database
// in WAL mode and by locks and renames that are durable once they are synced; network file systems and those of other
// programs (FUSE) promise none of that, and two machines that share one would each take the state for their own.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::boatswaind {

// "NFS", for a kind of file system (statfs(2), f_type) that cannot hold the state; nothing for any other.
std::optional<std::string_view> unfit_for_state(std::uint64_t kind);

// The kind of the file system on which `path`, or the nearest directory above it that is there, lies.
Result<std::uint64_t> file_system_kind(const Path& path);

// Remedy::stop, with the reason, where `state_dir` cannot lie. `kind_of` is for tests.
Result<void> check_state_place(const Path& state_dir,
                               const std::function<Result<std::uint64_t>(const Path&)>& kind_of = file_system_kind);

}  // namespace boatswain::boatswaind
