#include "intake/docker/file_place.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "intake/engine_logs/logs_place.h"
#include "intake/json_file/json_line.h"
#include "intake/rotation/log_files.h"

namespace boatswain::intake::docker {
namespace {

constexpr std::uint64_t window_min = 256U << 10;
constexpr std::size_t read_bytes = 256U << 10;
constexpr std::size_t record_bytes_max = 1U << 20;  // a longer one is passed over
constexpr std::uint64_t some_entries = 1ULL << 62;  // not all of them

struct Plain {
    std::unique_ptr<LogFile> file;
    std::uint64_t size = 0;
};

// Oldest first; from the newest back to the first that is compressed or cannot be opened.
std::vector<Plain> plain_files(const Path& log_path, bool& all) {
    std::vector<Plain> files;
    all = true;
    for (const auto& generation : list_generations(log_path)) {
        auto opened = generation.compressed ? Result<std::unique_ptr<LogFile>>{fail(Remedy::stop, "compressed")}
                                            : open_log_file(generation.path);
        auto size = opened ? (*opened)->size() : std::nullopt;
        if (!size) {
            all = false;
            break;
        }
        files.push_back({.file = std::move(*opened), .size = *size});
    }
    std::ranges::reverse(files);
    return files;
}

// Shows the records of a file from `at` on to `see(record's start, line)` until it is false; where the last whole one
// ends.
template <class See>
std::uint64_t each_line(LogFile& file, std::uint64_t at, See&& see) {
    std::string buffer;
    std::vector<char> piece(read_bytes);
    bool too_long = false;
    for (auto next = at;;) {
        auto size = file.read_at(next, piece.data(), piece.size());
        if (!size || *size == 0) return at;
        next += *size;
        buffer.append(piece.data(), *size);
        std::size_t start = 0;
        for (auto end = buffer.find('\n'); end != buffer.npos; start = end + 1, end = buffer.find('\n', start)) {
            auto line = std::string_view{buffer}.substr(start, end - start);
            if (!too_long && !see(at, line)) return at;
            too_long = false;
            at = next - buffer.size() + end + 1;
        }
        buffer.erase(0, start);
        if (buffer.size() <= record_bytes_max) continue;
        buffer.clear();
        too_long = true;
    }
}

// Of one line of the file: whether the place lies before it.
bool is_behind(LogsPlace& place, JsonLineScanner& scanner, std::string_view line, std::string& text) {
    LogRecord found;
    text.resize(line.size() + JsonLineScanner::slack);
    if (!scanner.scan(line, text.data(), found)) return false;
    auto message = std::string_view{text}.substr(0, found.message_bytes);
    engine::LogsRecord record{.stream = found.stream, .time = found.time};
    for (;; ++record.part) {
        auto end = found.inner_newline ? message.find('\n') : message.npos;
        record.bytes = message.substr(0, end);
        record.ended_by_newline = end != message.npos || found.newline;
        if (place.see(record, false) == LogsPlace::Verdict::take) return true;
        if (end == message.npos) return false;
        message.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<FilePosition> place_in_files(const Path& log_path, const TimePosition& taken, bool pieces_counted) {
    if (taken.after > 0 || taken.mark == 0) return std::nullopt;
    bool all = false;
    auto files = plain_files(log_path, all);
    std::uint64_t total = 0;
    for (const auto& one : files) total += one.size;
    for (auto window = window_min;; window *= 4) {
        auto from = total - std::min(total, window);
        bool from_the_start = from == 0 && all;
        LogsPlace place{taken, pieces_counted};
        place.search(LogsPlace::How::thorough, from_the_start ? std::nullopt : std::optional{some_entries}, false);
        JsonLineScanner scanner;
        std::string text;
        for (auto& one : files) {
            if (from >= one.size) {
                from -= one.size;
                continue;
            }
            bool first = from > 0, behind = false;  // the first line is a part of one
            auto at = each_line(*one.file, std::exchange(from, 0), [&](std::uint64_t, std::string_view line) {
                if (std::exchange(first, false)) return true;
                behind = is_behind(place, scanner, line, text);
                return !behind;
            });
            if (place.is_by_time()) return std::nullopt;
            bool last = &one == &files.back();
            if (!behind && !(last && place.found() && place.is_taking())) continue;
            auto fingerprint = fingerprint_of(*one.file);
            if (!fingerprint) return std::nullopt;
            return FilePosition{.device = one.file->device(),
                                .inode = one.file->inode(),
                                .fingerprint = *fingerprint,
                                .out_offset = at,
                                .err_offset = at};
        }
        if (window >= total || window >= file_place_bytes_max) return std::nullopt;
    }
}

}  // namespace boatswain::intake::docker
