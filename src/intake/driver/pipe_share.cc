#include "intake/driver/pipe_share.h"

#include <atomic>
#include <charconv>

#include "base/file.h"

namespace boatswain::intake::driver {

std::uint64_t pipe_pages_soft() {
    constexpr std::uint64_t kernel_default = 16384;
    static std::atomic<std::uint64_t> known = kernel_default;
    auto text = read_file("/proc/sys/fs/pipe-user-pages-soft", 64).value_or("");
    std::uint64_t pages = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pages);
    if (error == std::errc{}) known = pages;
    return known;
}

}  // namespace boatswain::intake::driver
