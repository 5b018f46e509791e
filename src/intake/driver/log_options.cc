#include "intake/driver/log_options.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "base/suggest.h"

namespace boatswain::intake::driver {
namespace {

constexpr std::string_view require_key = "require-key", cache_disabled = "cache-disabled";

// Ours, and the engine's: moby daemon/logger: logger.go (mode, max-buffer-size), loginfo.go (what is added to a line),
// loggerutils/cache/validate.go (cache-...), and those of json-file and local, which stay behind in the engine's
// configuration when only the driver is changed.
constexpr std::array<std::string_view, 15> known{
    require_key,      cache_disabled,   "mode",     "max-buffer-size", "cache-max-size",
    "cache-max-file", "cache-compress", "max-size", "max-file",        "compress",
    "labels",         "labels-regex",   "env",      "env-regex",       "tag"};
constexpr std::size_t shown_bytes_max = 64;  // of a name or value in a message

std::string shown(std::string_view text) {
    return json_quote(text.substr(0, shown_bytes_max)) + (text.size() > shown_bytes_max ? "..." : "");
}

Result<bool> truth(const std::map<std::string, std::string>& options, std::string_view name) {
    auto found = options.find(std::string{name});
    if (found == options.end()) return false;
    if (auto value = parse_go_bool(found->second)) return *value;
    return fail(Remedy::quarantine,
                "log option " + std::string{name} + "=" + shown(found->second) + ": neither true nor false");
}

}  // namespace

std::optional<bool> parse_go_bool(std::string_view text) {
    constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array<std::string_view, 6> no{"0", "f", "F", "FALSE", "false", "False"};
    if (std::ranges::find(yes, text) != yes.end()) return true;
    if (std::ranges::find(no, text) != no.end()) return false;
    return std::nullopt;
}

Result<LogOptions> parse_log_options(const std::map<std::string, std::string>& options) {
    for (const auto& [name, value] : options) {
        if (std::ranges::find(known, name) != known.end()) continue;
        auto meant = closest(name, known);
        return fail(Remedy::quarantine,
                    "unknown log option " + shown(name) + (meant ? ", did you mean " + std::string{*meant} + "?" : ""));
    }
    LogOptions parsed;
    TRY(parsed.require_key, truth(options, require_key));
    TRY(parsed.cache_disabled, truth(options, cache_disabled));
    return parsed;
}

}  // namespace boatswain::intake::driver
