#include "open/text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "open/segment_reader.h"

namespace boatswain::open {
namespace {

constexpr std::size_t prefix_size = 40;           // "2026-11-22T10:00:00.123456789Z stdout F "
constexpr std::size_t minute_text_size = 17;      // "2026-11-22T10:00:"
constexpr std::size_t note_bytes_max = 1U << 20;  // of a heading's or gap's JSON
constexpr std::size_t reason_bytes_max = 64;

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, std::move(why)); }

// Reads times of the form's one shape. Remembers the minute: most lines share that of the line before.
class TimeReader {
  public:
    // `text` has 30 characters.
    bool read(const char* text, Timestamp& time) {
        if (std::memcmp(text, minute_text_.data(), minute_text_size) != 0 && !read_minute(text)) return false;
        // "SS.NNNNNNNNNZ": every digit is checked by one OR of what exceeds 9.
        unsigned wrong = 0;
        auto digit = [&](std::size_t at) {
            auto value = static_cast<unsigned>(static_cast<unsigned char>(text[at])) - '0';
            wrong |= value > 9;
            return value;
        };
        unsigned seconds = digit(17) * 10 + digit(18);
        std::int64_t nanos = 0;
        for (std::size_t at = 20; at < 29; ++at) nanos = nanos * 10 + digit(at);
        if (wrong != 0 || seconds > 59 || text[19] != '.' || text[29] != 'Z') return false;
        time = minute_ + std::chrono::seconds{seconds} + Nanoseconds{nanos};
        return true;
    }

  private:
    bool read_minute(const char* text) {
        std::string whole{text, minute_text_size};
        auto minute = parse_time(whole + "00Z");
        // parse_time is more generous than the form: written again, the time must be the same text.
        if (!minute || to_text(*minute).compare(0, minute_text_size, whole) != 0) return false;
        minute_ = *minute;
        std::memcpy(minute_text_.data(), text, minute_text_size);
        return true;
    }

    // The two always agree, from the start.
    Timestamp minute_{};
    std::array<char, minute_text_size + 1> minute_text_{"1970-01-01T00:00:"};
};

bool is_reason(std::string_view text) {
    return !text.empty() && text.size() <= reason_bytes_max &&
           std::ranges::all_of(text, [](char c) { return is_lower_letter(c) || is_digit(c) || c == '-'; });
}

class EntryReader {
  public:
    // False: a remark, to be passed over.
    Result<bool> read(std::string_view raw, bool first, TextEntry& entry) {
        entry.raw = raw;
        if (ended_) return refuse("something after the end of the source");
        if (first || raw.starts_with("# {")) {
            entry.kind = TextEntry::Kind::heading;
            if (!first) return refuse("a second heading");
            CHECK(source_id(raw));
            return true;
        }
        if (raw.starts_with("# gap ")) {
            entry.kind = TextEntry::Kind::gap;
            CHECK(read_gap(raw.substr(6), entry.gap));
            return true;
        }
        if (raw.starts_with("# end ")) {
            entry.kind = TextEntry::Kind::end;
            ended_ = true;
            CHECK(read_end(raw.substr(6), entry.end));
            return true;
        }
        if (raw.starts_with("# ")) {
            if (!is_remark(raw.substr(2)))
                return refuse("a line that starts with '# ' and is no heading, gap or remark");
            return false;
        }
        entry.kind = TextEntry::Kind::line;
        CHECK(read_line(raw, entry.line));
        return true;
    }

    Result<std::string> source_id(std::string_view raw) {
        // Not kept: it stays as large as the longest note was, and a merge walks in many texts at once.
        simdjson::dom::parser json;
        simdjson::dom::object object;
        std::string_view id;
        if (!raw.starts_with("# {") || raw.size() > note_bytes_max ||
            json.parse(raw.data() + 2, raw.size() - 2).get(object) != simdjson::SUCCESS ||
            object["source"].get(id) != simdjson::SUCCESS)
            return refuse("no heading that names the source");
        return std::string{id};
    }

    // The entry that was read last will be read again.
    void unread() { ended_ = false; }

  private:
    Result<void> read_line(std::string_view raw, Line& line) {
        if (raw.size() < prefix_size || raw[30] != ' ' || raw[37] != ' ' || raw[39] != ' ')
            return refuse("a line that is not TIME STREAM F|P MESSAGE");
        if (!times_.read(raw.data(), line.time)) return refuse("a line whose time is not of the form");
        auto stream = raw.substr(31, 6);
        if (stream == "stdout")
            line.stream = Stream::out;
        else if (stream == "stderr")
            line.stream = Stream::err;
        else
            return refuse("a line that is neither of stdout nor of stderr");
        if (raw[38] != 'F' && raw[38] != 'P') return refuse("a line that is neither F nor P");
        line.partial = raw[38] == 'P';
        line.bytes = raw.substr(prefix_size);
        return {};
    }

    Result<void> read_gap(std::string_view json, Gap& gap) {
        simdjson::dom::parser parser;
        simdjson::dom::object object;
        std::string_view from, to, reason;
        gap = {};
        if (json.size() > note_bytes_max || parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS ||
            object["from"].get(from) != simdjson::SUCCESS || object["to"].get(to) != simdjson::SUCCESS ||
            object["reason"].get(reason) != simdjson::SUCCESS ||
            object["lines_min"].get(gap.lines_min) != simdjson::SUCCESS ||
            object["bytes_min"].get(gap.bytes_min) != simdjson::SUCCESS)
            return refuse("a gap that is not JSON with from, to, reason, lines_min and bytes_min");
        if (from.size() != time_text_size || to.size() != time_text_size || !times_.read(from.data(), gap.from) ||
            !times_.read(to.data(), gap.to))
            return refuse("a gap whose times are not of the form");
        if (!is_reason(reason)) return refuse("a gap whose reason is not a word");
        gap.reason = reason;
        return {};
    }

    Result<void> read_end(std::string_view json, End& end) {
        simdjson::dom::parser parser;
        simdjson::dom::object object;
        std::string_view time, reason;
        end = {};
        if (json.size() > note_bytes_max || parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS ||
            object["time"].get(time) != simdjson::SUCCESS || object["reason"].get(reason) != simdjson::SUCCESS ||
            object["lines"].get(end.lines) != simdjson::SUCCESS)
            return refuse("an end that is not JSON with time, reason and lines");
        if (time.size() != time_text_size || !times_.read(time.data(), end.time))
            return refuse("an end whose time is not of the form");
        if (!is_reason(reason)) return refuse("an end whose reason is not a word");
        end.reason = reason;
        if (auto code = object["exit_code"]; code.error() != simdjson::NO_SUCH_FIELD) {
            std::int64_t number = 0;
            if (code.get(number) != simdjson::SUCCESS || number != static_cast<int>(number))
                return refuse("an end whose exit code is not one");
            end.exit_code = static_cast<int>(number);
        }
        if (auto bytes = object["bytes"]; bytes.error() != simdjson::NO_SUCH_FIELD) {
            std::uint64_t number = 0;
            if (bytes.get(number) != simdjson::SUCCESS) return refuse("an end whose bytes are no number");
            end.bytes = number;
        }
        return {};
    }

    // `text` follows "# ".
    static bool is_remark(std::string_view text) {
        auto word = text.substr(0, text.find(' '));
        return is_reason(word) && word.front() >= 'a' && word != "gap" && word != "end";
    }

    TimeReader times_;
    bool ended_ = false;
};

}  // namespace

struct EntryWalk::State {
    std::string_view rest;
    std::size_t number = 1;  // of the text line at the start of rest
    EntryReader reader;
    TextEntry entry;
};

EntryWalk::EntryWalk(std::string_view text) : state_(std::make_unique<State>(State{.rest = text})) {}
EntryWalk::EntryWalk(EntryWalk&&) noexcept = default;
EntryWalk& EntryWalk::operator=(EntryWalk&&) noexcept = default;
EntryWalk::~EntryWalk() = default;

Result<const TextEntry*> EntryWalk::next() {
    auto& s = *state_;
    if (s.rest.empty() && s.number == 1) return refuse("line 1: no heading");
    for (; !s.rest.empty(); ++s.number) {
        auto end = s.rest.find('\n');
        if (end == std::string_view::npos)
            return refuse("line " + std::to_string(s.number) + ": no newline at the end of the text");
        auto known = s.reader.read(s.rest.substr(0, end), s.number == 1, s.entry);
        if (!known) return std::unexpected(std::move(known).error().within("line " + std::to_string(s.number)));
        s.rest.remove_prefix(end + 1);
        if (!*known) continue;
        ++s.number;
        return &s.entry;
    }
    return nullptr;
}

void EntryWalk::unread() {
    auto& s = *state_;
    s.rest = {s.entry.raw.data(), static_cast<std::size_t>(s.rest.data() + s.rest.size() - s.entry.raw.data())};
    --s.number;
    s.reader.unread();
}

std::size_t EntryWalk::left() const { return state_->rest.size(); }
void EntryWalk::go_on(std::string_view text) { state_->rest = text; }

Result<void> for_each_entry(std::string_view text, const std::function<bool(const TextEntry&)>& each) {
    EntryWalk walk{text};
    while (true) {
        TRY(const auto* entry, walk.next());
        if (entry == nullptr || !each(*entry)) return {};
    }
}

Result<std::string> heading_source(std::string_view text) {
    EntryReader reader;
    return reader.source_id(text.substr(0, text.find('\n')));
}

Result<segment::FrameCounts> count_text(std::string_view text) {
    segment::FrameCounts counts;
    auto count_time = [&](Timestamp time) {
        bool first = counts.empty();
        counts.first_time = first ? time : std::min(counts.first_time, time);
        counts.last_time = first ? time : std::max(counts.last_time, time);
    };
    CHECK(for_each_entry(text, [&](const TextEntry& entry) {
        if (entry.kind == TextEntry::Kind::line) {
            count_time(entry.line.time);
            ++counts.lines;
            counts.message_bytes += entry.line.bytes.size();
        } else if (entry.kind == TextEntry::Kind::gap) {
            count_time(std::min(entry.gap.from, entry.gap.to));
            ++counts.gaps;
            count_time(std::max(entry.gap.from, entry.gap.to));
        } else if (entry.kind == TextEntry::Kind::end) {
            count_time(entry.end.time);
            counts.end = entry.end;
        }
        return true;
    }));
    return counts;
}

}  // namespace boatswain::open
