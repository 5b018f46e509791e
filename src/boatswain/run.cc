#include "boatswain/run.h"

#include "boatswain/arguments.h"
#include "boatswain/commands.h"

namespace boatswain::tool {

int run(int argc, const char* const* argv, Console& console) {
    auto arguments = parse_arguments(argc, argv, console.clock.now());
    int code = arguments.exit_code;
    if (arguments.request) {
        code = std::visit([&](const auto& request) { return run(request, console); }, *arguments.request);
    } else {
        (code == exit_ok ? console.out : console.err).write(arguments.text);
    }
    console.out.flush();
    if (auto trouble = console.out.trouble(); !trouble) {
        console.complain(trouble.error().what);
        code = exit_error;
    }
    console.err.flush();
    return code;
}

}  // namespace boatswain::tool
