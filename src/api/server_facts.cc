// What clients ask of the server itself: no logs are needed to answer.
#include "api/asking.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "base/json_writer.h"

namespace boatswain::api {

Result<http::Answer> build_info(Asking& asking) {
    auto json = json_object();
    json.member("version", asking.version()).member("revision", "boatswain");
    for (const char* unknown : {"branch", "buildUser", "buildDate", "goVersion"}) json.member(unknown, "");
    return json_answer(json.take_line());
}

// What Grafana's Logs Drilldown looks at before it asks.
Result<http::Answer> drilldown_limits(Asking& asking) {
    const auto& limits = asking.limits();
    auto json = json_object();
    json.object("limits")
        .member("discover_log_levels", true)
        .raw_member("discover_service_name", R"(["app"])")
        .raw_member("log_level_fields", R"(["level","severity","lvl","severity_text"])")
        .member("max_entries_limit_per_query", lines_max)
        .member("max_query_bytes_read", size_to_text(limits.bytes_max))
        .member("max_query_length", duration_text(limits.range_max))
        .member("max_query_lookback", "0s")
        .member("max_query_range", "0s")
        .member("max_query_series", series_max)
        .member("metric_aggregation_enabled", false)
        .member("pattern_persistence_enabled", false)
        .member("query_timeout", duration_text(limits.time_max))
        .member("retention_period", "0s")
        .member("volume_enabled", true)
        .member("volume_max_series", series_max)
        .end()
        .member("pattern_ingester_enabled", false)
        .member("version", asking.version());
    return json_answer(json.take_line());
}

Result<http::Answer> patterns(Asking&) { return json_answer(success_json("[]", {})); }

}  // namespace boatswain::api
