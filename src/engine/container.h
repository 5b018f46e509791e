// What the engine says about a container. Values only; engine/client.h fetches them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "record/source_facts.h"

namespace boatswain::engine {

// An id has so many hex digits, in lower case. Every id that comes out of this file is checked for that.
inline constexpr std::size_t container_id_size = 64;
bool is_container_id(std::string_view text);  // so many lower-case hex digits

inline constexpr std::size_t mounts_max = 8;  // kept ones

struct ContainerFacts : SourceFacts {  // id: 64 hex digits; name: without the leading '/'
    Timestamp created{};
    std::optional<Timestamp> started_at;  // nothing for "0001-01-01T00:00:00Z"
    std::optional<Timestamp> finished_at;
    bool running = false;
    bool restarting = false;
    bool paused = false;
    int exit_code = 0;
    bool tty = false;
    bool auto_remove = false;
    std::string log_driver;                          // "json-file", "local", "none", ...
    std::map<std::string, std::string> log_options;  // at most more_bytes_max together
    std::string log_path;  // absolute path on the engine's host without ".."; empty for other drivers than json-file
    std::vector<std::pair<std::string, std::string>> mounts;  // kept ones: source on the host, destination in it
};

// What they take of memory, about.
std::size_t cost_of(const ContainerFacts& facts);

// Puts words into facts, within the bounds. For whoever parses another description of a container than those below.
class ContainerWordKeeper : public WordKeeper {
  public:
    ContainerWordKeeper(const WordFilter& filter, ContainerFacts& facts) : WordKeeper(filter, facts), facts_(facts) {}
    void mount(std::string_view source, std::string_view destination);
    void log_option(std::string_view key, std::string_view value);

  private:
    ContainerFacts& facts_;
    std::size_t log_options_bytes_ = 0;
};

// From GET /containers/ID/json (API 1.24 and later). Odd answers (null where a map is meant, environment entries
// without '=', wrong types in fields we do not need) are accepted; a missing or malformed Id is Remedy::quarantine.
Result<ContainerFacts> parse_inspect(std::string_view json, const WordFilter& keep);

// From config.v2.json and hostconfig.json in the container's directory, for a container that is gone before inspect
// answered. `hostconfig` may be empty when it could not be read.
Result<ContainerFacts> parse_config_v2(std::string_view config, std::string_view hostconfig, const WordFilter& keep);

struct ContainerSummary {  // one entry of GET /containers/json?all=1
    std::string id;
    std::string state;  // "created", "running", "exited", ...
};
Result<ContainerSummary> parse_container_summary(std::string_view json);

struct ContainerList {
    std::vector<ContainerSummary> containers;
    bool whole = true;  // false: an entry made no sense, so who is not among `containers` may be there all the same
};

struct Event {  // one object of GET /events
    enum class Action { create, start, die, destroy, rename, other };
    Action action = Action::other;
    std::string id;  // the container's
    Timestamp time{};
    std::optional<int> exit_code;  // with die
    bool shortened = false;        // it was too long: its labels, and with them the exit code, were left out
};
// Events of other types than container are `other` with an empty id; of them and of actions we do not know nothing but
// the time is read. An error the engine reports in the stream ({"message": ...}) is Remedy::back_off.
Result<Event> parse_event(std::string_view json);

struct EngineInfo {           // GET /info and GET /version
    std::string version;      // "20.10.24"
    std::string api_version;  // highest it speaks, "1.41"
    std::string min_api_version;
    std::string spoken_api_version;  // what we settled on
    bool newer = false;              // its oldest version is newer than all that we know
    std::string root_dir;            // DockerRootDir
    std::string default_log_driver;
    std::string name;     // the host's name
    std::string id;       // drawn when its data directory was made; empty where /info is kept from us, and of Podman
    bool podman = false;  // by its own word
    std::string storage_driver;  // "overlay2"; empty: not told
};
Result<EngineInfo> parse_version(std::string_view json);           // GET /version; the rest stays empty
Result<void> parse_info(std::string_view json, EngineInfo& info);  // adds GET /info

// The engine's own words in the body of a refusal: {"message": "..."} or plain text (before API 1.24), made printable.
std::string parse_error_message(std::string_view body);

}  // namespace boatswain::engine
