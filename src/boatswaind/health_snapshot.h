// What the agent makes of its parts' troubles: whether it lives, and whether it does its work. Pure.
//
// Alive fails only when a new start helps: when something that has to run for ever has ended, when our own sandbox
// keeps us out of a directory that was mounted since the start (the store's, the engine's), or when the engine's socket
// is a mounted file that went stale. An agent whose I/O thread hangs does not answer at all, which comes to the same.
// Whatever comes from outside (a disk, a store, an
// engine) is no reason to be ended for: it would be met again after the start, and what memory holds would be read
// twice.
//
// Ready fails while lines are not read or do not reach the store. Containers that wait for a key are a note while
// others are read: whoever starts one without a key must not make a rollout wait. Where none is read at all, they are a
// reason (docs/decisions/0032-held-is-a-note.md).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "intake/source/intake.h"
#include "serve/observe.h"
#include "spool/taken_key.h"

namespace boatswain::boatswaind {

// A write to the state directory, or a put, that takes longer than that is reported: a disk or a mount that hangs.
inline constexpr std::chrono::minutes seal_stuck_after{1};
inline constexpr std::chrono::minutes put_stuck_after{10};

struct HealthSnapshot {
    std::vector<intake::IntakeHealth> intakes;
    intake::ReadingStatus reading;         // of all of them
    std::vector<std::string> ended_tasks;  // of the agent's own that have to run for ever
    std::optional<std::string> sealing_trouble, shipping_trouble;
    std::optional<std::string> store_lost;                // store::Store::lost()
    std::vector<std::string> key_troubles;                // key files that are broken, with file and line
    std::vector<std::string> removed_keys;                // key files that were removed, and what is done about it
    std::optional<Nanoseconds> sealing_for, putting_for;  // what is under way
    std::vector<std::string> hub_troubles;                // hubs that are not connected, and why
    bool has_canary = false;
    std::optional<std::string> canary_trouble;  // lines of the agent's own that did not come back from the store
    std::optional<std::string>
        state_trouble;  // the state was lost at this start: told, and no reason against being ready
    std::uint64_t spool_bytes = 0, spool_bytes_max = 0;
    std::size_t spool_segments = 0;
    std::size_t tenants_without_room = 0;    // of the spool: reading of their containers pauses
    spool::AsideTotals aside;                // segments that the store refuses
    std::vector<spool::Conflict> conflicts;  // keys that were taken, which nobody acknowledged
};

// Whether every way in has looked for what is there. A part's word alone: "engine".
bool follows_all(const HealthSnapshot& condition);
bool follows(const HealthSnapshot& condition, std::string_view part);

serve::Health aliveness(const HealthSnapshot& condition);
serve::Health readiness(const HealthSnapshot& condition);

// "6 of 7 containers are held: no key (5), its key file was removed (1)"; nothing when none is.
std::optional<std::string> held_text(const intake::ReadingStatus& reading);
// The same without the numbers: "no key, its key file was removed".
std::string held_words(const intake::ReadingStatus& reading);
std::size_t held_count(const intake::ReadingStatus& reading);

// Every word that may stand as `part` of a reason against being ready.
inline constexpr std::array<std::string_view, 11> ready_parts{
    "tasks", "engine", "pods", "reading", "sealing", "spool", "store", "conflict", "canary", "keyring", "held"};

}  // namespace boatswain::boatswaind
