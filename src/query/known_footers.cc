#include "query/known_footers.h"

#include "crypto/digest.h"

namespace boatswain::query {

namespace {

// Of a list's node, a map's, and a shared footer.
constexpr std::uint64_t nodes_bytes = 250;

}  // namespace

std::string KnownFooters::reader_of(std::span<const open::Identity> identities) {
    std::string recipients;
    for (const auto& identity : identities) recipients += identity.recipient().str() + "\n";
    return crypto::sha256(recipients);
}

std::string KnownFooters::name_of(const std::string& reader, const SegmentInfo& info) {
    return reader + info.key.str() + ":" + std::to_string(info.size);
}

std::shared_ptr<const KnownFooter> KnownFooters::find(const std::string& reader, const SegmentInfo& info) {
    auto name = name_of(reader, info);
    std::scoped_lock lock{guard_};
    auto place = places_.find(name);
    if (place == places_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, place->second);
    return place->second->footer;
}

void KnownFooters::add(const std::string& reader, const Opened& opened) {
    auto name = name_of(reader, opened.info);
    auto bytes = nodes_bytes + 2 * name.size() + opened.reader.footer_memory();
    if (bytes > bytes_max_) return;
    auto footer = std::make_shared<const KnownFooter>(
        KnownFooter{.footer = opened.reader.footer(), .header_mac = opened.reader.header_mac()});
    std::scoped_lock lock{guard_};
    if (places_.contains(name)) return;
    kept_.push_front({.name = name, .footer = std::move(footer), .bytes = bytes});
    places_.emplace(std::move(name), kept_.begin());
    bytes_ += bytes;
    while (bytes_ > bytes_max_) {
        bytes_ -= kept_.back().bytes;
        places_.erase(kept_.back().name);
        kept_.pop_back();
    }
}

std::uint64_t KnownFooters::bytes() const {
    std::scoped_lock lock{guard_};
    return bytes_;
}

}  // namespace boatswain::query
