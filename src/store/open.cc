#include <sys/stat.h>

#include "base/bytes.h"
#include "store/directory.h"
#include "store/pages.h"
#include "store/s3.h"
#include "store/store.h"
#include "store/url.h"

namespace boatswain::store {
namespace {

constexpr std::size_t path_shown_max = 1024;

}  // namespace

Result<std::unique_ptr<Store>> open_store(std::string_view url, const Clock& clock, OpenOptions options) {
    TRY(auto parsed, parse_url(url));
    if (auto* directory = std::get_if<DirectoryUrl>(&parsed))
        return std::make_unique<DirectoryStore>(directory->path, options.confined);
    TRY(auto s3, complete(std::get<S3Url>(parsed), process_environment));
    s3.on_wait = std::move(options.on_wait);
    s3.no_programs_because = std::move(options.no_programs_because);
    return std::make_unique<S3Store>(std::move(s3), clock);
}

Result<std::unique_ptr<Store>> open_store_to_read(std::string_view url, const Clock& clock, OpenOptions options) {
    TRY(auto parsed, parse_url(url));
    if (auto* directory = std::get_if<DirectoryUrl>(&parsed)) {
        auto what = "store dir:" + printable(directory->path.string(), path_shown_max);
        struct stat status{};
        if (::stat(directory->path.c_str(), &status) != 0)
            return errno == ENOENT ? fail(Remedy::stop, what + ": there is no such directory")
                                   : fail_errno(Remedy::stop, what);
        if (!S_ISDIR(status.st_mode)) return fail(Remedy::stop, what + ": it is not a directory");
    }
    return open_store(url, clock, std::move(options));
}

Result<void> for_each_object(Store& store, std::string_view prefix,
                             const std::function<bool(const ObjectInfo&)>& each) {
    Pages pages{store, std::string{prefix}, false};
    while (pages.more()) {
        TRY(auto page, pages.next());
        for (const auto& object : page.objects)
            if (!each(object)) return {};
    }
    return {};
}

}  // namespace boatswain::store
