// Whether the engine that answers is the one whose containers the state knows.
//
// Another one behind the same socket (an engine that was set up again, a data directory that is not mounted, a socket
// that was moved) lists none of them and says 404 of each. Were they taken for removed, all of their logs would be
// stored twice once the former engine is back. So the state keeps the engine's ID and which directory its containers
// have. While another one answers nothing is forgotten, for other_engine_max at most; its own containers are read as
// usual. An engine that lists a container which the state knows is the same, whatever it calls itself.
//
// Engine IDs: up to 20.10 that of /etc/docker/key.json, whatever the data directory; later the data directory's own.
// Therefore the directory's inode and time of birth count, too.
//
// Belongs to the I/O thread.
#pragma once

#include <chrono>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/container.h"
#include "spool/spool.h"

namespace boatswain::intake::docker {

inline constexpr std::chrono::hours other_engine_max{7 * 24};

class KnownEngine {
  public:
    // `meant`: the ID of the engine that is meant, as the operator says; empty: the first that answered. `spool`,
    // `clock` and `log` outlive it.
    KnownEngine(std::string meant, spool::Spool& spool, const Clock& clock, Log& log);

    // This one answered, whose containers have that directory.
    void met(const engine::EngineInfo& engine, const Path& containers);
    // Its first list since: whether a container that was known before is on it, and whether any was.
    void listed(bool one_is_known, bool any_was_known);
    // Time went by.
    void look_again();

    bool is_other() const { return standing_ != Sameness::same; }  // or may be: nobody is taken for removed
    const std::string& trouble() const { return last_error_; }     // a sentence, while another one answers

  private:
    enum class Sameness { same, doubtful, other };

    void take_over();
    void note(const std::string& name, const std::string& value);

    const std::string meant_;
    spool::Spool& spool_;
    const Clock& clock_;
    Log& log_;
    Sameness standing_ = Sameness::same;
    std::string id_, directory_, root_;  // of the one that answers; empty: not known
    std::string last_error_;
};

}  // namespace boatswain::intake::docker
