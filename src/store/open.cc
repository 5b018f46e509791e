#include "store/directory.h"
#include "store/s3.h"
#include "store/store.h"
#include "store/url.h"

namespace boatswain::store {

Result<std::unique_ptr<Store>> open_store(std::string_view url, const Clock& clock) {
    TRY(auto parsed, parse_url(url));
    if (auto* directory = std::get_if<DirectoryUrl>(&parsed)) return std::make_unique<DirectoryStore>(directory->path);
    return std::make_unique<S3Store>(complete(std::get<S3Url>(parsed), process_environment), clock);
}

Result<void> for_each_object(Store& store, std::string_view prefix,
                             const std::function<bool(const ObjectInfo&)>& each) {
    std::optional<std::string> next;
    do {
        TRY(auto page, store.list(prefix, false, next));
        for (const auto& object : page.objects)
            if (!each(object)) return {};
        if (page.next && page.next == next)
            return fail(Remedy::back_off, "list " + store.describe() + ": the pages do not go on");
        next = std::move(page.next);
    } while (next);
    return {};
}

}  // namespace boatswain::store
