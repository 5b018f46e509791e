#include "base/time.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/text.h"

namespace boatswain {
namespace {

// Reads exactly `count` digits; -1 when one of them is none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return -1;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[at + i])) return -1;
        value = value * 10 + (text[at + i] - '0');
    }
    return value;
}

void write_digits(char* out, unsigned value, int count) {
    for (int i = count - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

}  // namespace

void write_time(Timestamp time, char* out) {
    using namespace std::chrono;
    auto day = floor<days>(time);
    year_month_day date{day};
    auto within = (time - day).count();
    auto nanos = static_cast<unsigned>(within % 1'000'000'000);
    auto seconds = static_cast<unsigned>(within / 1'000'000'000);
    write_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out[4] = '-';
    write_digits(out + 5, static_cast<unsigned>(date.month()), 2);
    out[7] = '-';
    write_digits(out + 8, static_cast<unsigned>(date.day()), 2);
    out[10] = 'T';
    write_digits(out + 11, seconds / 3600, 2);
    out[13] = ':';
    write_digits(out + 14, seconds / 60 % 60, 2);
    out[16] = ':';
    write_digits(out + 17, seconds % 60, 2);
    out[19] = '.';
    write_digits(out + 20, nanos, 9);
    out[29] = 'Z';
}

std::string to_text(Timestamp time) {
    std::string text(time_text_size, '\0');
    write_time(time, text.data());
    return text;
}

std::optional<Timestamp> parse_time(std::string_view text) {
    using namespace std::chrono;
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
        text[13] != ':' || text[16] != ':')
        return std::nullopt;
    int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    int h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (y < 1678 || y > 2261 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60) return std::nullopt;
    year_month_day date{year{y}, month{static_cast<unsigned>(std::max(mo, 0))},
                        day{static_cast<unsigned>(std::max(d, 0))}};
    if (!date.ok()) return std::nullopt;

    std::size_t at = 19;
    std::int64_t nanos = 0;
    if (text[at] == '.') {
        ++at;
        std::int64_t scale = 100'000'000;
        std::size_t first = at;
        for (; at < text.size() && is_digit(text[at]); ++at) {
            nanos += (text[at] - '0') * scale;
            scale /= 10;
        }
        if (at == first) return std::nullopt;
    }
    minutes offset{0};
    if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
        ++at;
    } else if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
        int oh = digits(text, at + 1, 2), om = digits(text, at + 4, 2);
        if (oh < 0 || oh > 23 || om < 0 || om > 59 || text[at + 3] != ':') return std::nullopt;
        offset = hours{oh} + minutes{om};
        if (text[at] == '-') offset = -offset;
        at += 6;
    } else {
        return std::nullopt;
    }
    if (at != text.size()) return std::nullopt;
    return Timestamp{sys_days{date}.time_since_epoch()} + hours{h} + minutes{mi} + seconds{s} + nanoseconds{nanos} -
           offset;
}

std::optional<Nanoseconds> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t total = 0;
    while (!text.empty()) {
        std::size_t at = 0;
        std::int64_t value = 0;
        for (; at < text.size() && is_digit(text[at]); ++at) {
            if (value > 1'000'000'000'000'000) return std::nullopt;
            value = value * 10 + (text[at] - '0');
        }
        std::size_t end = at;
        while (end < text.size() && !is_digit(text[end])) ++end;
        auto name = text.substr(at, end - at);
        const auto* unit = std::ranges::find(units, name, &Unit::name);
        if (at == 0 || unit == units.end()) return std::nullopt;
        std::int64_t part = 0;
        if (__builtin_mul_overflow(value, unit->nanoseconds, &part) || __builtin_add_overflow(total, part, &total))
            return std::nullopt;
        text.remove_prefix(end);
    }
    return Nanoseconds{total};
}

std::string to_text(Nanoseconds duration) {
    auto rest = duration.count();
    if (rest <= 0) return "0s";
    std::string text;
    for (const auto& unit : units) {
        if (auto n = rest / unit.nanoseconds; n > 0) {
            text += std::to_string(n);
            text += unit.name;
            rest %= unit.nanoseconds;
        }
    }
    return text;
}

Timestamp SystemClock::now() const {
    return std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
}
std::chrono::steady_clock::time_point SystemClock::steady() const { return std::chrono::steady_clock::now(); }

void SimulatedClock::advance(Nanoseconds by) {
    now_ = now_.load() + by;
    steady_ = steady_.load() + by;
}

}  // namespace boatswain
