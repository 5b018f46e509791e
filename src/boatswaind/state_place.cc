#include "boatswaind/state_place.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace boatswain::boatswaind {
namespace {

struct Unfit {
    std::uint64_t kind;
    std::string_view name;
};

// Source: statfs(2) and the kernel's include/uapi/linux/magic.h.
constexpr std::array<Unfit, 17> unfit{{{0x6969, "NFS"},
                                       {0x65735546, "FUSE"},
                                       {0xFF534D42, "SMB (CIFS)"},
                                       {0xFE534D42, "SMB"},
                                       {0x517B, "SMB"},
                                       {0x01021997, "9P"},
                                       {0x00C36400, "Ceph"},
                                       {0x0BD00BD0, "Lustre"},
                                       {0x5346414F, "AFS"},
                                       {0x6B414653, "AFS"},
                                       {0x73757245, "Coda"},
                                       {0x564C, "NCP"},
                                       {0x7461636F, "OCFS2"},
                                       {0x01161970, "GFS2"},
                                       {0x47504653, "GPFS"},
                                       {0x19830326, "BeeGFS"},
                                       {0x786F4256, "a VirtualBox shared folder"}}};

}  // namespace

std::optional<std::string_view> unfit_for_state(std::uint64_t kind) {
    const auto* found = std::ranges::find(unfit, kind, &Unfit::kind);
    return found == unfit.end() ? std::nullopt : std::optional{found->name};
}

Result<std::uint64_t> file_system_kind(const Path& path) {
    struct statfs system{};
    auto place = std::filesystem::absolute(path).lexically_normal();
    while (::statfs(place.c_str(), &system) != 0) {
        if (errno != ENOENT || !place.has_relative_path()) return fail_errno(Remedy::stop, "look at " + path.string());
        place = place.parent_path();
    }
    return static_cast<std::uint64_t>(system.f_type) & 0xFFFFFFFFU;  // f_type is signed on some machines
}

Result<void> check_state_place(const Path& state_dir,
                               const std::function<Result<std::uint64_t>(const Path&)>& kind_of) {
    TRY(auto kind, kind_of(state_dir));
    auto name = unfit_for_state(kind);
    if (!name) return {};
    return fail(Remedy::stop, "state_dir " + state_dir.string() + " lies on " + std::string{*name} +
                                  ": what is synced there may be lost all the same, and locks do not keep a second "
                                  "machine out; set state_dir to a directory on a disk of this host");
}

}  // namespace boatswain::boatswaind
