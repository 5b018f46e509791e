#include "intake/json_file/json_line.h"

#include <simdjson.h>

#include <cstring>

#include "intake/json_file/json_string.h"

namespace boatswain::intake {
namespace {

constexpr std::string_view head = R"({"log":")";
constexpr std::string_view out_stream = R"(,"stream":"stdout",)";
constexpr std::string_view err_stream = R"(,"stream":"stderr",)";
constexpr std::string_view attrs_name = R"("attrs":)";
constexpr std::string_view time_name = R"("time":")";
static_assert(out_stream.size() == err_stream.size());

bool starts_with(const char* at, const char* end, std::string_view text) {
    return static_cast<std::size_t>(end - at) >= text.size() && std::memcmp(at, text.data(), text.size()) == 0;
}

bool two_digits(const char* at, int& value) {
    auto tens = static_cast<unsigned>(at[0] - '0'), ones = static_cast<unsigned>(at[1] - '0');
    value = static_cast<int>(tens * 10 + ones);
    return tens < 10 && ones < 10;
}

// out_stream.size() bytes.
bool scan_stream(const char* at, const char* end, LogRecord& found) {
    bool out = starts_with(at, end, out_stream);
    found.stream = out ? Stream::out : Stream::err;
    return out || starts_with(at, end, err_stream);
}

// The message lies at `out`: takes its final newline off and looks for another.
void finish_message(const char* out, std::size_t bytes, LogRecord& found) {
    found.newline = bytes > 0 && out[bytes - 1] == '\n';
    found.message_bytes = bytes - (found.newline ? 1 : 0);
    found.inner_newline = std::memchr(out, '\n', found.message_bytes) != nullptr;
}

}  // namespace

bool JsonLineScanner::scan(std::string_view line, char* out, LogRecord& found) {
    const char* at = line.data();
    const char* end = at + line.size();
    if (starts_with(at, end, head)) {
        auto message = unescape_json_string(at + head.size(), end, out);
        if (message.input_end && scan_tail(message.input_end, end, found)) {
            finish_message(out, static_cast<std::size_t>(message.output_end - out), found);
            return true;
        }
    }
    return scan_generally(line, out, found);
}

std::size_t JsonForm::find_record(std::string_view line) const { return line.rfind(head); }

bool JsonForm::scan_front(std::string_view front, char* out, LogRecord& found) const {
    const char* end = front.data() + front.size();
    if (!front.starts_with(head)) return false;
    auto message = unescape_json_string(front.data() + head.size(), end, out);
    if (!message.input_end || !scan_stream(message.input_end, end, found)) return false;
    finish_message(out, static_cast<std::size_t>(message.output_end - out), found);
    return true;
}

std::optional<Timestamp> JsonForm::scan_back(std::string_view back, bool /*whole*/) const {
    constexpr std::string_view tail = "\"}";
    auto name = back.rfind(std::string{","} + std::string{time_name});
    if (name == back.npos || !back.ends_with(tail)) return std::nullopt;
    auto from = name + 1 + time_name.size();
    if (from + tail.size() > back.size()) return std::nullopt;
    auto time = parse_time(back.substr(from, back.size() - tail.size() - from));
    return time ? std::optional{*time} : std::nullopt;
}

// What follows the message: stream, perhaps the attrs that the line before had too, time, and nothing more.
bool JsonLineScanner::scan_tail(const char* at, const char* end, LogRecord& found) {
    if (!scan_stream(at, end, found)) return false;
    at += out_stream.size();
    if (!attrs_.empty() && starts_with(at, end, attrs_name) && starts_with(at + attrs_name.size(), end, attrs_)) {
        at += attrs_name.size() + attrs_.size();
        if (at == end || *at != ',') return false;
        ++at;
    }
    if (!starts_with(at, end, time_name)) return false;
    at += time_name.size();
    if (end - at < 2 || end[-1] != '}' || end[-2] != '"') return false;
    return scan_time(at, end - 2, found);
}

// "2026-11-23T00:14:35.375600667Z", zeros at the end of the fraction trimmed. The minute is nearly always that of the
// line before.
bool JsonLineScanner::scan_time(const char* at, const char* end, LogRecord& found) {
    auto size = end - at;
    if (size < 20 || size > 30 || end[-1] != 'Z') return false;
    if (!minute_ || std::memcmp(at, minute_text_, sizeof minute_text_) != 0) {
        minute_ = parse_time(std::string{at, sizeof minute_text_} + "00Z");
        if (!minute_) return false;
        std::memcpy(minute_text_, at, sizeof minute_text_);
    }
    int seconds = 0;
    if (!two_digits(at + 17, seconds) || seconds > 60) return false;
    std::uint32_t nanos = 0;
    auto digits = size - 21;
    if (size > 20) {
        if (at[19] != '.' || digits < 1) return false;
        for (const char* digit = at + 20; digit < end - 1; ++digit) {
            auto value = static_cast<unsigned>(*digit - '0');
            if (value > 9) return false;
            nanos = nanos * 10 + value;
        }
        static constexpr std::uint32_t scale[10] = {1'000'000'000, 100'000'000, 10'000'000, 1'000'000, 100'000,
                                                    10'000,        1'000,       100,        10,        1};
        nanos *= scale[digits];
    }
    found.time = *minute_ + std::chrono::seconds{seconds} + Nanoseconds{nanos};
    return true;
}

bool JsonLineScanner::scan_generally(std::string_view line, char* out, LogRecord& found) {
    ++general_lines_;
    padded_.assign(line);
    padded_.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(padded_.data(), line.size(), false).get(root) != simdjson::SUCCESS || !root.is_object())
        return false;

    std::string_view message, stream, time;
    if (root["log"].get(message) != simdjson::SUCCESS) message = {};  // the engine omits an empty "log"
    if (root["stream"].get(stream) != simdjson::SUCCESS || root["time"].get(time) != simdjson::SUCCESS) return false;
    auto parsed = parse_time(time);
    if (!parsed || (stream != "stdout" && stream != "stderr")) return false;
    if (message.size() > line.size()) return false;
    found.time = *parsed;
    found.stream = stream == "stdout" ? Stream::out : Stream::err;
    if (!message.empty()) std::memcpy(out, message.data(), message.size());
    finish_message(out, message.size(), found);

    // Lines of one container share their attrs: remember the text, and the next line is of the fixed shape.
    auto attrs_at = line.rfind(attrs_name);
    auto time_at = line.rfind(std::string{","} + std::string{time_name});
    simdjson::dom::element attrs;
    if (root["attrs"].get(attrs) == simdjson::SUCCESS && attrs_at != std::string_view::npos &&
        time_at != std::string_view::npos && attrs_at + attrs_name.size() < time_at)
        attrs_ = line.substr(attrs_at + attrs_name.size(), time_at - attrs_at - attrs_name.size());
    return true;
}

}  // namespace boatswain::intake
