// What a tenant needs whose identity stays with its readers: which objects there are, and their bytes as they lie in
// the store. No identity is needed here, and nothing is opened (docs/reading/http.md).
//
// Invariants
//   - Objects are those of the token's tenant, under keys that name that tenant and are exactly of our form.
//   - A token that is for some apps alone gets none: what is sealed cannot be narrowed.
#include <charconv>
#include <optional>

#include "api/asking.h"
#include "api/routes.h"
#include "api/sealed.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "query/catalog.h"
#include "rollup/rollup.h"
#include "segment/object_key.h"

namespace boatswain::api {
namespace {

constexpr int partial_content = 206, forbidden = 403, not_found = 404, range_not_satisfiable = 416;
// An object of a listing, in our memory.
constexpr std::uint64_t listed_bytes = 512;

std::optional<http::Answer> refused(const Asking& asking) {
    if (asking.question().who.apps.empty()) return std::nullopt;
    return error_answer(forbidden,
                        "this token is for some apps of the tenant; sealed objects hold lines of all of them");
}

bool is_before(const query::HourPlace& place, const segment::ObjectKey& key) {
    return place.hour < key.hour || (place.hour == key.hour && place.spanning < key.spanning);
}

// Where a page before this one ended.
Result<std::optional<segment::ObjectKey>> after_of(const Asking& asking) {
    auto text = asking.given().value("after");
    if (text.empty()) return std::nullopt;
    auto key = segment::parse_object_key(text);
    if (!key || key->tenant != asking.question().who.tenant)
        return fail(Remedy::stop, "after is the last key of the page before");
    return key;
}

bool is_own(const TenantId& tenant, std::string_view key) {
    if (auto parsed = segment::parse_object_key(key)) return parsed->tenant == tenant;
    return rollup::parse_rollup_key(tenant, key).has_value();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<store::Range> object_range(std::string_view field) {
    constexpr std::string_view unit = "bytes=";
    if (!field.starts_with(unit)) return std::nullopt;
    field.remove_prefix(unit.size());
    auto dash = field.find('-');
    if (dash == field.npos) return std::nullopt;
    auto last = number_in(field.substr(dash + 1));
    if (dash == 0) {
        if (!last || *last == 0 || *last > object_range_bytes_max) return std::nullopt;
        return store::Range{.length = *last, .suffix = true};
    }
    auto first = number_in(field.substr(0, dash));
    if (!first || !last || *last < *first || *last - *first >= object_range_bytes_max) return std::nullopt;
    return store::Range{.first = *first, .length = *last - *first + 1};
}

Result<http::Answer> session(Asking& asking) {
    const auto& who = asking.question().who;
    auto apps = json_array();
    for (const auto& app : who.apps) apps.value(app);
    auto data = json_object();
    data.member("tenant", who.tenant.str())
        .member("end_to_end", !asking.has_identity())
        .raw_member("apps", apps.take());
    return json_answer(success_json(data.take(), {}));
}

Result<http::Answer> objects(Asking& asking) {
    if (auto refusal = refused(asking)) return std::move(*refusal);
    TRY(auto range, asking.range());
    TRY(auto limit, count_of(asking.given(), "limit", objects_default, objects_max));
    TRY(auto after, after_of(asking));
    const auto& tenant = asking.question().who.tenant;
    query::Catalog catalog{asking.store(), &asking.budget()};
    std::vector<query::RollupInfo> rollups;
    TRY(auto places, catalog.hours(tenant, query::hours_of(range), &rollups));

    auto listed = json_array();
    std::uint64_t count = 0;
    bool is_last = true;
    for (const auto& place : places) {
        if (after && is_before(place, *after)) continue;
        TRY(auto segments, catalog.segments(tenant, place));
        auto after_key = after ? after->str() : std::string{};
        for (const auto& segment : segments) {
            auto key = segment.key.str();
            if (after && place.hour == after->hour && place.spanning == after->spanning && key <= after_key) continue;
            if (count == limit) {
                is_last = false;
                break;
            }
            ++count;
            CHECK(asking.hold(listed_bytes, "the objects"));
            listed.raw(json_object().member("key", key).member("bytes", segment.size).take());
        }
        if (!is_last) break;
    }
    CHECK(asking.whole());
    auto days = json_array();
    for (const auto& rollup : rollups)
        days.raw(
            json_object().member("key", rollup::rollup_key(tenant, rollup.day)).member("bytes", rollup.size).take());
    auto data = json_object();
    data.raw_member("objects", listed.take()).raw_member("rollups", days.take()).member("complete", is_last);
    return json_answer(success_json(data.take(), {}));
}

Result<http::Answer> object(Asking& asking) {
    if (auto refusal = refused(asking)) return std::move(*refusal);
    auto key = asking.given().value("key");
    if (!is_own(asking.question().who.tenant, key)) return error_answer(not_found, "no such object");
    auto field = asking.question().byte_range;
    auto wanted = field.empty() ? store::Range{.length = object_range_bytes_max} : object_range(field);
    if (!wanted)
        return error_answer(range_not_satisfiable, "Range is one of bytes=FIRST-LAST and bytes=-LENGTH, of at most " +
                                                       size_to_text(object_range_bytes_max));
    auto read = asking.store().read(key, *wanted);
    if (!read && read.error().remedy == Remedy::re_resolve) return error_answer(not_found, "no such object");
    if (!read) return std::unexpected(std::move(read).error());
    CHECK(asking.whole());
    auto size = std::to_string(read->object_size);
    if (field.empty() && read->bytes.size() < read->object_size)
        return error_answer(range_not_satisfiable, "the object has " + size + " bytes: ask for ranges of at most " +
                                                       size_to_text(object_range_bytes_max));
    http::Answer answer{.content_type = "application/octet-stream", .body = std::move(read->bytes)};
    answer.fields.emplace_back("Accept-Ranges", "bytes");
    if (field.empty()) return answer;
    if (answer.body.empty()) {
        answer = error_answer(range_not_satisfiable, "nothing of the object lies in this range");
        answer.fields.emplace_back("Content-Range", "bytes */" + size);
        return answer;
    }
    answer.status = partial_content;
    answer.fields.emplace_back("Content-Range", "bytes " + std::to_string(read->first) + "-" +
                                                    std::to_string(read->first + answer.body.size() - 1) + "/" + size);
    return answer;
}

}  // namespace boatswain::api
