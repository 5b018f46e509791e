#include "base/durable_files.h"

#include <algorithm>
#include <vector>

#include "base/temporary_file.h"

namespace boatswain {
namespace {

bool out_of_descriptors(const Error& error) {
    return error.cause == std::errc::too_many_files_open || error.cause == std::errc::too_many_files_open_in_system;
}

// Writes as many of `files` as may be open at once, syncs them and gives them their names. Returns how many.
Result<std::size_t> write_some(std::span<const DurableFile> files, unsigned mode) {
    std::vector<TemporaryFile> written;
    for (const auto& file : files.first(std::min(files.size(), files_open_max))) {
        auto made = TemporaryFile::write(file.path, file.bytes, mode);
        if (!made && !written.empty() && out_of_descriptors(made.error())) break;
        if (!made) return std::unexpected(std::move(made).error());
        made->start_sync();
        written.push_back(std::move(*made));
    }
    for (auto& file : written) CHECK(file.sync());
    for (std::size_t i = 0; i < written.size(); ++i) CHECK(written[i].rename_to(files[i].path));
    return written.size();
}

}  // namespace

Result<void> write_files_durably(std::span<const DurableFile> files, unsigned mode) {
    if (files.empty()) return {};
    for (auto left = files; !left.empty();) {
        TRY(auto done, write_some(left, mode));
        left = left.subspan(done);
    }
    return sync_directory(files.front().path.parent_path());
}

}  // namespace boatswain
