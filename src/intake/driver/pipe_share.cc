#include "intake/driver/pipe_share.h"

#include <charconv>

#include "base/file.h"

namespace boatswain::intake::driver {

std::uint64_t pipe_pages_soft() {
    constexpr std::uint64_t kernel_default = 16384;
    auto text = read_file("/proc/sys/fs/pipe-user-pages-soft", 64).value_or("");
    std::uint64_t pages = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pages);
    return error == std::errc{} ? pages : kernel_default;
}

}  // namespace boatswain::intake::driver
