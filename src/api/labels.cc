// Who printed: labels, their values, and sets of them, from footers alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "api/asking.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "logql/label_values.h"
#include "logql/record.h"
#include "logql/units.h"

namespace boatswain::api {
namespace {

using logql::LabelValues;

Result<query::Tally> collect(Asking& asking, LabelValues& into) {
    TRY(auto range, asking.range());
    TRY(auto filter, asking.selector_if_given());
    return asking.each_source(range, filter, [&](const query::Origin& origin) { return into.take(origin); });
}

http::Answer list_of(Asking& asking, const std::vector<std::string>& all, const query::Tally& tally) {
    return json_answer(success_json(JsonWriter{}.value(all).take(), asking.met().warnings(tally)));
}

// 8-4-4-4-12 hex digits.
bool is_uuid(std::string_view text) {
    constexpr std::size_t uuid_bytes = 36;
    if (text.size() != uuid_bytes) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : hex_value(text[i]) < 0) return false;
    }
    return true;
}

// A label whose values are all numbers or UUIDs tells nobody how to narrow a question; these do all the same.
bool is_shown(std::string_view name, const LabelValues::Values& values) {
    constexpr std::array<std::string_view, 4> always{"cluster", "namespace", "instance", "pod"};
    if (std::ranges::find(always, name) != always.end()) return true;
    return !std::ranges::all_of(
        values, [](std::string_view value) { return is_uuid(value) || logql::parse_number(value).has_value(); });
}

}  // namespace

Result<http::Answer> labels(Asking& asking) {
    LabelValues found{asking.budget(), LabelValues::Keep::names};
    TRY(auto tally, collect(asking, found));
    std::vector<std::string> names;
    for (const auto& [name, values] : found.all()) names.push_back(name);
    return list_of(asking, names, tally);
}

Result<http::Answer> label_values(Asking& asking) {
    LabelValues found{asking.budget(), LabelValues::Keep::values, asking.question().name};
    TRY(auto tally, collect(asking, found));
    std::vector<std::string> sorted;
    for (const auto& [name, values] : found.all()) sorted.assign(values.begin(), values.end());
    return list_of(asking, sorted, tally);
}

Result<http::Answer> detected_labels(Asking& asking) {
    LabelValues found{asking.budget(), LabelValues::Keep::values};
    TRY(auto tally, collect(asking, found));
    (void)tally;
    auto json = json_object();
    json.array("detectedLabels");
    for (const auto& [name, values] : found.all())
        if (is_shown(name, values)) json.object().member("label", name).member("cardinality", values.size()).end();
    return json_answer(json.take_line());
}

// Footers do not say which of its two streams a container wrote to, so `stream` is not among the labels.
Result<http::Answer> series(Asking& asking) {
    constexpr std::uint64_t series_bytes = 200;
    TRY(auto range, asking.range());
    std::vector<query::FilterPtr> any;
    for (const char* name : {"match[]", "match"})
        for (auto text : asking.given().values(name)) {
            TRY(auto one, asking.selector(text));
            any.push_back(std::move(one));
        }
    if (any.empty()) return fail(Remedy::stop, "0 matcher groups were given: match[] names a selector");
    std::set<std::string> found;
    TRY(auto tally, asking.each_source(
                        range, query::any_of(std::move(any)),
                        [&](const query::Origin& origin) -> Result<void> {
                            auto json = json_object();
                            for (auto name : logql::origin_label_names())
                                json.member_unless_empty(name, logql::origin_label(origin, name));
                            auto labels = json.take();
                            labels.pop_back();  // so that fewer come first
                            if (found.contains(labels)) return {};
                            CHECK(asking.hold(series_bytes + 2 * labels.size()));
                            found.insert(std::move(labels));
                            return {};
                        }));
    auto data = json_array();
    for (const auto& labels : found) data.raw(labels + "}");
    return json_answer(success_json(data.take(), asking.met().warnings(tally)));
}

// Frames count whole: one that the range cuts adds all that it holds.
Result<http::Answer> index_stats(Asking& asking) {
    constexpr std::uint64_t id_bytes = 200;
    TRY(auto range, asking.range());
    TRY(auto filter, asking.selector(asking.given().value("query")));
    std::set<std::string> streams;
    std::uint64_t chunks = 0, bytes = 0, entries = 0;
    CHECK(asking.each_frame(range, filter,
                            [&](const query::Origin& origin, const open::FooterFrame& frame) -> Result<void> {
                                ++chunks;
                                bytes += frame.counts.message_bytes;
                                entries += frame.counts.lines;
                                if (streams.contains(origin.source.id)) return {};
                                CHECK(asking.hold(id_bytes));
                                streams.insert(origin.source.id);
                                return {};
                            }));
    return json_answer(json_object()
                           .member("streams", streams.size())
                           .member("chunks", chunks)
                           .member("bytes", bytes)
                           .member("entries", entries)
                           .take_line());
}

}  // namespace boatswain::api
