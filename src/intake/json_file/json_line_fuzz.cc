// Any line is taken or refused without a byte read or written too far, and what is taken is what a general parser
// reads.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "intake/json_file/json_line.h"

using boatswain::intake::JsonLineScanner;
using boatswain::intake::LogRecord;

namespace {

void require(bool kept) {
    if (!kept) std::abort();
}

// The first of repeated names counts, as it does for the scanner's own general parser.
void agree(std::string_view line, const LogRecord& found, std::string_view message) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS) return;
    std::string_view log, stream, time;
    if (root["log"].get(log) != simdjson::SUCCESS) log = {};
    if (root["stream"].get(stream) != simdjson::SUCCESS || root["time"].get(time) != simdjson::SUCCESS) return;
    require(stream == boatswain::to_string(found.stream));
    auto parsed = boatswain::parse_time(time);
    if (parsed) require(*parsed == found.time);
    require(std::string{message} + (found.newline ? "\n" : "") == log);
    require(found.inner_newline == message.contains('\n'));
}

}  // namespace

// Lines of one input share a scanner, as those of one container do: it learns from the ones before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    JsonLineScanner scanner;
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    while (!rest.empty()) {
        auto bytes = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), bytes.size() + 1));
        auto line = std::make_unique<char[]>(bytes.size());
        std::ranges::copy(bytes, line.get());
        auto output = std::make_unique<char[]>(bytes.size() + JsonLineScanner::slack);
        LogRecord found;
        if (!scanner.scan({line.get(), bytes.size()}, output.get(), found)) continue;
        require(found.message_bytes + (found.newline ? 1 : 0) <= bytes.size());
        agree(bytes, found, {output.get(), found.message_bytes});
    }
    return 0;
}
