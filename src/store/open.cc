#include "store/directory.h"
#include "store/pages.h"
#include "store/s3.h"
#include "store/store.h"
#include "store/url.h"

namespace boatswain::store {

Result<std::unique_ptr<Store>> open_store(std::string_view url, const Clock& clock) {
    TRY(auto parsed, parse_url(url));
    if (auto* directory = std::get_if<DirectoryUrl>(&parsed)) return std::make_unique<DirectoryStore>(directory->path);
    TRY(auto options, complete(std::get<S3Url>(parsed), process_environment));
    return std::make_unique<S3Store>(std::move(options), clock);
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
