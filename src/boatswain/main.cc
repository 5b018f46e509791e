// boatswain: the tool for people. It may open segments; boatswaind, on the hosts, cannot.
#include <unistd.h>
#include <csignal>
#include <cstdlib>

#include "base/time.h"
#include "boatswain/run.h"

int main(int argc, char** argv) {
    using namespace boatswain;
    // A reader that went away (`| head`) is told by EPIPE, and ends the tool quietly.
    std::signal(SIGPIPE, SIG_IGN);
    SystemClock clock;
    bool colour = std::getenv("NO_COLOR") == nullptr;
    tool::Console console{.out = tool::Output{STDOUT_FILENO, colour},
                          .err = tool::Output{STDERR_FILENO, colour},
                          .in = STDIN_FILENO,
                          .clock = clock};
    return tool::run(argc, argv, console);
}
