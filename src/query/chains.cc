#include "query/chains.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/bytes.h"

namespace boatswain::query {

namespace {

// While a tenant is listed: vectors grow by doubling, and one is copied.
constexpr std::uint64_t link_memory = 2 * sizeof(Link);

bool asked_for(const Link& link, const HourSpan& span) {
    return link.hour <= span.last && (link.spanning || link.hour >= span.first);
}

// Keeps what lies between the first and the last link of the stretch; nothing when there is none.
std::optional<ListedChain> cut_to(const HourSpan& span, ListedChain chain) {
    std::ranges::sort(chain.links);
    chain.first_in_store = chain.links.front().sequence;
    chain.last_in_store = chain.links.back().sequence;
    std::optional<std::uint64_t> first, last;
    for (const auto& link : chain.links) {
        if (!asked_for(link, span)) continue;
        if (!first) first = link.sequence;
        last = link.sequence;
    }
    if (!first) return std::nullopt;
    std::erase_if(chain.links, [&](const Link& link) { return link.sequence < *first || link.sequence > *last; });
    return chain;
}

Link link_of(const segment::ObjectKey& key, std::uint64_t size) {
    Link link{.sequence = key.sequence,
              .hour = key.hour,
              .spanning = key.spanning,
              .second_form = !key.hash.empty(),
              .size = size};
    std::from_chars(key.hash.data(), key.hash.data() + key.hash.size(), link.hash, 16);
    return link;
}

// 16 hex digits, as they stand in a key.
std::string hash_text(std::uint64_t hash) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(hash >> shift);
    return to_hex(bytes);
}

}  // namespace

segment::ObjectKey ListedChain::key(const Link& link) const {
    return {.tenant = id.tenant,
            .hour = link.hour,
            .spanning = link.spanning,
            .host = id.host,
            .epoch = id.epoch,
            .sequence = link.sequence,
            .hash = link.second_form ? hash_text(link.hash) : std::string{}};
}

Result<std::vector<ListedChain>> list_chains(Catalog& catalog, const std::optional<TenantId>& tenant,
                                             const std::optional<std::string>& host, const TimeRange& range,
                                             Budget& budget) {
    std::vector<TenantId> tenants;
    if (tenant)
        tenants.push_back(*tenant);
    else {
        TRY(tenants, catalog.tenants());
    }
    auto span = hours_of(range);
    std::vector<ListedChain> chains;
    for (const auto& whose : tenants) {
        std::map<ChainId, ListedChain> found;
        std::vector<Share> all_held;  // until it is known which links are of the stretch
        std::size_t links = 0;
        TRY(auto places, catalog.hours(whose));
        for (const auto& place : places) {
            TRY(auto segments, catalog.segments(whose, place));
            TRY(all_held.emplace_back(),
                budget.hold(segments.size() * link_memory, "the names of a tenant's segments"));
            for (const auto& [key, size] : segments) {
                if (host && key.host != *host) continue;
                ChainId id{whose, key.host, key.epoch};
                auto& chain = found[id];
                chain.id = id;
                chain.links.push_back(link_of(key, size));
                if (++links > listed_max)
                    return fail(Remedy::stop, "tenant \"" + whose.str() + "\" has more than " +
                                                  std::to_string(listed_max) +
                                                  " segments; ask for one host at a time with --host");
            }
        }
        all_held.clear();
        for (auto& [id, chain] : found) {
            auto cut = cut_to(span, std::move(chain));
            if (!cut) continue;
            cut->links.shrink_to_fit();
            TRY(cut->held,
                budget.hold(sizeof(ListedChain) + cut->links.size() * sizeof(Link), "the names of segments"));
            chains.push_back(std::move(*cut));
        }
    }
    return chains;
}

}  // namespace boatswain::query
