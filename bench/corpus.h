// The corpus that benchmarks run on: lines as services print them, the same for the same seed on every machine.
//
// Four kinds, mixed in bursts as a host's output is: nginx access lines, JSON objects, logfmt, and Java stack traces of
// many short lines. About 158 bytes a line on average, and about as compressible as real logs are (`zstd -1`: 5 to 7
// times).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace boatswain::bench {

// Small, fast and the same everywhere (splitmix64): what a distribution of the standard library gives differs between
// implementations, so none is used.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    bool one_in(std::uint64_t times) { return below(times) == 0; }

  private:
    std::uint64_t state_;
};

struct CorpusLine {
    Timestamp time{};
    bool to_stderr = false;
    std::string_view text;  // without a newline; valid until the next call
};

class Corpus {
  public:
    explicit Corpus(std::uint64_t seed);
    // Times rise strictly from line to line, by some 20 microseconds on average.
    CorpusLine next();

  private:
    void access();
    void json();
    void logfmt();
    void trace_line();
    void start_trace();

    void add(std::string_view text) { text_ += text; }
    void add(std::uint64_t number);
    void add_hex(std::uint64_t number, int digits);
    void add_date(char between);  // "2026-11-22T10:00:00.123"
    template <std::size_t n>
    void pick(const std::string_view (&words)[n]) {
        // Low numbers come more often, as words do.
        add(words[std::min(dice_.below(n), dice_.below(n))]);
    }

    Dice dice_;
    Timestamp now_;
    std::string text_;
    std::uint64_t kind_ = 0;
    std::uint64_t left_of_burst_ = 0;
    std::uint64_t left_of_trace_ = 0;
    std::uint64_t requests_ = 0;
};

// Appends `line` as Docker's json-file driver writes it: {"log":"TEXT\n","stream":"stdout","time":"..."} and a newline.
// The escapes are those of its encoder (Docker 20.10, daemon/logger/jsonfilelog/jsonlog): \" \\ \n \r, other control
// characters as \u00XX, < > & as \u003c \u003e \u0026, and the fraction of the second loses its trailing zeros.
void append_json_file_line(std::string& out, const CorpusLine& line);
// The same as containerd writes it for a kubelet: TIME STREAM F TEXT.
void append_cri_line(std::string& out, const CorpusLine& line);

}  // namespace boatswain::bench
