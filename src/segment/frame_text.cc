#include "segment/frame_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/json_writer.h"
#include "base/text.h"

namespace boatswain::segment {
namespace {

constexpr std::size_t first_capacity = 4U << 10;  // small: thousands of tenants may each have a frame open
constexpr std::size_t doubling_until = 512U << 10;

constexpr std::int64_t minute_ns = 60'000'000'000;
// The form's years are 1678 to 2261 (base/time.h reads no others). A time outside is moved to the nearest end: an
// engine's clock that is centuries off must not make a frame that nobody reads.
constexpr std::int64_t earliest_ns = -9'214'560'000'000'000'000;  // 1678-01-01T00:00:00Z
constexpr std::int64_t latest_ns = 9'214'646'399'999'999'999;     // 2261-12-31T23:59:59.999999999Z

constexpr auto digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

void put_pair(char* out, std::uint32_t below_100) { std::memcpy(out, digit_pairs.data() + 2 * below_100, 2); }

// "SS.NNNNNNNNNZ" from nanoseconds within a minute. Divisions by constants are multiplications; none waits for more
// than one other.
void put_seconds(char* out, std::uint64_t within_minute) {
    auto seconds = static_cast<std::uint32_t>(within_minute / 1'000'000'000);
    auto nanos = static_cast<std::uint32_t>(within_minute % 1'000'000'000);
    std::uint32_t high = nanos / 10'000, low = nanos % 10'000;    // 5 digits, 4 digits
    std::uint32_t first = high / 10'000, middle = high % 10'000;  // 1 digit, 4 digits
    put_pair(out, seconds);
    out[2] = '.';
    out[3] = static_cast<char>('0' + first);
    put_pair(out + 4, middle / 100);
    put_pair(out + 6, middle % 100);
    put_pair(out + 8, low / 100);
    put_pair(out + 10, low % 100);
    out[12] = 'Z';
}

std::string heading(const Source& source) {
    JsonWriter json{"# "};
    json.object()
        .member("source", source.id)
        .member_unless_empty("kind", source.kind)
        .member_unless_empty("name", source.name)
        .member_unless_empty("app", source.whose.app)
        .member_unless_empty("component", source.whose.component)
        .member_unless_empty("instance", source.whose.instance)
        .member_unless_empty("image", source.image);
    return json.take_line();
}

// A reason is a word of lower-case letters, digits and dashes. One that is not must not make a frame that nobody reads.
std::string as_reason(std::string_view text) {
    std::string reason{text.empty() ? "unknown" : text};
    for (char& c : reason)
        if (!is_lower_letter(c) && !is_digit(c)) c = '-';
    return reason;
}

Timestamp writable(Timestamp time) {
    return Timestamp{Nanoseconds{std::clamp(time.time_since_epoch().count(), earliest_ns, latest_ns)}};
}

}  // namespace

FrameText::FrameText(const Source& source, std::string memory) : text_(std::move(memory)) {
    auto text = heading(source);
    std::memcpy(room(text.size()), text.data(), text.size());
    used_ = text.size();
    set_minute(Timestamp{});
}

std::string FrameText::take_memory() {
    used_ = 0;
    return std::move(text_);
}

// Keeps what is written and makes room for `bytes` more. Doubles while small, then grows by half, so that a frame of
// several hundred KiB wastes little. A new string each time: std::string's own growth always doubles, and copies what
// is not used.
char* FrameText::room(std::size_t bytes) {
    if (text_.size() - used_ < bytes) [[unlikely]] {
        auto size = std::max(text_.size() < doubling_until ? text_.size() * 2 : text_.size() + text_.size() / 2,
                             first_capacity);
        size = std::max(size, used_ + bytes);
        std::string grown;
        grown.resize_and_overwrite(size, [&](char* p, std::size_t n) {
            std::memcpy(p, text_.data(), used_);
            return n;
        });
        text_ = std::move(grown);
    }
    return text_.data() + used_;
}

void FrameText::set_minute(Timestamp time) {
    auto ns = time.time_since_epoch().count();
    auto within = ns % minute_ns;
    cached_minute_ = ns - (within < 0 ? within + minute_ns : within);
    std::array<char, time_text_size> text{};
    write_time(Timestamp{Nanoseconds{cached_minute_}}, text.data());
    std::memcpy(cached_text_, text.data(), sizeof cached_text_);
}

void FrameText::count_time(Timestamp time) {
    if (counts_.empty()) {
        counts_.first_time = counts_.last_time = time;
        return;
    }
    counts_.first_time = std::min(counts_.first_time, time);
    counts_.last_time = std::max(counts_.last_time, time);
}

void FrameText::end_message(Timestamp time, Stream stream, bool partial, const char* message_end) {
    char* out = text_.data() + used_;
    auto within =
        static_cast<std::uint64_t>(time.time_since_epoch().count()) - static_cast<std::uint64_t>(cached_minute_);
    if (within >= static_cast<std::uint64_t>(minute_ns)) [[unlikely]] {
        time = writable(time);
        set_minute(time);
        within = static_cast<std::uint64_t>(time.time_since_epoch().count() - cached_minute_);
    }
    std::memcpy(out, cached_text_, sizeof cached_text_);
    put_seconds(out + sizeof cached_text_, within);
    std::memcpy(out + time_text_size, stream == Stream::out ? " stdout F " : " stderr F ",
                prefix_size - time_text_size);
    if (partial) out[prefix_size - 2] = 'P';
    auto size = static_cast<std::size_t>(message_end - out) - prefix_size;
    out[prefix_size + size] = '\n';
    used_ += prefix_size + size + 1;
    count_time(time);
    ++counts_.lines;
    counts_.message_bytes += size;
}

// What prints itself must not be able to forge a line: where a message holds a newline after all, it is what a newline
// means, the end of a line.
void FrameText::append(const Line& line) {
    auto rest = line.bytes;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        append_piece(line, rest.substr(0, end), false);
        rest.remove_prefix(end + 1);
    }
    append_piece(line, rest, line.partial);
}

void FrameText::append_piece(const Line& line, std::string_view message, bool partial) {
    char* out = begin_message(message.size());
    if (!message.empty()) std::memcpy(out, message.data(), message.size());
    end_message(line.time, line.stream, partial, out + message.size());
}

void FrameText::append(const Gap& gap) {
    auto from = writable(gap.from), to = writable(gap.to);
    JsonWriter json{"# gap "};
    json.object()
        .member("from", from)
        .member("to", to)
        .member("reason", as_reason(gap.reason))
        .member("lines_min", gap.lines_min)
        .member("bytes_min", gap.bytes_min);
    append_note(json.take_line());
    count_time(std::min(from, to));
    ++counts_.gaps;
    ++gaps_[gap.reason];
    count_time(std::max(from, to));
}

std::string end_json(const End& end) {
    return json_object()
        .member("time", end.time)
        .member("reason", end.reason)
        .member_if_there("exit_code", end.exit_code)
        .member("lines", end.lines)
        .member_if_there("bytes", end.bytes)
        .take();
}

void FrameText::append(const End& end) {
    auto written = end;
    written.time = writable(end.time);
    written.reason = as_reason(end.reason);
    append_note("# end " + end_json(written) + "\n");
    count_time(written.time);
    counts_.end = std::move(written);
}

void FrameText::append_note(std::string_view note) {
    std::memcpy(room(note.size()), note.data(), note.size());
    used_ += note.size();
}

}  // namespace boatswain::segment
