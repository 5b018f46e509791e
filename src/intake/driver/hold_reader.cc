#include "intake/driver/hold_reader.h"

#include <algorithm>

namespace boatswain::intake::driver {
namespace {

constexpr std::size_t read_bytes = 256U << 10;
static_assert(read_bytes >= frame_bytes_max);

std::size_t index(Stream stream) { return stream == Stream::out ? 0 : 1; }

}  // namespace

HoldCounters::HoldCounters(Metrics& metrics)
    : dropped_lines(metrics.counter("boatswain_driver_dropped_lines_total",
                                    "Lines that the log driver dropped for want of room; gap records name them")),
      malformed(metrics.counter("boatswain_driver_malformed_total", "Frames of the engine that were not understood")) {}

Result<std::unique_ptr<HoldReader>> HoldReader::open(const Path& directory, HoldName name, const Position& saved,
                                                     HoldCounters& counters) {
    TRY(auto hold, Hold::open(directory / (name.str() + ".hold")));
    std::unique_ptr<HoldReader> reader{new HoldReader(directory, std::move(name), std::move(hold), counters)};
    reader->offset_ = reader->hold_.start();
    if (auto position = position_of(reader->hold_, reader->name_, saved)) {
        reader->from_[0] = position->out_offset;
        reader->from_[1] = position->err_offset;
        reader->offset_ = std::min(position->out_offset, position->err_offset);
    }
    return reader;
}

FilePosition HoldReader::here() const {
    auto of = [&](Stream stream) {
        return joiner_.pending(stream) ? pending_[index(stream)] : std::max(offset_, from_[index(stream)]);
    };
    return position_in(hold_, name_, of(Stream::out), of(Stream::err));
}

void HoldReader::take_entry(const Frame& frame, std::uint64_t at, batch::Feed& feed) {
    auto entry = parse_log_entry(frame.payload);
    if (!entry) {
        counters_.malformed.add();
        auto now = SystemClock{}.now();
        feed.append(Gap{.from = now, .to = now, .reason = gap_malformed, .lines_min = 1, .bytes_min = frame.size});
        return;
    }
    auto stream = entry->is_error_stream() ? Stream::err : Stream::out;
    if (at < from_[index(stream)]) return;
    Timestamp time{Nanoseconds{entry->time_nano}};
    if (joiner_.add(feed.text(), stream, time, entry->line, entry->ends_line())) pending_[index(stream)] = at;
}

void HoldReader::take(const Frame& frame, std::uint64_t at, batch::Feed& feed) {
    if (frame.kind == Frame::Kind::entry) return take_entry(frame, at, feed);
    if (at < std::max(from_[0], from_[1])) return;
    auto gap = parse_gap_note(frame.payload);
    if (!gap) return;
    if (joiner_.pending()) joiner_.end(feed.text());  // what was dropped may be the rest of it
    append_gap(*gap, feed);
}

void HoldReader::append_gap(const Gap& gap, batch::Feed& feed) {
    if (gap.reason == gap_driver_overflow) counters_.dropped_lines.add(gap.lines_min);
    feed.append(gap);
}

Result<HoldReader::Step> HoldReader::read_some(batch::Feed& feed, std::string& buffer) {
    if (finished_) return Step::finished;
    // Asked first: what is there behind `ended` is all there is.
    bool ended = hold_.ended();
    buffer.resize(read_bytes);
    TRY(auto n, hold_.read(offset_, buffer));
    std::string_view left{buffer.data(), n};
    for (auto frame = first_frame(left); frame.size > 0; frame = first_frame(left)) {
        take(frame, offset_, feed);
        offset_ += frame.size;
        left.remove_prefix(frame.size);
    }
    bool strange = first_frame(left).kind == Frame::Kind::malformed;
    bool rest_is_lost = strange || (ended && n < read_bytes && !left.empty());
    if (rest_is_lost) {
        // Only somebody else's hand can have written this.
        counters_.malformed.add();
        auto now = SystemClock{}.now();
        auto size = hold_.size();
        feed.append(Gap{.from = now, .to = now, .reason = gap_malformed, .lines_min = 0, .bytes_min = size - offset_});
        offset_ = size;
    }
    bool at_end = n < read_bytes;
    if (at_end && ended) {
        if (joiner_.pending()) joiner_.end(feed.text());
        if (auto gap = hold_.unwritten_gap()) append_gap(*gap, feed);
        finished_ = true;
    }
    feed.note_pending(joiner_.pending_bytes());
    feed.mark(here());
    if (finished_) return Step::finished;
    return at_end ? Step::at_end : Step::more;
}

void HoldReader::put_down(batch::Feed& feed) {
    if (!joiner_.pending()) return;
    joiner_.end(feed.text());
    feed.note_pending(0);
    feed.mark(here());
}

Result<HoldReader::Step> HoldReader::discard(std::string& buffer) {
    if (finished_) return Step::finished;
    bool ended = hold_.ended();
    buffer.resize(read_bytes);
    TRY(auto n, hold_.read(offset_, buffer));
    auto whole = whole_frames({buffer.data(), n});
    bool rest_is_lost = ended && n < read_bytes;
    offset_ += rest_is_lost ? n : whole;
    (void)hold_.release(offset_);
    finished_ = rest_is_lost;
    return finished_ ? Step::finished : n < read_bytes ? Step::at_end : Step::more;
}

void HoldReader::release(const Position& saved) {
    if (auto position = position_of(hold_, name_, saved))
        (void)hold_.release(std::min(position->out_offset, position->err_offset));
}

void HoldReader::remove() {
    (void)remove_file(directory_ / (name_.str() + ".json"));
    (void)remove_file(gone_mark_of(directory_, name_));
    (void)remove_file(path());
}

}  // namespace boatswain::intake::driver
