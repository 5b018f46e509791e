// fleet key: the keys that prove heartbeats.
#include "boatswain/commands.h"
#include "heartbeat/key.h"

namespace boatswain::tool {
namespace {

constexpr unsigned secret_mode = 0600;

int failed_with(Console& console, const Error& error) {
    console.complain(error.what);
    return exit_error;
}

}  // namespace

int run(const FleetKeyNew& request, Console& console) {
    auto created = create_file_durably(request.file, heartbeat::to_file(heartbeat::FleetKey::make()), secret_mode);
    if (!created) return failed_with(console, created.error());
    if (!*created) return failed_with(console, {.what = request.file + " is there already, and is left as it is"});
    console.out.write("wrote " + request.file + ": give it to `boatswain fleet status`, and it or a key derived from it " +
                      "to each agent (fleet.key)\n");
    return exit_ok;
}

int run(const FleetKeyDerive& request, Console& console) {
    auto key = heartbeat::read_key(request.key_file);
    if (!key) return failed_with(console, key.error());
    const auto* fleet = std::get_if<heartbeat::FleetKey>(&*key);
    if (fleet == nullptr) return failed_with(console, {.what = request.key_file + " is the key of one host already"});
    console.out.write(heartbeat::to_file(fleet->of_host(request.host)));
    return exit_ok;
}

}  // namespace boatswain::tool
