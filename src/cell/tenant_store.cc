#include "cell/tenant_store.h"

#include <algorithm>

#include "cell/messages.h"
#include "segment/object_key.h"
#include "store/key.h"

namespace boatswain::cell {
namespace {

std::unexpected<Error> not_theirs() { return fail(Remedy::stop, "a cell asked for what its tenant may not read"); }

}  // namespace

TenantStore::TenantStore(store::Store& store, const TenantId& tenant)
    : store_(store), prefix_(segment::tenant_prefix(tenant)) {}

Result<store::PutOutcome> TenantStore::put(std::string_view, std::string_view, std::string_view) {
    return not_theirs();
}

Result<void> TenantStore::replace(std::string_view, std::string_view, std::string_view) { return not_theirs(); }

Result<std::string> TenantStore::read(std::string_view) { return not_theirs(); }

Result<store::RangeBytes> TenantStore::read(std::string_view key, store::Range range) {
    if (!key.starts_with(prefix_) || store::key_problem(key) || range.length > read_bytes_max) return not_theirs();
    TRY(auto read, store_.read(key, range));
    if (read.bytes.size() > range.length) return fail(Remedy::quarantine, "the store gives more than was asked for");
    return read;
}

Result<store::ListPage> TenantStore::list(std::string_view prefix, bool delimited,
                                          const std::optional<std::string>& next) {
    if (!prefix.starts_with(prefix_) || store::prefix_problem(prefix)) return not_theirs();
    TRY(auto page, store_.list(prefix, delimited, next));
    // The place where a listing goes on came from the cell, and is the store's to understand.
    auto is_foreign = [&](const std::string& name) { return !name.starts_with(prefix); };
    std::erase_if(page.objects, [&](const store::ObjectInfo& object) { return is_foreign(object.key); });
    std::erase_if(page.prefixes, is_foreign);
    if (is_foreign(page.last_foreign)) page.last_foreign.clear();
    if (page.objects.size() > page_names_max || page.prefixes.size() > page_names_max)
        return fail(Remedy::quarantine, "the store gives more names than fit on a page");
    return page;
}

}  // namespace boatswain::cell
