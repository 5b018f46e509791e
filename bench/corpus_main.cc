// boatswain_corpus --bytes 256MiB [--seed N] [--format text|json-file|cri]: prints the benchmarks' corpus to standard
// output.
//
// --bytes counts what the application printed (lines with their newlines), whatever the format, so the two formats of
// one seed and size hold the same lines. It ends with the first line that reaches the size.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "corpus.h"

namespace {

using namespace boatswain;

int usage(std::string_view problem) {
    std::cerr << "boatswain_corpus: " << problem
              << "\nusage: boatswain_corpus --bytes SIZE [--seed N] [--format text|json-file|cri]\n";
    return 2;
}

bool write_out(std::string& buffer) {
    bool written = std::fwrite(buffer.data(), 1, buffer.size(), stdout) == buffer.size();
    buffer.clear();
    return written;
}

}  // namespace

int main(int count, char** arguments) {
    constexpr std::size_t buffer_bytes = 1U << 18;
    std::uint64_t bytes = 0;
    std::uint64_t seed = 1;
    std::string_view format = "text";
    for (int i = 1; i < count; i += 2) {
        std::string_view name = arguments[i];
        if (i + 1 == count) return usage(std::string(name) + " needs a value");
        std::string_view value = arguments[i + 1];
        auto number = parse_size(value);
        if (name == "--bytes" && number) {
            bytes = *number;
        } else if (name == "--seed" && number) {
            seed = *number;
        } else if (name == "--format" && (value == "text" || value == "json-file" || value == "cri")) {
            format = value;
        } else {
            return usage("not understood: " + std::string(name) + " " + std::string(value));
        }
    }
    if (bytes == 0) return usage("--bytes is missing");

    bench::Corpus corpus(seed);
    std::string buffer;
    buffer.reserve(buffer_bytes + (1U << 12));
    for (std::uint64_t printed = 0; printed < bytes;) {
        auto line = corpus.next();
        printed += line.text.size() + 1;
        if (format == "json-file") {
            bench::append_json_file_line(buffer, line);
        } else if (format == "cri") {
            bench::append_cri_line(buffer, line);
        } else {
            buffer += line.text;
            buffer += '\n';
        }
        if (buffer.size() >= buffer_bytes && !write_out(buffer)) break;
    }
    if (!write_out(buffer) || std::fflush(stdout) != 0) {
        std::cerr << "boatswain_corpus: standard output: " << std::strerror(errno) << "\n";
        return 1;
    }
    return 0;
}
