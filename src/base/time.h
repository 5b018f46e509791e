// Points in time, and their one text form.
//
// Boatswain keeps time in nanoseconds since the Unix epoch, UTC, as the engine stamps lines. In text it is
// RFC 3339 with exactly nine fractional digits and a Z: "2026-11-22T10:00:00.123456789Z" (30 characters), so
// that text order is time order.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain {

using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;
using Nanoseconds = std::chrono::nanoseconds;

// The length of a time in text, in characters.
inline constexpr std::size_t time_text_size = 30;

// Writes exactly time_text_size characters at `out`. Years 0001 to 9999.
void write_time(Timestamp time, char* out);
std::string to_text(Timestamp time);

// Reads an RFC 3339 time: any number of fractional digits (more than nine are cut), Z or an offset.
// Nothing for anything else, and for times outside 1677..2262, which do not fit.
std::optional<Timestamp> parse_time(std::string_view text);

// Reads a length of time: "250ms", "30s", "5m", "1h", "2d"; also sums, "1h30m". Units ns us ms s m h d.
std::optional<Nanoseconds> parse_duration(std::string_view text);

// The shortest form that parse_duration reads back to the same value: 90s is "1m30s".
std::string to_text(Nanoseconds duration);

// A clock that can be simulated: everything that asks for the time asks one of these.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;                                 // the wall clock
    virtual std::chrono::steady_clock::time_point steady() const = 0;  // never steps back
};

class SystemClock final : public Clock {
  public:
    Timestamp now() const override;
    std::chrono::steady_clock::time_point steady() const override;
};

// Stands still until told to move. For tests; any thread may look at it while one thread moves it.
class SimulatedClock final : public Clock {
  public:
    explicit SimulatedClock(Timestamp start) : now_(start.time_since_epoch()) {}
    Timestamp now() const override { return Timestamp{now_.load()}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point{steady_.load()};
    }
    void advance(Nanoseconds by);
    void step_wall(Nanoseconds by) { now_ = now_.load() + by; }  // the wall clock alone, as an operator or NTP does

  private:
    std::atomic<Nanoseconds> now_;
    std::atomic<Nanoseconds> steady_{Nanoseconds{0}};
};

}  // namespace boatswain
