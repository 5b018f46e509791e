// Any bytes as the answer to GET /logs, cut anywhere, give the same records; none holds a newline or outgrows its
// bound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/logs_line.h"

using namespace boatswain::engine;

namespace {

std::string split(LogsLineSplitter::Shape shape, std::string_view bytes, std::size_t piece) {
    LogsLineSplitter splitter{shape};
    std::string seen;
    auto on_record = [&](const LogsRecord& record) {
        if (record.bytes.find('\n') != record.bytes.npos && shape == LogsLineSplitter::Shape::frames) std::abort();
        if (record.bytes.size() > logs_record_bytes_max) std::abort();
        seen += "R";
        seen += to_string(record.stream);
        seen += std::to_string(record.time.time_since_epoch().count());
        seen += record.bytes;
        seen += record.ended_by_newline ? "$" : "|";
    };
    auto on_message = [&](std::string_view message) {
        seen += "M";
        seen += message;
    };
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        if (!splitter.feed(bytes.substr(at, piece), on_record, on_message)) return seen + "broken";
    return seen + (splitter.end(on_record, on_message) ? "clean" : "torn");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    auto shape = data[0] & 1 ? LogsLineSplitter::Shape::frames : LogsLineSplitter::Shape::terminal;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
    if (split(shape, bytes, bytes.size() + 1) != split(shape, bytes, std::size_t{data[1]} % 64 + 1)) std::abort();
    return 0;
}
