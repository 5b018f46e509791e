// Landlock (landlock(7), Documentation/userspace-api/landlock.rst). The constants are ours: Debian 12's headers know
// the second version only, and the running kernel may speak a later one.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "sandbox/sandbox.h"

namespace boatswain::sandbox {
namespace {

constexpr long create_ruleset_call = 444, add_rule_call = 445, restrict_self_call = 446;  // on every architecture
constexpr unsigned ask_version = 1;
constexpr int path_beneath = 1;

namespace access {
constexpr std::uint64_t execute = 1U << 0, write_file = 1U << 1, read_file = 1U << 2, read_dir = 1U << 3,
                        make_char = 1U << 6, make_block = 1U << 11, refer = 1U << 13, truncate = 1U << 14,
                        ioctl_device = 1U << 15;
constexpr std::uint64_t of_version_1 = (1U << 13) - 1;
constexpr std::uint64_t of_files = execute | write_file | read_file | truncate | ioctl_device;
constexpr std::uint64_t connect_tcp = 1U << 1;
}  // namespace access

namespace scope {
constexpr std::uint64_t abstract_sockets = 1U << 0, signals = 1U << 1;
}

// struct landlock_ruleset_attr of version 6; an older kernel takes a longer one whose rest is zero.
struct RulesetAttributes {
    std::uint64_t handled_files = 0;
    std::uint64_t handled_network = 0;
    std::uint64_t scoped = 0;
};

// struct landlock_path_beneath_attr.
struct __attribute__((packed)) PathBeneath {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};

RulesetAttributes attributes_for(int version, const Rules& rules) {
    RulesetAttributes attributes{.handled_files = access::of_version_1};
    if (version >= 2) attributes.handled_files |= access::refer;
    if (version >= 3) attributes.handled_files |= access::truncate;
    if (version >= 4 && !rules.connect_tcp) attributes.handled_network |= access::connect_tcp;
    if (version >= 5) attributes.handled_files |= access::ioctl_device;
    if (version >= 6) attributes.scoped |= scope::signals;
    if (version >= 6 && !(rules.unix_sockets && rules.abstract_sockets)) attributes.scoped |= scope::abstract_sockets;
    return attributes;
}

Result<void> add(const Fd& ruleset, const Path& path, std::uint64_t allowed) {
    Fd place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (!place && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return {};  // nothing there to be read
    struct stat found{};
    if (!place || ::fstat(place.get(), &found) != 0) return fail_errno(Remedy::stop, "Landlock: open " + path.string());
    if (!S_ISDIR(found.st_mode)) allowed &= access::of_files;
    PathBeneath rule{.allowed = allowed, .parent = place.get()};
    if (::syscall(add_rule_call, ruleset.get(), path_beneath, &rule, 0) != 0)
        return fail_errno(Remedy::stop, "Landlock: allow " + path.string());
    return {};
}

}  // namespace

Result<int> apply_landlock(const Rules& rules) {
    auto version = static_cast<int>(::syscall(create_ruleset_call, nullptr, 0, ask_version));
    if (version < 1) return 0;
    auto attributes = attributes_for(version, rules);
    Fd ruleset{static_cast<int>(::syscall(create_ruleset_call, &attributes, sizeof attributes, 0))};
    if (!ruleset) return fail_errno(Remedy::stop, "Landlock: make a set of rules");

    const std::uint64_t reads = access::read_file | access::read_dir;
    const std::uint64_t devices = access::make_char | access::make_block | access::ioctl_device;
    const std::uint64_t writes = attributes.handled_files & ~(access::execute | devices);
    if (rules.read_everything) CHECK(add(ruleset, "/", reads));
    for (const auto& path : rules.read) CHECK(add(ruleset, path, reads));
    for (const auto& path : rules.write) CHECK(add(ruleset, path, writes));
    if (::syscall(restrict_self_call, ruleset.get(), 0) != 0)
        return fail_errno(Remedy::stop, "Landlock: confine this process");
    return version;
}

}  // namespace boatswain::sandbox
