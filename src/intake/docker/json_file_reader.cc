#include "intake/docker/json_file_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace boatswain::intake::docker {
namespace {

std::size_t index(Stream stream) { return stream == Stream::out ? 0 : 1; }

constexpr std::string_view record_head = R"({"log":")";

std::size_t zeros_before(std::string_view bytes) { return std::min(bytes.find_first_not_of('\0'), bytes.size()); }

// A place that no file has.
constexpr FilePosition before_all{.fingerprint = 1};

}  // namespace

FileReaderCounters::FileReaderCounters(Metrics& metrics)
    : malformed(metrics.counter("boatswain_malformed_lines_total",
                                "Lines of json-file logs that the engine cannot have written; kept as they are")),
      rotations(metrics.counter("boatswain_log_files_finished_total",
                                "Log files read to their end and left for the next one")) {}

JsonFileReader::JsonFileReader(Path log_path, std::optional<FilePosition> start, std::optional<LogBirth> birth,
                               const Clock& clock, FileReaderCounters& counters, Log& log)
    : files_(std::move(log_path), log),
      start_(start),
      birth_(birth),
      clock_(clock),
      counters_(counters),
      log_(log),
      made_(clock.now()) {}

// ---- Which file is read ---------------------------------------------------------------------------------------------

Result<bool> JsonFileReader::open_first() {
    auto generations = list_generations(files_.path());
    if (generations.empty()) return false;
    first_open_ = start_ ? 0 : generations.size();
    if (start_ && start_->fingerprint != 0) {
        TRY(bool resumed, resume(*start_, generations));
        if (resumed) return true;
        owed_gap_ = Gap{.reason = gap_rotated_away};
        if (*start_ == before_all && birth_) last_time_ = birth_->started;
        log_.warning("the log was rotated away while nobody read it; reading on with the oldest file",
                     {{"log", files_.path().string()}});
    }
    for (auto oldest = generations.rbegin(); oldest != generations.rend(); ++oldest) {
        auto open = files_.open(*oldest);
        if (open) {
            if (!owed_gap_ && begins_late(*open->file, generations.size())) owe_what_was_before();
            read_on_in(std::move(*open), 0);
            return true;
        }
        if (open.error().remedy != Remedy::quarantine) return std::unexpected(std::move(open).error());
        tell_unreadable(open.error());
    }
    return false;
}

// Whether the log had files before its oldest one, that were rotated away before anybody read them. The engine makes
// the first file before it starts the container, and each later one when it rotates: one that was made after the start
// is not the first. Where that cannot be said (the file was compressed, the container ran before, the file system keeps
// no such time) a log that has as many files as the engine keeps may have had more, and is not called whole.
bool JsonFileReader::begins_late(const LogFile& oldest, std::size_t files) const {
    if (!birth_) return false;
    auto made = oldest.made();
    if (made && *made > birth_->started) return true;
    if (made && !birth_->started_before) return false;
    return birth_->files_max > 1 && files >= birth_->files_max;
}

// Until the gap is sealed, the position is one that no file has: whoever resumes there finds that what was before is
// gone.
void JsonFileReader::owe_what_was_before() {
    owed_gap_ = Gap{.reason = gap_rotated_away};
    last_time_ = birth_->started;
    held_ = before_all;
    if (!start_ && !std::exchange(begun_, true)) beginning_ = before_all;
    log_.warning("the log was rotated away before anybody read it; reading on with the oldest file",
                 {{"log", files_.path().string()}});
}

// Told once for each stretch of trouble; the gap record names it to the tenant.
void JsonFileReader::tell_unreadable(const Error& error) {
    if (owed_gap_ && owed_gap_->reason == "unreadable") return;
    owed_gap_ = Gap{.reason = gap_unreadable};
    log_.warning("a log file cannot be read; reading on with the next one",
                 {{"log", files_.path().string()}, {"error", error}});
}

Result<bool> JsonFileReader::resume(const FilePosition& start, const std::vector<Generation>& generations) {
    TRY(auto found, files_.find(start, generations));
    if (!found) return false;
    read_on_in(std::move(*found), std::min(start.out_offset, start.err_offset));
    out_offset_ = start.out_offset;
    err_offset_ = start.err_offset;
    recall_taken_time();
    return true;
}

// Of the last record that was taken before the restart, or of the file's first one: no line of an older file is later.
void JsonFileReader::recall_taken_time() {
    for (std::uint64_t look : {std::uint64_t{4096}, std::uint64_t{fingerprint_bytes_max}}) {
        auto from = offset_ > look ? offset_ - look : 0;
        std::string bytes(offset_ == 0 ? look : offset_ - from, '\0');
        auto size = files_.current().file->read_at(from, bytes.data(), bytes.size());
        if (!size) return;
        std::string_view records{bytes.data(), *size};
        auto end = offset_ == 0 ? records.find('\n') : records.rfind('\n');
        if (end == records.npos) continue;
        auto before = end == 0 || offset_ == 0 ? records.npos : records.rfind('\n', end - 1);
        if (before == records.npos && from > 0) continue;
        auto record = records.substr(before + 1, end - before - 1);
        std::string message(record.size() + JsonLineScanner::slack, '\0');
        JsonLine found;
        if (scanner_.scan(record, message.data(), found)) taken_time_[0] = taken_time_[1] = found.time;
        return;
    }
}

void JsonFileReader::read_on_in(OpenLog open, std::uint64_t offset) {
    files_.read(std::move(open));
    read_on_at(offset);
}

void JsonFileReader::read_on_at(std::uint64_t offset) {
    offset_ = offset;
    out_offset_ = 0;
    err_offset_ = 0;
    last_look_ = false;
    waited_ = false;
    long_.reset();
}

Result<void> JsonFileReader::hold_open() {
    if (!files_.opened()) CHECK(open_first());
    if (files_.opened()) files_.look_for_successors();
    return {};
}

void JsonFileReader::notice_births(unsigned births, bool all) {
    if (all && first_open_ != 0 && births > first_open_) {
        owed_gap_ = Gap{.reason = gap_rotated_away};
        log_.warning("log files were rotated away before the first could be opened", {{"log", files_.path().string()}});
    }
    if (files_.opened()) files_.look_for_successors();
}

// ---- Reading --------------------------------------------------------------------------------------------------------

Result<JsonFileReader::Step> JsonFileReader::read_some(batch::Feed& feed, ReadBuffer& buffer, std::size_t bytes_max) {
    if (!files_.opened()) {
        TRY(bool opened, open_first());
        if (!opened) return std::filesystem::exists(files_.path().parent_path()) ? Step::at_end : Step::finished;
    }
    if (waited_) CHECK(look_for_truncation(feed));

    bytes_max = std::min(bytes_max, read_bytes_max);
    auto read = files_.current().file->read_at(offset_, buffer.data(), bytes_max);
    if (!read && read.error().remedy == Remedy::quarantine) return leave_unreadable(feed, read.error());
    TRY(auto size, std::move(read));
    std::string_view bytes{buffer.data(), size};
    auto taken = take_lines(feed, bytes);
    if (taken == 0 && size == bytes_max && bytes_max < read_bytes_max) return read_some(feed, buffer);
    if (taken == 0 && size < read_bytes_max) return at_file_end(feed, bytes);
    if (taken == 0) {
        // No newline in all of it. Until the end is seen, the place is where it begins.
        if (!held_) held_ = position();
        taken = size;
        auto zeros = long_ ? 0 : zeros_before(bytes);
        if (zeros > 0)
            owe_zeros(taken = zeros);
        else if (long_)
            go_on_in_long(bytes);
        else
            begin_long(bytes);
    }
    offset_ += taken;
    mark(feed);
    return Step::more;
}

// Nothing but the start of a line (`rest`) is left of the file as it is now.
Result<JsonFileReader::Step> JsonFileReader::at_file_end(batch::Feed& feed, std::string_view rest) {
    if (!files_.has_successors()) files_.look_for_successors();
    bool removed = !files_.has_successors() && !std::filesystem::exists(files_.path()) &&
                   (files_.current().file->compressed() || !files_.current().file->linked());
    if (!files_.has_successors() && !removed) {
        waited_ = true;
        last_look_ = false;
        if (owed_gap_ && owed_gap_->reason == gap_too_long && !long_) {
            pay_gap(feed.text(), std::max(clock_.now(), last_time_));
            mark(feed);
        }
        return Step::at_end;
    }
    // The file is final now, but something may have been written between reading its end and seeing that: read once
    // more.
    if (!last_look_) {
        last_look_ = true;
        return Step::more;
    }
    if (long_) {
        end_long(feed, rest);
    } else if (zeros_before(rest) == rest.size()) {
        if (!rest.empty()) owe_zeros(rest.size());
    } else {
        line_offset_ = offset_;
        take_malformed(feed, rest);
    }
    offset_ += rest.size();
    counters_.rotations.add();
    if (removed) {
        if (files_.current().doubtful && owed_gap_) owed_gap_.reset();  // nothing new came after all
        settle(feed);
        return Step::finished;
    }
    next_file(feed);
    return Step::more;
}

void JsonFileReader::next_file(batch::Feed& feed) {
    if (joiner_.pending(Stream::out) && joiner_.pending(Stream::err)) joiner_.end(feed.text());
    if (joiner_.pending() && !pending_in_previous_) {
        pending_in_previous_ = files_.current().at(joiner_.pending(Stream::out) ? pending_offset_[0] : offset_,
                                                   joiner_.pending(Stream::err) ? pending_offset_[1] : offset_);
    }
    if (files_.current().fingerprint != 0) held_ = files_.current().at(offset_, offset_);
    auto next = files_.take_successor();
    if (next.after_gap) {
        owed_gap_ = Gap{.reason = gap_rotated_away};
        log_.warning("log files were rotated away faster than they could be opened", {{"log", files_.path().string()}});
    }
    read_on_in(std::move(next), 0);
    mark(feed);
}

// The rest of the file is garbage (a .gz that a power cut tore). A file of this log that is newer holds what follows.
JsonFileReader::Step JsonFileReader::leave_unreadable(batch::Feed& feed, const Error& error) {
    if (!files_.has_successors()) files_.look_for_successors();
    tell_unreadable(error);
    if (!files_.has_successors()) return Step::at_end;
    if (joiner_.pending()) joiner_.end(feed.text());
    pending_in_previous_.reset();
    next_file(feed);
    return Step::more;
}

// After `logrotate copytruncate` and its like: the file is shorter than we stand, or begins with another line.
Result<void> JsonFileReader::look_for_truncation(batch::Feed& feed) {
    waited_ = false;
    auto size = files_.current().file->size();
    if (!size || files_.current().fingerprint == 0) return {};
    TRY(auto fingerprint, fingerprint_of(*files_.current().file));
    if (*size >= offset_ && fingerprint == files_.current().fingerprint) return {};
    if (fingerprint == files_.current().fingerprint) {
        // The same file without its end: a power cut took what the engine had written and we had read. What comes now
        // is new.
        log_.warning("the log lost its end; reading on behind what is left", {{"log", files_.path().string()}});
        if (joiner_.pending()) joiner_.end(feed.text());
        pending_in_previous_.reset();
        owed_gap_ = Gap{.reason = gap_truncated};
        long_.reset();
        offset_ = *size;
        out_offset_ = err_offset_ = 0;
        return {};
    }

    auto offset = offset_;
    auto before = files_.current().at(offset, offset);
    files_.current().fingerprint = fingerprint;
    if (auto copy = files_.find_copy(files_.current(), before.fingerprint)) {
        files_.read_before_current(std::move(*copy));
        read_on_at(offset);
        return {};
    }
    log_.warning("the log was truncated by somebody; what was not read by then is lost",
                 {{"log", files_.path().string()}});
    if (joiner_.pending()) joiner_.end(feed.text());
    pending_in_previous_.reset();
    held_ = before;
    owed_gap_ = Gap{.reason = gap_truncated};
    read_on_at(0);
    return {};
}

// ---- Lines ----------------------------------------------------------------------------------------------------------

std::size_t JsonFileReader::take_lines(batch::Feed& feed, std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size()) {
        const auto* start = bytes.data() + taken;
        const auto* newline = static_cast<const char*>(std::memchr(start, '\n', bytes.size() - taken));
        if (!newline) break;
        std::string_view line{start, static_cast<std::size_t>(newline - start)};
        line_offset_ = offset_ + taken;
        if (long_)
            end_long(feed, line);
        else
            take_line(feed, line);
        taken += line.size() + 1;
    }
    return taken;
}

void JsonFileReader::take_line(batch::Feed& feed, std::string_view line) {
    auto& frame = feed.text();
    char* message = frame.begin_message(line.size() + JsonLineScanner::slack);
    JsonLine found;
    if (!scanner_.scan(line, message, found)) {
        frame.abandon_message();
        if (!take_behind_garbage(feed, line)) take_malformed(feed, line);
        return;
    }
    if (was_taken(found)) {
        frame.abandon_message();
        return;
    }
    if (files_.current().doubtful) [[unlikely]]
        end_doubt();
    bool plain = !owed_gap_ && !pending_in_previous_ && !found.inner_newline;
    if (plain && joiner_.is_whole(found.stream, found.newline, found.message_bytes)) {
        last_time_ = taken_time_[index(found.stream)] = found.time;
        frame.end_message(found.time, found.stream, !found.newline, message + found.message_bytes);
        return;
    }
    std::string copy{message, found.message_bytes};
    frame.abandon_message();
    take_message(feed, found, std::move(copy));
}

bool JsonFileReader::was_taken(const JsonLine& found) const {
    return line_offset_ < already_taken(found.stream) || (files_.current().doubtful && read_before(found));
}

// After a power cut the file may end in zeros, or in half a record; the engine goes on right behind it. What follows is
// a record all the same.
bool JsonFileReader::take_behind_garbage(batch::Feed& feed, std::string_view line) {
    auto at = line.rfind(record_head);
    if (at == line.npos || at == 0) return false;
    auto record = line.substr(at);
    std::string message(record.size() + JsonLineScanner::slack, '\0');
    JsonLine found;
    if (!scanner_.scan(record, message.data(), found)) return false;
    auto garbage = line.substr(0, at);
    bool zeros = zeros_before(garbage) == garbage.size();
    if (!zeros) take_malformed(feed, garbage);
    if (was_taken(found)) return true;
    if (zeros) owe_zeros(garbage.size());
    end_doubt();
    message.resize(found.message_bytes);
    take_message(feed, found, std::move(message));
    return true;
}

// What the zeros took the place of is lost.
void JsonFileReader::owe_zeros(std::uint64_t bytes) {
    if (!owed_gap_) {
        owed_gap_ = Gap{.reason = gap_truncated};
        log_.warning("zeros in a container's log, as a power cut leaves them; reading on behind them",
                     {{"log", files_.path().string()}, {"offset", offset_}});
    }
    owed_gap_->bytes_min += bytes;
}

// ---- Records that are longer than one read --------------------------------------------------------------------------

void JsonFileReader::begin_long(std::string_view front) {
    long_.emplace();
    long_->offset = offset_;
    std::string message(front.size() + JsonLineScanner::slack, '\0');
    long_->understood = JsonLineScanner::scan_front(front, message.data(), long_->found);
    if (long_->understood) long_->message = message.substr(0, long_->found.message_bytes);
    go_on_in_long(front);
}

void JsonFileReader::go_on_in_long(std::string_view piece) {
    long_->bytes += piece.size();
    long_->back += piece.substr(piece.size() - std::min(piece.size(), JsonLineScanner::back_bytes));
    if (auto more = long_->back.size(); more > JsonLineScanner::back_bytes)
        long_->back.erase(0, more - JsonLineScanner::back_bytes);
}

void JsonFileReader::end_long(batch::Feed& feed, std::string_view rest) {
    go_on_in_long(rest);
    auto record = *std::exchange(long_, std::nullopt);
    line_offset_ = record.offset;
    if (!record.understood || !JsonLineScanner::scan_back(record.back, record.found))
        return tell_too_long(feed, record.bytes);
    if (was_taken(record.found)) return;
    end_doubt();
    take_message(feed, record.found, std::move(record.message));
}

// Its time is not known: those that follow one another share a gap, which is paid with the next line, or at the end of
// what is there now.
void JsonFileReader::tell_too_long(batch::Feed& feed, std::uint64_t bytes) {
    if (line_offset_ < std::max(out_offset_, err_offset_)) return;
    auto& frame = feed.text();
    joiner_.end(frame);
    pending_in_previous_.reset();
    if (owed_gap_ && owed_gap_->reason != gap_too_long)
        pay_gap(frame, last_time_ == Timestamp{} ? clock_.now() : last_time_);
    if (!owed_gap_) {
        owed_gap_ = Gap{.reason = gap_too_long};
        log_.warning("a record of a container's log is too long to be read",
                     {{"log", files_.path().string()}, {"offset", line_offset_}, {"bytes", bytes}});
    }
    ++owed_gap_->lines_min;
    owed_gap_->bytes_min += bytes;
}

// Within a stream times only grow; the pieces of one line share one.
bool JsonFileReader::read_before(const JsonLine& found) const {
    return found.time <= taken_time_[index(found.stream)] && !joiner_.pending(found.stream);
}

void JsonFileReader::take_message(batch::Feed& feed, const JsonLine& found, std::string message) {
    auto& frame = feed.text();
    pay_gap(frame, found.time);
    settle_previous(frame, found.stream);
    last_time_ = taken_time_[index(found.stream)] = found.time;
    std::string_view rest = message;
    for (auto newline = rest.find('\n'); newline != std::string_view::npos; newline = rest.find('\n')) {
        joiner_.add(frame, found.stream, found.time, rest.substr(0, newline), true);
        rest.remove_prefix(newline + 1);
    }
    if (!rest.empty() || found.newline)
        if (joiner_.add(frame, found.stream, found.time, rest, found.newline)) {
            pending_offset_[index(found.stream)] = line_offset_;
            pending_in_previous_.reset();
        }
    if (!joiner_.pending()) pending_in_previous_.reset();
}

// A line of one stream is pending since the file before. When the first line here is of the other stream, the position
// could not say both "read this again" and "that not": the pending line is stored as partial instead. Rare, and no byte
// is lost.
void JsonFileReader::settle_previous(segment::FrameText& frame, Stream next_stream) {
    if (!pending_in_previous_ || joiner_.pending(next_stream)) return;
    joiner_.end(frame);
    pending_in_previous_.reset();
}

// Something new was found: all that follows it is new as well.
void JsonFileReader::end_doubt() { files_.end_doubt(); }

void JsonFileReader::take_malformed(batch::Feed& feed, std::string_view line) {
    if (line.empty() || line_offset_ < std::max(out_offset_, err_offset_)) return;
    counters_.malformed.add();
    log_.warning("malformed line in a container's log; kept as it is",
                 {{"log", files_.path().string()}, {"offset", line_offset_}, {"bytes", line.size()}});
    auto time = last_time_ == Timestamp{} ? clock_.now() : last_time_;
    auto& frame = feed.text();
    pay_gap(frame, time);
    joiner_.end(frame);
    pending_in_previous_.reset();
    frame.append(Gap{.from = time, .to = time, .reason = gap_malformed, .lines_min = 1, .bytes_min = line.size()});
    frame.append(Line{.time = time, .stream = Stream::out, .partial = false, .bytes = line});
}

void JsonFileReader::pay_gap(segment::FrameText& frame, Timestamp until) {
    if (!owed_gap_) return;
    owed_gap_->from = last_time_ == Timestamp{} ? until : last_time_;
    owed_gap_->to = until;
    frame.append(*owed_gap_);
    owed_gap_.reset();
}

void JsonFileReader::settle(batch::Feed& feed) {
    if (owed_gap_) pay_gap(feed.text(), clock_.now());
    if (joiner_.pending()) joiner_.end(feed.text());
    pending_in_previous_.reset();
    mark(feed);
}

void JsonFileReader::put_down(batch::Feed& feed) {
    // What began in the file before has no place to go on from in this one.
    if (!joiner_.pending() || pending_in_previous_) return;
    joiner_.end(feed.text());
    mark(feed);
}

void JsonFileReader::mark(batch::Feed& feed) {
    feed.note_pending(joiner_.pending_bytes());
    if (!files_.opened()) return;
    files_.current().learn_fingerprint();
    if (files_.current().fingerprint != 0 && !owed_gap_ && !long_) held_.reset();
    if (!start_ && files_.current().fingerprint != 0 && !std::exchange(begun_, true))
        beginning_ = files_.current().at(0, 0);
    if (auto where = position()) feed.mark(*where);
}

std::optional<FilePosition> JsonFileReader::position() const {
    if (pending_in_previous_) return pending_in_previous_;
    if (held_) return held_;
    if (!files_.opened()) return start_;
    auto of = [&](Stream stream) {
        return joiner_.pending(stream) ? pending_offset_[index(stream)] : std::max(offset_, already_taken(stream));
    };
    return files_.current().at(of(Stream::out), of(Stream::err));
}

std::uint64_t JsonFileReader::lag_bytes() const {
    if (!files_.opened()) return 0;
    auto size = files_.current().file->size().value_or(0);
    return size - std::min(size, offset_) + files_.bytes_behind_current();
}

Nanoseconds JsonFileReader::lag_time() const {
    if (lag_bytes() == 0) return {};
    auto written = files_.modified();
    auto taken = std::max(taken_time_[0], taken_time_[1]);
    auto lag = taken == Timestamp{} ? clock_.now() - made_ : written - taken;
    return std::max(lag, Nanoseconds{});
}

FileStanding JsonFileReader::standing() const {
    FileStanding standing{
        .path = files_.path().string(), .offset = offset_, .lag_bytes = lag_bytes(), .files_held = files_.successors()};
    if (files_.opened()) standing.size = files_.current().file->size();
    return standing;
}

}  // namespace boatswain::intake::docker
