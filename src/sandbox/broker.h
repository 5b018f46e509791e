// A process of its own that may still open unix sockets when we may no longer: the one way of a confined process to its
// engine. It opens two named places and no other: the engine's socket, and the service manager's.
//
// What runs as code in the confined process can ask for the same, and gets the same: a connection to that socket. So
// what lies behind it decides. With a guard there (guard/guard.h) that is reading; with the engine itself it is
// everything, and `only_guard` refuses it (docs/decisions/0026).
//
// The broker is forked before anything is confined and before the first thread. It has no file, no capability and no
// environment of ours in hand: descriptors are closed, Landlock leaves it nothing to read or write, and it is not
// dumpable, so that the confined process cannot look into it. It ends with its parent.
//
// On the wire: one byte, 'E' (a connection to the engine) or 'N' (tell the manager), with a descriptor of a stream
// socket over which everything else goes. 'E' is answered by one byte, and the connection's descriptor when that is 0
// (else it is the errno, or not_a_guard); net::receive() reads that. 'N': the text comes, until shutdown; then one
// byte.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::sandbox {

struct BrokerOptions {
    Path engine;                                    // a unix socket; empty: none
    bool only_guard = false;                        // hand out connections to a guard alone
    std::string manager;                            // NOTIFY_SOCKET's value; empty: none
    std::function<void()> give_up_privileges = {};  // called in the new process, first of all
};

inline constexpr unsigned char not_a_guard = 255;

// What stands at a socket, found by a question that no engine knows and every guard refuses.
enum class Behind { guard, something_else, nobody };
Behind look_behind(const Path& socket);

class Broker {
  public:
    // Forks. No thread may run, and SIGTERM, SIGINT and SIGHUP should be blocked: the broker outlives a request to end.
    static Result<Broker> start(const BrokerOptions& options);

    // Asks for a connection to the engine, without waiting: what it answers comes over the descriptor. An error: the
    // broker is gone.
    Result<Fd> ask_engine() const;
    // Waits for at most a second.
    Result<void> notify(std::string_view text) const;
    // Readable when the broker has ended.
    int descriptor() const { return channel_.get(); }
    pid_t process() const { return process_; }

  private:
    Broker(Fd channel, pid_t process) : channel_(std::move(channel)), process_(process) {}
    Result<Fd> ask(char what) const;

    Fd channel_;
    pid_t process_;
};

}  // namespace boatswain::sandbox
