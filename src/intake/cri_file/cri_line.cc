#include "intake/cri_file/cri_line.h"

#include <cstring>
#include <string>

namespace boatswain::intake {
namespace {

constexpr std::size_t time_bytes_min = std::string_view{"2026-11-23T00:14:35Z"}.size();
constexpr std::size_t time_bytes_max = std::string_view{"2026-11-23T00:14:35.123456789+00:00"}.size();

// What stands before the next blank; takes it off, and the blank. Nothing when there is none.
std::optional<std::string_view> take_word(std::string_view& rest) {
    auto blank = rest.find(' ');
    if (blank == rest.npos) return std::nullopt;
    auto word = rest.substr(0, blank);
    rest.remove_prefix(blank + 1);
    return word;
}

// "F", "P", "F:TAG". A record without a message may end behind its tag.
bool scan_tag(std::string_view tag, LogRecord& found) {
    tag = tag.substr(0, tag.find(':'));
    found.newline = tag == "F";
    return tag == "F" || tag == "P";
}

bool scan_stream(std::string_view stream, LogRecord& found) {
    found.stream = stream == "stdout" ? Stream::out : Stream::err;
    return stream == "stdout" || stream == "stderr";
}

std::optional<unsigned> two_digits(const char* at) {
    auto tens = static_cast<unsigned>(at[0] - '0'), ones = static_cast<unsigned>(at[1] - '0');
    if (tens > 9 || ones > 9) return std::nullopt;
    return tens * 10 + ones;
}

// "" or ".123456": nanoseconds.
std::optional<std::uint32_t> fraction_of(std::string_view text) {
    if (text.empty()) return 0;
    text.remove_prefix(1);
    if (text.empty() || text.size() > 9) return std::nullopt;
    std::uint32_t nanos = 0;
    for (char digit : text) {
        auto value = static_cast<unsigned>(digit - '0');
        if (value > 9) return std::nullopt;
        nanos = nanos * 10 + value;
    }
    for (auto digits = text.size(); digits < 9; ++digits) nanos *= 10;
    return nanos;
}

}  // namespace

// In UTC, as nearly all write it, a time is read on from the minute of the line before; others go to the general
// parser.
bool CriLineScanner::scan_time(std::string_view text, Timestamp& time) {
    if (text.size() < time_bytes_min || text.size() > time_bytes_max) return false;
    std::size_t zone = text.ends_with('Z') ? 1 : text.ends_with("+00:00") ? 6 : 0;
    auto general = [&] {
        auto parsed = parse_time(text);
        if (parsed) time = *parsed;
        return parsed.has_value();
    };
    if (zone == 0 || (text[19] != '.' && text.size() != 19 + zone)) return general();
    if (!minute_ || std::memcmp(text.data(), minute_text_, sizeof minute_text_) != 0) {
        minute_ = parse_time(std::string{text.substr(0, sizeof minute_text_)} + "00Z");
        if (!minute_) return false;
        std::memcpy(minute_text_, text.data(), sizeof minute_text_);
    }
    auto seconds = two_digits(text.data() + 17);
    auto nanos = fraction_of(text.substr(19, text.size() - 19 - zone));
    if (!seconds || *seconds > 60 || !nanos) return false;
    time = *minute_ + std::chrono::seconds{*seconds} + Nanoseconds{*nanos};
    return true;
}

bool CriLineScanner::scan(std::string_view line, char* out, LogRecord& found) {
    auto rest = line;
    auto time = take_word(rest), stream = take_word(rest);
    if (!time || !stream || !scan_time(*time, found.time) || !scan_stream(*stream, found)) return false;
    auto tag = take_word(rest);
    if (!tag) {
        tag = rest;
        rest = {};
    }
    if (!scan_tag(*tag, found)) return false;
    if (!rest.empty()) std::memcpy(out, rest.data(), rest.size());
    found.message_bytes = rest.size();
    found.inner_newline = false;
    return true;
}

// A power cut leaves zeros; what follows them is a record.
std::size_t CriForm::find_record(std::string_view line) const {
    return line.starts_with('\0') ? line.find_first_not_of('\0') : line.npos;
}

// No runtime cuts lines into pieces that are longer than one read, unless its operator took the bound off: then the
// message does not lie in the front.
bool CriForm::scan_front(std::string_view /*front*/, char* /*out*/, LogRecord& /*found*/) const { return false; }

// Its time stands at the front: where that is cut off, the message may hold anything.
std::optional<Timestamp> CriForm::scan_back(std::string_view back, bool whole) const {
    if (!whole) return std::nullopt;
    auto rest = back;
    auto time = take_word(rest);
    return time ? parse_time(*time) : std::nullopt;
}

}  // namespace boatswain::intake
