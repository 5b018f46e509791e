#include "engine/logs_line.h"

#include <algorithm>
#include <optional>

namespace boatswain::engine {
namespace {

constexpr std::size_t message_bytes_max = 64U << 10;
// The engine writes 30 characters; 35 are what RFC 3339 can have with nanoseconds and an offset.
constexpr std::size_t time_text_max = 35;

// "2026-11-22T10:00:00.123456789Z " in front: the time, and how long it is with its blank.
struct Heading {
    Timestamp time{};
    std::size_t size = 0;
};

std::optional<Heading> heading_of(std::string_view text) {
    auto blank = text.substr(0, time_text_max + 1).find(' ');
    if (blank == text.npos) return std::nullopt;
    auto time = parse_time(text.substr(0, blank));
    if (!time) return std::nullopt;
    return Heading{.time = *time, .size = blank + 1};
}

// Gives out `text`, which holds the newlines the container printed; inner ones (see the header) end records too.
void give(Stream stream, Timestamp time, std::string_view text, const LogsLineSplitter::OnRecord& on_record) {
    for (unsigned part = 0;; ++part) {
        auto newline = text.find('\n');
        bool ended = newline != text.npos;
        on_record({.stream = stream,
                   .time = time,
                   .bytes = text.substr(0, newline),
                   .ended_by_newline = ended,
                   .part = part});
        if (!ended) return;
        text.remove_prefix(newline + 1);
        if (text.empty()) return;
    }
}

void give_frame(Stream stream, std::string_view frame, const LogsLineSplitter::OnRecord& on_record,
                const LogsLineSplitter::OnMessage& on_message) {
    if (auto heading = heading_of(frame)) {
        give(stream, heading->time, frame.substr(heading->size), on_record);
    } else if (!frame.empty()) {
        on_message(frame.substr(0, message_bytes_max));
    }
}

// The line's own time, where a further piece of it starts, is not output.
std::string without_repeated(std::string_view text, std::string_view line_time, std::size_t earliest) {
    std::string out;
    for (;;) {
        auto again = text.find(line_time, std::min(text.size(), earliest));
        earliest = logs_piece_bytes;
        out += text.substr(0, again);
        if (again == text.npos) return out;
        text.remove_prefix(again + line_time.size());
    }
}

}  // namespace

Result<void> LogsLineSplitter::feed(std::string_view bytes, const OnRecord& on_record, const OnMessage& on_message) {
    if (shape_ == Shape::frames) return feed_frames(bytes, on_record, on_message);
    feed_terminal(bytes, on_record, on_message);
    return {};
}

Result<void> LogsLineSplitter::feed_frames(std::string_view bytes, const OnRecord& on_record,
                                           const OnMessage& on_message) {
    auto on_payload = [&](Stream stream, std::string_view piece, bool frame_end) {
        if (too_long_) return;
        if (pending_.size() + piece.size() > logs_record_bytes_max) {
            too_long_ = true;
            pending_.clear();
            return;
        }
        // Most frames come whole and are given out where they lie.
        if (frame_end && pending_.empty()) return give_frame(stream, piece, on_record, on_message);
        pending_ += piece;
        if (!frame_end) return;
        give_frame(stream, pending_, on_record, on_message);
        pending_.clear();
    };
    auto on_engine = [&](std::string_view piece, bool frame_end) {
        message_ += piece.substr(0, message_bytes_max - std::min(message_bytes_max, message_.size()));
        if (!frame_end) return;
        if (!message_.empty()) on_message(message_);
        message_.clear();
    };
    CHECK(parser_.feed(bytes, on_payload, on_engine));
    if (too_long_)
        return fail(Remedy::quarantine, "logs: a frame is longer than " + std::to_string(logs_record_bytes_max) +
                                            " bytes, which no engine sends");
    return {};
}

void LogsLineSplitter::feed_terminal(std::string_view bytes, const OnRecord& on_record, const OnMessage& on_message) {
    while (!bytes.empty()) {
        auto newline = bytes.find('\n');
        bool ended = newline != bytes.npos;
        auto room = logs_record_bytes_max - pending_.size();
        auto take = std::min(ended ? newline : bytes.size(), room);
        ended = ended && take == newline;
        pending_ += bytes.substr(0, take);
        bytes.remove_prefix(take + (ended ? 1 : 0));
        if (ended) {
            give_terminal(pending_, true, on_record, on_message);
            pending_.clear();
        } else if (pending_.size() == logs_record_bytes_max) {
            // The line's time may be about to be repeated right here: what could be its first part waits.
            auto tail = pending_.substr(pending_.size() - time_text_max);
            pending_.resize(pending_.size() - tail.size());
            give_terminal(pending_, false, on_record, on_message);
            pending_ = std::move(tail);
        }
    }
}

void LogsLineSplitter::give_terminal(std::string_view text, bool newline, const OnRecord& on_record,
                                     const OnMessage& on_message) {
    if (!line_continues_) {
        auto heading = heading_of(text);
        if (!heading) {
            // A message of the engine over the bound would go on as the next line's start; no engine writes such.
            if (!text.empty()) on_message(text.substr(0, message_bytes_max));
            return;
        }
        line_time_ = text.substr(0, heading->size);
        text.remove_prefix(heading->size);
    }
    std::string joined;
    if (text.size() > logs_piece_bytes || line_continues_) {
        joined = without_repeated(text, line_time_, line_continues_ ? 0 : logs_piece_bytes);
        text = joined;
    }
    line_continues_ = !newline;
    auto time = heading_of(line_time_);
    on_record({.stream = Stream::out, .time = time->time, .bytes = text, .ended_by_newline = newline});
}

Result<void> LogsLineSplitter::end(const OnRecord& on_record, const OnMessage& on_message) {
    if (shape_ == Shape::terminal) {
        if (!pending_.empty()) give_terminal(pending_, false, on_record, on_message);
        pending_.clear();
        line_continues_ = false;
        return {};
    }
    if (!parser_.at_frame_start()) return fail(Remedy::back_off, "logs: the stream broke off in the middle of a frame");
    return {};
}

}  // namespace boatswain::engine
