#include "query/forms.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "query/opened.h"

namespace boatswain::query {

namespace {

constexpr std::uint64_t piece_bytes = 1U << 20;

Result<std::string> sha256_hex(store::Store& store, const SegmentInfo& info) {
    crypto::Sha256 hash;
    auto name = info.key.str();
    for (std::uint64_t at = 0; at < info.size;) {
        TRY(auto piece, store.read(name, {.first = at, .length = std::min(piece_bytes, info.size - at)}));
        if (piece.bytes.empty()) return fail(Remedy::quarantine, name + ": it became shorter while it was read");
        hash.update(piece.bytes);
        at += piece.bytes.size();
    }
    return to_hex(hash.finish());
}

using Iterator = std::vector<SegmentInfo>::iterator;

// Objects of one number: those that are no copies are moved to `kept` and on. Behind the last of them.
Result<Iterator> settle(store::Store& store, Iterator begin, Iterator end, Iterator kept) {
    auto is_first = [](const SegmentInfo& info) { return info.key.hash.empty(); };
    std::optional<SegmentInfo> first;
    if (auto found = std::find_if(begin, end, is_first); found != end) first = *found;
    std::string first_hash;
    for (auto at = begin; at != end; ++at) {
        bool may_be_copy = first && !is_first(*at) && at->size == first->size;
        if (may_be_copy && first_hash.empty()) {
            auto hash = sha256_hex(store, *first);
            // One object that cannot be read is named where it is opened.
            if (!hash && !is_of_one_object(hash.error())) return std::unexpected(std::move(hash).error());
            first_hash = hash ? *hash : "unknown";
        }
        if (may_be_copy && segment::agrees(at->key, first_hash)) continue;
        if (kept != at) *kept = std::move(*at);
        ++kept;
    }
    return kept;
}

}  // namespace

Result<Forms> settle_forms(store::Store& store, std::vector<SegmentInfo>& infos) {
    Forms forms;
    auto kept = infos.begin();
    for (auto at = infos.begin(); at != infos.end();) {
        auto number = at->key.first_form();
        auto end = std::find_if(at + 1, infos.end(), [&](const auto& info) { return info.key.first_form() != number; });
        if (end - at == 1) {
            if (kept != at) *kept = std::move(*at);
            ++kept;
        } else {
            TRY(auto behind, settle(store, at, end, kept));
            auto left = behind - kept;
            forms.copies += static_cast<std::uint64_t>((end - at) - left);
            forms.conflicts += left > 1 ? 1 : 0;
            kept = behind;
        }
        at = end;
    }
    infos.erase(kept, infos.end());
    return forms;
}

}  // namespace boatswain::query
