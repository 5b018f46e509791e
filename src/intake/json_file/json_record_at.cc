#include "intake/json_file/json_record_at.h"

#include <algorithm>
#include <string>

namespace boatswain::intake {
namespace {

// What is there of `size` bytes from `offset` on; empty where it cannot be read.
std::string bytes_at(LogFile& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    auto read = file.read_at(offset, bytes.data(), bytes.size());
    bytes.resize(read.value_or(0));
    return bytes;
}

std::optional<Timestamp> time_of(std::string_view line) {
    JsonLine found;
    auto back = line.substr(line.size() - std::min(line.size(), JsonLineScanner::back_bytes));
    return JsonLineScanner::scan_back(back, found) ? std::optional{found.time} : std::nullopt;
}

}  // namespace

std::optional<Timestamp> first_record_time(LogFile& file) {
    constexpr std::size_t most_are_shorter = 4096;
    for (auto size : {most_are_shorter, record_look_bytes}) {
        auto bytes = bytes_at(file, 0, size);
        if (auto end = bytes.find('\n'); end != bytes.npos) return time_of(std::string_view{bytes}.substr(0, end));
        if (bytes.size() < size) break;
    }
    return std::nullopt;
}

Result<RecordEnd> record_end_at(LogFile& file, std::uint64_t end) {
    auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, JsonLineScanner::back_bytes + 1));
    std::string bytes(size, '\0');
    TRY(auto read, file.read_at(end - size, bytes.data(), size));
    if (read < size) return RecordEnd{.is = RecordEnd::Is::beyond, .time = {}};
    if (size == 0 || bytes.back() != '\n') return RecordEnd{.is = RecordEnd::Is::torn, .time = {}};
    bytes.pop_back();
    return RecordEnd{.is = RecordEnd::Is::line, .time = time_of(bytes)};
}

std::optional<Timestamp> last_record_time(LogFile& file) {
    auto end = file.size().value_or(0);
    auto from = end - std::min<std::uint64_t>(end, record_look_bytes);
    auto bytes = bytes_at(file, from, static_cast<std::size_t>(end - from));
    auto newline = bytes.rfind('\n');
    if (newline == bytes.npos) return std::nullopt;
    auto ended = record_end_at(file, from + newline + 1);
    return ended ? ended->time : std::nullopt;
}

std::optional<RecordAt> first_record_behind(LogFile& file, std::uint64_t from) {
    auto bytes = bytes_at(file, from, record_look_bytes);
    std::size_t start = 0;
    if (from > 0) {
        // The byte before may be the newline that ends a record.
        auto newline = bytes.find('\n');
        if (newline == bytes.npos) return std::nullopt;
        start = newline + 1;
    }
    JsonLineScanner scanner;
    for (auto end = bytes.find('\n', start); end != bytes.npos; start = end + 1, end = bytes.find('\n', start)) {
        auto line = std::string_view{bytes}.substr(start, end - start);
        std::string message(line.size() + JsonLineScanner::slack, '\0');
        RecordAt found{.offset = from + start, .line = {}};
        if (scanner.scan(line, message.data(), found.line)) return found;
    }
    return std::nullopt;
}

}  // namespace boatswain::intake
