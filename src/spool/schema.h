// The tables of state.sqlite, and how those of an older version become them.
#pragma once

#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "spool/sqlite.h"

namespace boatswain::spool {

// Before the names of Spool::note() in the table `meta`.
inline constexpr std::string_view note_prefix = "note.";

// Makes the tables of a database that is new (with an epoch of its own), or migrates those of an older version, in one
// transaction. One of a newer version is Remedy::stop, with what to do. `state`: its file, for what is said.
Result<void> prepare_schema(Session& session, const Path& state, const Clock& clock, Log& log);

// Names a state directory, or a stretch of its life: when it began, and enough chance that two of one second differ.
std::string draw_epoch(Timestamp now);

// When a state directory was made, as its epoch says; nothing where it does not.
std::optional<Timestamp> time_of_epoch(std::string_view epoch);

}  // namespace boatswain::spool
