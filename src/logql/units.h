// Durations, bytes and numbers as LogQL and log lines write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace boatswain::logql {

// A decimal number ("-3.5e2", "NaN", "+Inf"); nothing for hexadecimal ones.
std::optional<double> parse_number(std::string_view text);

// Prometheus's durations, in nanoseconds: "5m", "1h30m", "2d", "1w"; "0". Units from large to small, each once.
std::optional<double> parse_range_duration(std::string_view text);

// Those, or Go's: "1.5s", "-1h15m30.9s", "250ms", "3us", "3µs", "7ns". In nanoseconds.
std::optional<double> parse_duration(std::string_view text);

// "5", "20KB" (1000), "20KiB" (1024), "1.5 GB"; B, k, M, G, T, P with or without i and B; "kb" is none.
std::optional<double> parse_bytes(std::string_view text);

// As Loki prints samples and labels made of numbers: the shortest that reads back the same; NaN, +Inf, -Inf.
std::string number_text(double number);

}  // namespace boatswain::logql
