#include "api/tenant_limits.h"

#include <charconv>

#include "base/bytes.h"
#include "base/text.h"
#include "base/url_text.h"

namespace boatswain::api {
namespace {

// How old what was read of the file may be.
constexpr std::chrono::milliseconds look_every{1000};

bool set(TenantLimits& limits, std::string_view name, std::string_view value) {
    if (name == "queries") {
        std::size_t count = 0;
        auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
        if (error != std::errc{} || end != value.data() + value.size()) return false;
        limits.queries = count;
        return true;
    }
    if (name == "read-max") {
        limits.read_max = parse_size(value);
        return limits.read_max.has_value();
    }
    auto time = parse_duration(value);
    if (!time || *time <= Nanoseconds{0}) return false;
    if (name == "timeout") limits.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(*time);
    if (name == "range-max") limits.range_max = *time;
    return name == "timeout" || name == "range-max";
}

std::string_view take_word(std::string_view& line) {
    line = trim(line);
    auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

}  // namespace

Result<LimitsByTenant> parse_limits(std::string_view text) {
    LimitsByTenant all;
    for (std::size_t number = 1; !text.empty(); ++number) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        line = trim(line);
        if (line.empty() || line.starts_with('#')) continue;
        auto refuse = [&](const std::string& what) {
            return fail(Remedy::stop, "line " + std::to_string(number) + ": " + what);
        };
        auto tenant = std::string{take_word(line)};
        if (tenant != "*") {
            auto name = percent_decode(tenant);
            auto known = name ? TenantId::parse_any(*name) : Result<TenantId>{fail(Remedy::stop, "no name")};
            if (!known) return refuse("its first word is no tenant");
            tenant = known->str();
        }
        TenantLimits limits;
        while (!(line = trim(line)).empty()) {
            auto word = take_word(line);
            auto equals = word.find('=');
            if (equals == word.npos || !set(limits, word.substr(0, equals), word.substr(equals + 1)))
                return refuse("\"" + printable(word, 40) +
                              "\" is none of queries=N, read-max=SIZE, timeout=TIME, range-max=TIME");
        }
        if (!all.emplace(std::move(tenant), limits).second) return refuse("this tenant has a line already");
    }
    return all;
}

TenantLimits LimitsFile::of(const TenantId& tenant) {
    look();
    auto found = limits_.find(tenant.str());
    if (found == limits_.end()) found = limits_.find("*");
    return found == limits_.end() ? TenantLimits{} : found->second;
}

void LimitsFile::look() {
    if (!file_ || (looked_ && clock_.steady() - *looked_ < look_every)) return;
    looked_ = clock_.steady();
    auto text = read_file(*file_, limits_file_bytes_max);
    auto parsed = text ? parse_limits(*text) : Result<LimitsByTenant>{std::unexpected(text.error())};
    trouble_ = parsed ? std::optional<Error>{} : std::optional{std::move(parsed).error().within(file_->string())};
    if (parsed) limits_ = std::move(*parsed);
}

}  // namespace boatswain::api
