// What each tenant may ask for, by a file: one line a tenant, "TENANT NAME=VALUE...", '*' for all that have no line;
// lines that begin with '#' are passed over (docs/operate/serve.md). What a line does not name is as the server has it.
//
// While the file cannot be read, the limits of before hold.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/questions.h"

namespace boatswain::api {

inline constexpr std::uint64_t limits_file_bytes_max = 16U << 20;

struct TenantLimits {
    std::optional<std::size_t> queries;  // that run or wait
    std::optional<std::uint64_t> read_max;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<Nanoseconds> range_max;
};
using LimitsByTenant = std::map<std::string, TenantLimits, std::less<>>;

// The error names the line.
Result<LimitsByTenant> parse_limits(std::string_view text);

// Belongs to the I/O thread.
class LimitsFile {
  public:
    // No file: nobody has limits of its own.
    LimitsFile(std::optional<Path> file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

    TenantLimits of(const TenantId& tenant);
    // Why the file was not read when it was looked at last.
    std::optional<Error> trouble() const { return trouble_; }

  private:
    void look();

    const std::optional<Path> file_;
    const Clock& clock_;
    std::optional<std::chrono::steady_clock::time_point> looked_;
    LimitsByTenant limits_;
    std::optional<Error> trouble_;
};

}  // namespace boatswain::api
