#include "intake/log_file/record_at.h"

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

}  // namespace

std::optional<Timestamp> first_record_time(const RecordForm& form, LogFile& file) {
    constexpr std::size_t most_are_shorter = 4096;
    for (auto size : {most_are_shorter, record_look_bytes}) {
        auto bytes = bytes_at(file, 0, size);
        if (auto end = bytes.find('\n'); end != bytes.npos)
            return form.scan_back(std::string_view{bytes}.substr(0, end), true);
        if (bytes.size() < size) break;
    }
    return std::nullopt;
}

Result<RecordEnd> record_end_at(const RecordForm& form, LogFile& file, std::uint64_t end) {
    auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, form.back_bytes() + 1));
    std::string bytes(size, '\0');
    TRY(auto read, file.read_at(end - size, bytes.data(), size));
    if (read < size) return RecordEnd{.is = RecordEnd::Is::beyond, .time = {}};
    if (size == 0 || bytes.back() != '\n') return RecordEnd{.is = RecordEnd::Is::torn, .time = {}};
    bytes.pop_back();
    auto line_start = bytes.rfind('\n') + 1;
    bool whole = line_start > 0 || size == end;
    auto line = std::string_view{bytes}.substr(line_start);
    return RecordEnd{.is = RecordEnd::Is::line, .time = form.scan_back(line, whole)};
}

std::optional<Timestamp> last_record_time(const RecordForm& form, LogFile& file) {
    auto end = file.size().value_or(0);
    auto from = end - std::min<std::uint64_t>(end, record_look_bytes);
    auto bytes = bytes_at(file, from, static_cast<std::size_t>(end - from));
    auto newline = bytes.rfind('\n');
    if (newline == bytes.npos) return std::nullopt;
    auto ended = record_end_at(form, file, from + newline + 1);
    return ended ? ended->time : std::nullopt;
}

std::optional<RecordAt> first_record_behind(const RecordForm& form, LogFile& file, std::uint64_t from) {
    auto bytes = bytes_at(file, from, record_look_bytes);
    std::size_t start = 0;
    if (from > 0) {
        // The byte before may be the newline that ends a record.
        auto newline = bytes.find('\n');
        if (newline == bytes.npos) return std::nullopt;
        start = newline + 1;
    }
    auto scanner = form.scanner();
    for (auto end = bytes.find('\n', start); end != bytes.npos; start = end + 1, end = bytes.find('\n', start)) {
        auto line = std::string_view{bytes}.substr(start, end - start);
        std::string message(line.size() + RecordScanner::slack, '\0');
        RecordAt found{.offset = from + start, .record = {}};
        if (scanner->scan(line, message.data(), found.record)) return found;
    }
    return std::nullopt;
}

}  // namespace boatswain::intake
