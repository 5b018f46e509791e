// What the agent can say about one container: whose it is, how it is read, how far, and what stands in the way.
//
// A value, made by the table of containers on the I/O thread when somebody asks (boatswaind/control.h). It holds no
// line of the container and no value of its environment: of rules only their text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "intake/source/last_error.h"
#include "record/position.h"
#include "record/source.h"
#include "tenancy/policy.h"

namespace boatswain::intake {

// What becomes of a container's lines, in one word.
enum class Verdict {
    collected,      // sealed for its tenant
    quarantined,    // sealed for the operator
    dropped,        // policy: tenancy.unassigned = "drop"
    held,           // nobody to seal for: read as soon as there is a key
    deriving,       // held for a moment: the key it carries is being derived
    excluded,       // by docker.include, docker.exclude or the label boatswain.exclude
    own,            // the agent's own container
    unreadable,     // log driver none, and attach is off
    not_inspected,  // the engine could not say what it is
};
std::string_view to_string(Verdict verdict);  // "collected", "not-inspected", ...
// Its lines go on to the store.
constexpr bool is_collected(Verdict verdict) {
    return verdict == Verdict::collected || verdict == Verdict::quarantined;
}

// Where a reader of log files stands.
struct FileStatus {
    std::string path;
    std::uint64_t offset = 0;           // the next byte to read, in the file being read
    std::optional<std::uint64_t> size;  // of that file now; nothing for a compressed or removed one
    std::uint64_t lag_bytes = 0;        // not yet read, in this file and those that follow it
    std::size_t files_held = 0;         // rotated files that are held open and not read yet
};

struct Description {
    std::string id;
    std::string name;
    std::vector<std::string> former_names;  // that it had since this agent knows it, the latest last
    std::string image;
    std::string log_driver;
    Timestamp created{};
    bool running = false;
    bool removed = false;

    Verdict verdict = Verdict::not_inspected;
    std::string reason;                        // of the verdict: a sentence
    tenancy::Lack lack = tenancy::Lack::none;  // likewise
    // The rest is known of containers that were looked at for reading: not excluded, own or uninspected.
    std::optional<Attribution> whose;  // with the tenant under whose name lines are sealed, and the rule that answered
    std::string reader = "none";       // "json-file", "logs", "attach"
    std::string reader_reason;

    std::optional<FileStatus> file;          // json-file
    std::optional<TimePosition> last_times;  // logs: of the last line of each stream
    std::uint64_t lines_read = 0;            // since this agent started
    std::uint64_t lines_unsealed = 0;        // of those, not yet durable in the spool
    std::uint64_t open_frame_bytes = 0;      // text in the frame that grows
    std::optional<Timestamp> last_line;      // the newest line's own time
    bool waits_for_room = false;             // reading pauses: memory or spool is full
    std::optional<LastError> last_error;

    // The tenant's batch, of all its containers.
    std::uint64_t batch_lines = 0;
    std::uint64_t batch_bytes = 0;  // of text, before compression
    std::optional<Nanoseconds> batch_age;

    // Set for a container that is gone: when it was read to its end, or given up.
    std::optional<Timestamp> ended;
};

// Those that `wanted` names: by id, else by name, else by a former name, else by the beginning of the id. One that is
// gone is found only when none that is there answers; of those that are gone, the last one of a name is meant.
std::vector<Description> find_described(const std::vector<Description>& all, std::string_view wanted);

}  // namespace boatswain::intake
