#include "query/frames_ahead.h"

#include <algorithm>
#include <limits>

#include "query/wanted_text.h"

namespace boatswain::query {

namespace {

// What a frame that was read takes at most.
std::uint64_t room_of(const open::FooterFrame& frame) { return frame.text_bytes + sizeof(ReadFrame); }

Result<ReadFrame> frame_text_of(const Selection& selection, const Opened& segment, std::size_t index,
                                Result<std::string*> text) {
    if (!text) return std::unexpected(std::move(text).error().within(segment.name));
    if (auto wanted = wanted_of(selection, segment.summary(index), **text))
        return ReadFrame{.text = std::move(*wanted), .is_wanted = true};
    return ReadFrame{.text = std::move(**text)};
}

}  // namespace

Result<ReadFrame> read_frame(const Selection& selection, Opened& segment, std::size_t index,
                             open::FrameOpener& opener) {
    auto found = Result<ReadFrame>{ReadFrame{}};
    segment.reader.frame_texts(std::span{&index, 1}, opener, [&](std::size_t, Result<std::string*> text) {
        found = frame_text_of(selection, segment, index, std::move(text));
        return true;
    });
    return found;
}

FramesAhead::FramesAhead(const Selection& selection, Budget& budget, Crew& crew)
    : selection_(selection), budget_(budget), crew_(crew) {
    crew_.enlist(*this);
}

FramesAhead::~FramesAhead() {
    {
        std::scoped_lock lock{guard_};
        is_over_ = true;
    }
    crew_.dismiss(*this);
    budget_.set_ahead(0);
}

void FramesAhead::plan(const std::shared_ptr<Opened>& segment, std::span<const std::size_t> frames) {
    const auto& all = segment->reader.footer().frames;
    const auto cost_max = budget_.ahead_bytes_max() / run_share;
    RunPtr run;
    std::uint64_t begin = 0, end = 0, text = 0;
    for (auto index : frames) {
        const auto& frame = all[index];
        auto cost_with = [&](std::uint64_t first) {
            return text + room_of(frame) + 2 * (frame.offset + frame.compressed_bytes - first);
        };
        if (run && (frame.offset - end > run_hole_bytes_max || cost_with(begin) > cost_max))
            add(std::exchange(run, {}));
        if (!run) {
            run = std::make_shared<Run>(Run{.segment = segment, .frames = {}});
            begin = frame.offset;
            text = 0;
        }
        run->cost = cost_with(begin);
        text += room_of(frame);
        end = frame.offset + frame.compressed_bytes;
        run->frames.push_back({.index = index});
    }
    if (run) add(std::move(run));
}

void FramesAhead::add(RunPtr run) {
    // Whoever asks for it reads it.
    if (run->cost > budget_.ahead_bytes_max()) return;
    auto time = Timestamp::max();
    for (const auto& frame : run->frames)
        time = std::min(time, run->segment->reader.footer().frames[frame.index].counts.first_time);
    std::scoped_lock lock{guard_};
    for (std::size_t at = 0; at < run->frames.size(); ++at)
        places_[{run->segment.get(), run->frames[at].index}] = {.run = run, .at = at};
    run->place = waiting_.emplace(time, run);
    call_one();
}

void FramesAhead::hold(std::int64_t bytes) {
    held_ += static_cast<std::uint64_t>(bytes);
    budget_.set_ahead(held_);
}

// Under the lock, as all of the next ones.
bool FramesAhead::may_begin() const {
    if (waiting_.empty()) return false;
    auto most = std::min(budget_.ahead_bytes_max(), ahead_bytes_first + 2 * taken_);
    return held_ == 0 || held_ + waiting_.begin()->second->cost <= most;
}

// Each that begins calls the next one: nobody comes for nothing.
void FramesAhead::call_one() {
    if (may_begin()) crew_.call(*this);
}

void FramesAhead::begin(Run& run) {
    waiting_.erase(run.place);
    run.state = State::running;
    hold(static_cast<std::int64_t>(run.cost));
    call_one();
}

void FramesAhead::do_one(open::FrameOpener& opener) {
    RunPtr run;
    {
        std::scoped_lock lock{guard_};
        if (is_over_ || !may_begin()) return;
        run = waiting_.begin()->second;
        begin(*run);
    }
    read(*run, opener);
}

// Without the lock: a run that was begun belongs to who reads it, but for `is_taken`, `read` and `state`.
void FramesAhead::read(Run& run, open::FrameOpener& opener) {
    std::vector<std::size_t> indices, places;
    {
        std::scoped_lock lock{guard_};
        for (std::size_t at = 0; at < run.frames.size(); ++at)
            if (!run.frames[at].is_taken) {
                indices.push_back(run.frames[at].index);
                places.push_back(at);
            }
    }
    std::size_t next = 0;
    run.segment->reader.frame_texts(indices, opener, [&](std::size_t index, Result<std::string*> text) {
        auto found = frame_text_of(selection_, *run.segment, index, std::move(text));
        if (found) found->text.shrink_to_fit();
        std::scoped_lock lock{guard_};
        auto& frame = run.frames[places[next++]];
        frame.held = sizeof(ReadFrame) + (found ? found->text.capacity() : 0);
        frame.read = std::move(found);
        // In the place of what was reserved for it.
        auto room = room_of(run.segment->reader.footer().frames[index]);
        run.cost -= room;
        hold(static_cast<std::int64_t>(frame.held) - static_cast<std::int64_t>(room));
        has_read_.notify_one();
        return !is_over_;
    });
    std::scoped_lock lock{guard_};
    run.state = State::done;
    hold(-static_cast<std::int64_t>(run.cost));
    call_one();
}

Result<ReadFrame> FramesAhead::take(const std::shared_ptr<Opened>& segment, std::size_t index) {
    std::unique_lock lock{guard_};
    auto known = places_.find({segment.get(), index});
    if (known == places_.end()) {
        lock.unlock();
        return read_frame(selection_, *segment, index, opener_);
    }
    auto place = std::move(known->second);
    places_.erase(known);
    auto& run = *place.run;
    auto& frame = run.frames[place.at];
    taken_ += segment->reader.footer().frames[index].text_bytes;
    call_one();
    if (run.state == State::waiting) {
        if (held_ + run.cost > budget_.ahead_bytes_max()) {
            frame.is_taken = true;
            bool is_last = std::ranges::all_of(run.frames, &Frame::is_taken);
            if (is_last) waiting_.erase(run.place);
            lock.unlock();
            return read_frame(selection_, *segment, index, opener_);
        }
        begin(run);
        lock.unlock();
        read(run, opener_);
        lock.lock();
    }
    has_read_.wait(lock, [&] { return frame.read.has_value(); });
    auto found = std::move(*frame.read);
    frame.read.reset();
    hold(-static_cast<std::int64_t>(std::exchange(frame.held, 0)));
    call_one();
    return found;
}

}  // namespace boatswain::query
