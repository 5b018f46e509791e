#include "record/position.h"

#include <charconv>
#include <vector>

namespace boatswain {
namespace {

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        auto end = text.find(' ');
        found.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return found;
}

template <class Integer>
bool read_integer(std::string_view text, Integer& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string nanoseconds(Timestamp time) { return std::to_string(time.time_since_epoch().count()); }

bool read_time(std::string_view text, Timestamp& time) {
    std::int64_t count = 0;
    if (!read_integer(text, count)) return false;
    time = Timestamp{Nanoseconds{count}};
    return true;
}

}  // namespace

std::string to_text(const Position& position) {
    if (const auto* file = std::get_if<FilePosition>(&position))
        return "file " + std::to_string(file->device) + " " + std::to_string(file->inode) + " " +
               std::to_string(file->fingerprint) + " " + std::to_string(file->out_offset) + " " +
               std::to_string(file->err_offset) +
               (file->has_times() ? " " + nanoseconds(file->out_time) + " " + nanoseconds(file->err_time) + " " +
                                        nanoseconds(file->end_time)
                                  : std::string{});
    if (const auto* time = std::get_if<TimePosition>(&position))
        return "time " + nanoseconds(time->out) + " " + nanoseconds(time->err) +
               (time->mark == 0 && !time->gap_told
                    ? std::string{}
                    : " " + nanoseconds(time->mark_time) + " " + std::to_string(time->mark) + " " +
                          std::to_string(time->after) + " " + nanoseconds(time->newest) +
                          (time->before == 0 && time->past == 0 && !time->gap_told
                               ? std::string{}
                               : " " + std::to_string(time->before) + " " + std::to_string(time->past) +
                                     (time->gap_told ? " 1" : " 0")));
    return "none";
}

std::optional<Position> parse_position(std::string_view text) {
    auto parts = words(text);
    if (parts.size() == 1 && parts[0] == "none") return Position{NoPosition{}};
    if ((parts.size() == 6 || parts.size() == 9) && parts[0] == "file") {
        FilePosition file;
        if (read_integer(parts[1], file.device) && read_integer(parts[2], file.inode) &&
            read_integer(parts[3], file.fingerprint) && read_integer(parts[4], file.out_offset) &&
            read_integer(parts[5], file.err_offset) &&
            (parts.size() == 6 || (read_time(parts[6], file.out_time) && read_time(parts[7], file.err_time) &&
                                   read_time(parts[8], file.end_time))))
            return Position{file};
    }
    if ((parts.size() == 3 || parts.size() == 7 || parts.size() == 10) && parts[0] == "time") {
        TimePosition time;
        if (!read_time(parts[1], time.out) || !read_time(parts[2], time.err)) return std::nullopt;
        if (parts.size() == 3) return Position{time};
        bool counted = parts.size() == 7 || (read_integer(parts[7], time.before) && read_integer(parts[8], time.past) &&
                                             (parts[9] == "0" || parts[9] == "1"));
        time.gap_told = parts.size() == 10 && parts[9] == "1";
        if (counted && read_time(parts[3], time.mark_time) && read_integer(parts[4], time.mark) &&
            read_integer(parts[5], time.after) && read_time(parts[6], time.newest))
            return Position{time};
    }
    return std::nullopt;
}

}  // namespace boatswain
