// Where an engine keeps its containers' logs, and in which form:
//
//   Docker   ROOT/containers/ID/ID-json.log, as JSON; config.v2.json beside it says what the container is
//   Podman   ROOT/STORAGE-containers/ID/userdata/ctr.log, as a CRI runtime writes it (driver k8s-file, which Podman's
//            API calls json-file). At a rotation conmon makes ctr.log.tmp and moves it over ctr.log: no older file
//            keeps a name. What the container is only the engine says.
//
// As measured with Podman 4.3.1 and conmon 2.1.6. Values only, but for layout_at().
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "engine/container.h"
#include "intake/log_file/record_form.h"

namespace boatswain::intake::docker {

struct LogLayout {
    bool podman = false;
    Path containers;  // the directory of all, as it is seen from here; empty: nobody said where it is
    Path told;        // the same, as the engine says; empty: not known

    Path directory_of(const std::string& id) const { return containers / id / within(); }  // of the log
    Path log_of(const std::string& id) const { return directory_of(id) / log_name(id); }
    // A directory of a container's own directory, which is made later than that; empty: the log lies in it itself.
    std::string_view within() const { return podman ? "userdata" : ""; }

    std::string_view reader() const { return podman ? "k8s-file" : "json-file"; }  // as people are told
    const RecordForm& form() const;
    bool is_log(std::string_view file) const;  // one of the log's own
    // Whether that driver's lines are in these files.
    bool holds(std::string_view log_driver) const;
    // Whether the log that the engine names is the one that is looked for here: a user may have chosen another place.
    bool is_told(const engine::ContainerFacts& facts) const;

    bool operator==(const LogLayout&) const = default;

  private:
    std::string log_name(const std::string& id) const { return podman ? "ctr.log" : id + "-json.log"; }
};

// As the engine says; `root`: its data directory as it is seen from here, where that is another place.
LogLayout layout_of(const engine::EngineInfo& engine, const Path& root);
// Before the engine was asked, by what lies in `root`. Nothing: that may be one or the other.
std::optional<LogLayout> layout_at(const Path& root);

}  // namespace boatswain::intake::docker
