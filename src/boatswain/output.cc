#include "boatswain/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "base/bytes.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t buffer_bytes = 64U << 10;
constexpr std::size_t cell_bytes_max = 120;

// Characters, as far as columns go: wide ones are not told apart.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool right_aligned(const std::string& heading) { return heading.starts_with('>'); }

}  // namespace

Output::Output(int fd, bool colour) : fd_(fd), terminal_(::isatty(fd) == 1), colour_(colour && terminal_) {}

void Output::write(std::string_view text) {
    if (ended()) return;
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes) flush();
}

void Output::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty() && !ended()) {
        auto written = ::write(fd_, rest.data(), rest.size());
        if (written >= 0)
            rest.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            error_number_ = errno;
    }
    buffer_.clear();
}

void Output::write_line(std::string_view text) const {
    auto line = fmt::format("{}{}\n", terminal_ ? "\r\x1b[K" : "", text);
    for (std::string_view rest = line; !rest.empty();) {
        auto written = ::write(fd_, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) return;
        if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

Result<void> Output::trouble() const {
    if (error_number_ == 0 || error_number_ == EPIPE) return {};
    return fail_errno(Remedy::stop, "write the output", error_number_);
}

std::string Output::paint(std::string_view sgr, std::string_view text) const {
    if (!colour_) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", sgr, text);
}

void Console::complain(std::string_view what) {
    out.flush();
    err.write(fmt::format("boatswain: {}\n", what));
    err.flush();
}

void Console::note(std::string_view what) {
    out.flush();
    err.write(fmt::format("note: {}\n", what));
    err.flush();
}

std::string terminal_safe(std::string_view text) {
    // Most lines are printable ASCII. No early exit: so the loop is one over vectors.
    bool plain = true;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        plain &= (byte >= 0x20 && byte < 0x7F) || byte == '\t';
    }
    if (plain) return std::string{text};
    constexpr auto whole = std::numeric_limits<std::size_t>::max();
    std::string safe;
    for (std::size_t tab = text.find('\t'); tab != text.npos; tab = text.find('\t')) {
        safe += printable(text.substr(0, tab), whole) + '\t';
        text.remove_prefix(tab + 1);
    }
    return safe + printable(text, whole);
}

std::string human_size(std::uint64_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (value /= 1024; value >= 1023.95 && unit + 1 < units.size(); value /= 1024) ++unit;
    return fmt::format("{:.1f} {}", value, units.at(unit));
}

std::string short_time(Timestamp time) {
    constexpr std::size_t to_milliseconds = 23;  // "2026-11-23T10:00:00.123"
    return to_text(time).substr(0, to_milliseconds) + "Z";
}

std::string local_time(Timestamp time) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    auto since_epoch = static_cast<std::time_t>(seconds.time_since_epoch().count());
    std::tm parts{};
    if (::localtime_r(&since_epoch, &parts) == nullptr) return short_time(time);
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
    auto minutes = parts.tm_gmtoff / 60;
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds, minutes < 0 ? '-' : '+',
                       std::abs(minutes) / 60, std::abs(minutes) % 60);
}

std::string Output::time_text(Timestamp time) const { return local_times_ ? local_time(time) : short_time(time); }

std::string hour_text(Timestamp hour) { return to_text(hour).substr(0, 13); }

void Table::print(Output& out) const {
    auto cell = [&](std::size_t row, std::size_t column) {
        const auto& text = rows_[row][column];
        return row == 0 && right_aligned(text) ? text.substr(1) : printable(text, cell_bytes_max);
    };
    std::vector<std::size_t> widths(rows_.front().size());
    for (std::size_t row = 0; row < rows_.size(); ++row)
        for (std::size_t column = 0; column < widths.size(); ++column)
            widths[column] = std::max(widths[column], width(cell(row, column)));
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        std::string text;
        for (std::size_t column = 0; column < widths.size(); ++column) {
            auto content = cell(row, column);
            std::string padding(widths[column] - width(content), ' ');
            bool at_right = right_aligned(rows_.front()[column]);
            text += at_right ? padding + content : content + padding;
            text += "  ";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out.write((row == 0 ? out.paint("1", text) : text) + "\n");
    }
}

}  // namespace boatswain::tool
