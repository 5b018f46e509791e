#include "intake/log_file/log_file_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace boatswain::intake {
namespace {

std::size_t index(Stream stream) { return stream == Stream::out ? 0 : 1; }

std::size_t zeros_before(std::string_view bytes) { return std::min(bytes.find_first_not_of('\0'), bytes.size()); }

// A place that no file has.
constexpr FilePosition before_all{.fingerprint = 1};

}  // namespace

FileReaderCounters::FileReaderCounters(Metrics& metrics)
    : malformed(metrics.counter("boatswain_malformed_lines_total",
                                "Lines of log files that the engine cannot have written; kept as they are")),
      rotations(metrics.counter("boatswain_log_files_finished_total",
                                "Log files read to their end and left for the next one")) {}

LogFileReader::LogFileReader(const RecordForm& form, Path log_path, std::optional<FilePosition> start, LogTerms terms,
                             const Clock& clock, FileReaderCounters& counters, Log& log)
    : form_(form),
      files_(
          std::move(log_path), terms.below,
          LogSequence::Rotation{
              .kept_max = terms.files_kept, .replaced = terms.replaced, .births_told = terms.births_told},
          [&form](LogFile& file) { return first_record_time(form, file); }, log),
      start_(start),
      read_policy_(std::move(terms)),
      clock_(clock),
      counters_(counters),
      log_(log),
      made_(clock.now()),
      scanner_(form.scanner()),
      joiner_(form.pieces()) {}

// ---- Which file is read ---------------------------------------------------------------------------------------------

Result<bool> LogFileReader::open_first() {
    auto generations = files_.list();
    if (generations.empty()) {
        owe_what_nobody_can_read();
        return false;
    }
    first_open_ = start_ ? 0 : generations.size();
    if (start_ && start_->fingerprint != 0) {
        TRY(bool resumed, resume(*start_, generations));
        if (resumed && std::exchange(place_lost_, false) && owed_gap_ && owed_gap_->reason == gap_rotated_away) {
            owed_gap_.reset();  // it was away for a while
            held_.reset();
        }
        if (resumed) return true;
        owe_what_nobody_can_read();
        if (*start_ == before_all && read_policy_.birth) last_time_ = read_policy_.birth->started;
    }
    if (!start_ && read_policy_.passed_over_until) {
        TRY(bool passed, pass_over(*read_policy_.passed_over_until, generations));
        if (passed) return true;
    }
    for (auto oldest = generations.rbegin(); oldest != generations.rend(); ++oldest) {
        auto open = files_.open(*oldest);
        if (open) {
            if (!owed_gap_ && begins_late(*open->file, generations.size())) owe_what_was_before();
            open->doubtful = place_lost_ && start_->has_times() && !read_policy_.replaced;
            read_on_in(std::move(*open), 0);
            return true;
        }
        if (open.error().remedy != Remedy::quarantine) return std::unexpected(std::move(open).error());
        tell_unreadable(open.error());
    }
    return false;
}

// Opens the newest file that begins by `until`, near to the first record that is later. False: the whole log is later.
Result<bool> LogFileReader::pass_over(Timestamp until, const std::vector<Generation>& generations) {
    std::optional<OpenLog> start;
    Gap gap{.from = until, .to = until, .reason = gap_passed_over};
    std::uint64_t bytes = 0;
    for (const auto& generation : generations) {
        auto open = files_.open(generation);
        if (!open && open.error().remedy == Remedy::quarantine) continue;
        if (!open) return std::unexpected(std::move(open).error());
        auto first = first_record_time(form_, *open->file);
        if (!first || *first > until) continue;
        gap.from = std::min(gap.from, *first);
        if (start)
            bytes += open->file->size().value_or(0);
        else
            start = std::move(*open);
    }
    if (!start) return false;
    taken_time_[0] = taken_time_[1] = until;
    start->doubtful = true;
    read_on_in(std::move(*start), 0);
    read_on_at(old_record_before(files_.current().file->size().value_or(0)));
    log_.warning("older lines of a log are passed over, as docker.read_from or docker.read_max_age says",
                 {{"log", files_.path().string()}, {"until", to_text(until)}, {"bytes_at_least", bytes + offset_}});
    passed_over_ = gap;
    begun_ = true;  // until something is sealed, the next start passes over the same
    return true;
}

// What was read before this start is in none of the files: rotated away, or deleted by somebody while the engine wrote
// on into what has no name. What is there may be older than that, and was read then.
void LogFileReader::owe_what_nobody_can_read() {
    if (!start_ || start_->fingerprint == 0 || std::exchange(place_lost_, true)) return;
    owed_gap_ = Gap{.reason = gap_rotated_away};
    held_ = start_;
    taken_time_[0] = start_->out_time;
    taken_time_[1] = start_->err_time;
    last_time_ = latest_taken();
    log_.warning(
        "the log was rotated away or deleted while nobody read it; reading on with the oldest file that is there",
        {{"log", files_.path().string()}});
}

// Whether the log had files before its oldest one, that were rotated away before anybody read them. The engine makes
// the first file before it starts the container, and each later one when it rotates: one that was made after the start
// is not the first. Where that cannot be said (the file was compressed, the container ran before, the file system keeps
// no such time) a log that has as many files as the engine keeps may have had more, and is not called whole.
bool LogFileReader::begins_late(const LogFile& oldest, std::size_t files) const {
    if (!read_policy_.birth) return false;
    const auto& birth = *read_policy_.birth;
    // Only then has the engine removed a file.
    bool full = birth.files_max > 1 && files >= birth.files_max;
    auto made = oldest.made();
    // conmon makes its file before the start, always.
    if (made && *made > birth.started)
        return full || read_policy_.replaced || *made > birth.started + first_file_made_max;
    return full && (!made || birth.started_before);
}

// Until the gap is sealed, the position is one that no file has: whoever resumes there finds that what was before is
// gone.
void LogFileReader::owe_what_was_before() {
    owed_gap_ = Gap{.reason = gap_rotated_away};
    last_time_ = read_policy_.birth->started;
    held_ = before_all;
    if (!start_ && !std::exchange(begun_, true)) beginning_ = before_all;
    log_.warning("the log was rotated away before anybody read it; reading on with the oldest file",
                 {{"log", files_.path().string()}});
}

// Told once for each stretch of trouble; the gap record names it to the tenant.
void LogFileReader::tell_unreadable(const Error& error) {
    if (owed_gap_ && owed_gap_->reason == "unreadable") return;
    owed_gap_ = Gap{.reason = gap_unreadable};
    log_.warning("a log file cannot be read; reading on with the next one",
                 {{"log", files_.path().string()}, {"error", error}});
}

Result<bool> LogFileReader::resume(const FilePosition& start, const std::vector<Generation>& generations) {
    TRY(auto found, files_.find(start, generations));
    if (!found) return false;
    read_on_in(std::move(*found), std::min(start.out_offset, start.err_offset));
    out_offset_ = start.out_offset;
    err_offset_ = start.err_offset;
    recall_taken_time(start);
    if (lost_its_end(start)) read_behind_the_cut(start);
    return true;
}

// Of the last record that was taken before the restart, or of the file's first one: no line of an older file is later.
void LogFileReader::recall_taken_time(const FilePosition& start) {
    if (start.has_times()) {
        taken_time_[0] = start.out_time;
        taken_time_[1] = start.err_time;
        return;
    }
    auto& file = *files_.current().file;
    auto ended = record_end_at(form_, file, offset_);
    auto time = offset_ > 0 && ended ? ended->time : first_record_time(form_, file);
    if (time) taken_time_[0] = taken_time_[1] = *time;
}

// Whether what was read up to `start` is not in the file any more, all of it.
bool LogFileReader::lost_its_end(const FilePosition& start) {
    auto& file = *files_.current().file;
    auto end = std::max(start.out_offset, start.err_offset);
    auto ended = record_end_at(form_, file, end);
    if (end == 0 || !ended) return false;
    // A file that was final with half a record at its end is as long as it was.
    if (ended->is == RecordEnd::Is::torn) return !file.compressed() && file.size() != end;
    if (ended->is == RecordEnd::Is::beyond) return true;
    if (!ended->time) return false;
    last_record_ = {.end = end, .time = *ended->time};
    return start.end_time != Timestamp{} && *ended->time != start.end_time;
}

// A power cut took what the engine had written and we had read, up to `before`; records may have been written since.
// What is not later than what was read is passed over; the first that is later is new, and all behind it.
void LogFileReader::read_behind_the_cut(const FilePosition& before) {
    log_.warning("the log lost its end; reading on behind what is left", {{"log", files_.path().string()}});
    auto end = std::max(before.out_offset, before.err_offset);
    auto left = std::min(files_.current().file->size().value_or(end), end);
    owed_gap_ = Gap{.reason = gap_truncated};
    if (!held_) held_ = before;
    last_time_ = std::max(last_time_, std::max(before.out_time, before.err_time));
    bool known = before.has_times();
    read_on_at(known ? old_record_before(left) : left);
    if (!known) return;  // an older version's place: new is what lies behind it
    cut_ = true;
    out_offset_ = before.out_offset;
    err_offset_ = before.err_offset;
}

// Where a record starts that was surely taken, before `end` and near to it; the start of the file where none is found.
std::uint64_t LogFileReader::old_record_before(std::uint64_t end) {
    auto& file = *files_.current().file;
    if (file.compressed()) return 0;
    for (std::uint64_t back = record_look_bytes / 2; back < end; back *= 2) {
        auto found = first_record_behind(form_, file, end - back);
        if (found && found->record.time <= taken_time_[index(found->record.stream)]) return found->offset;
    }
    return 0;
}

void LogFileReader::read_on_in(OpenLog open, std::uint64_t offset) {
    files_.read(std::move(open));
    read_on_at(offset);
}

void LogFileReader::read_on_at(std::uint64_t offset) {
    offset_ = offset;
    out_offset_ = 0;
    err_offset_ = 0;
    last_look_ = false;
    quiet_since_.reset();
    waited_ = false;
    cut_ = false;
    last_record_ = {};
    long_.reset();
}

Result<void> LogFileReader::hold_open() {
    if (!files_.opened()) CHECK(open_first());
    if (files_.opened()) files_.look_for_successors(latest_taken());
    return {};
}

void LogFileReader::owe_rotated_away(const char* what) {
    owed_gap_ = Gap{.reason = gap_rotated_away};
    log_.warning(what, {{"log", files_.path().string()}});
}

void LogFileReader::notice_births(unsigned births, bool all) {
    if (all && first_open_ != 0 && births > first_open_ && !read_policy_.replaced)
        owe_rotated_away("log files were rotated away before the first could be opened");
    if (!files_.opened()) return;
    if (files_.take_births(births, latest_taken()) == LogSequence::Missing::before_current)
        owe_rotated_away("log files were rotated away faster than they could be opened");
}

void LogFileReader::notice_births_lost() {
    if (!files_.opened() || !read_policy_.replaced) return;
    if (files_.lose_births(latest_taken()) == LogSequence::Missing::before_current)
        owe_rotated_away("log files may have been rotated away while the kernel had no room for news of them");
}

void LogFileReader::note_birth(const LogBirth& birth) {
    if (start_ || begun_ || read_policy_.birth) return;
    read_policy_.birth = birth;
    if (files_.opened() && !owed_gap_ && begins_late(*files_.current().file, first_open_)) owe_what_was_before();
}

// ---- Reading --------------------------------------------------------------------------------------------------------

Result<LogFileReader::Step> LogFileReader::read_some(batch::Feed& feed, ReadBuffer& buffer, std::size_t bytes_max) {
    if (!files_.opened()) {
        TRY(bool opened, open_first());
        if (!opened && !is_removed()) return Step::at_end;
        if (!opened) {
            if (owed_gap_) pay_gap(feed.text(), std::max(clock_.now(), last_time_));
            return Step::finished;
        }
    }
    CHECK(look_for_truncation(feed));
    if (auto gap = std::exchange(passed_over_, std::nullopt)) feed.append(*gap);

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
    quiet_since_.reset();
    mark(feed);
    return Step::more;
}

// By the engine's word, or because the directory of the log is gone: a person can delete a file of a container that
// goes on.
bool LogFileReader::is_removed() const {
    if (removed_) return true;
    auto directory = files_.path().parent_path();
    // With a data directory that is not mounted every log is away.
    std::error_code problem;
    return !std::filesystem::exists(directory, problem) && !problem &&
           std::filesystem::is_directory(directory.parent_path(), problem);
}

// Whether the engine writes to a file behind the current one. Names do not say so: `logrotate` renames the file that
// the engine has open and makes an empty one in its place, and a person copies it there.
bool LogFileReader::engine_went_on() {
    if (!files_.has_successors()) return false;
    return read_policy_.replaced || files_.current().file->compressed() ||
           std::ranges::any_of(files_.successors(), [this](auto& next) { return holds_news(next); });
}

// By the time of its last change where that is long ago, as it is of files that are read after a restart; by our own
// clock otherwise, which nobody sets.
bool LogFileReader::is_perhaps_written_on() {
    if (read_policy_.written_on_max.count() == 0 || files_.current().file->compressed()) return false;
    if (clock_.now() - files_.current().file->modified() >= read_policy_.written_on_max) return false;
    auto now = clock_.steady();
    if (!quiet_since_) quiet_since_ = now;
    return now - *quiet_since_ < read_policy_.written_on_max;
}

bool LogFileReader::holds_news(OpenLog& next) {
    if (next.file->compressed()) return true;
    if (next.file->size().value_or(0) == 0) return false;
    next.learn_fingerprint();
    // Files that hold pieces of one long line begin alike, too.
    bool copy = next.fingerprint != 0 && next.fingerprint == files_.current().fingerprint && !joiner_.pending();
    if (!copy) return true;
    next.doubtful = true;
    auto last = last_record_time(form_, *next.file);
    return last && *last > latest_taken();
}

// Nobody should write there any more.
void LogFileReader::look_at_the_file_left() {
    if (!left_) return;
    auto size = left_->file->size().value_or(0);
    if (size > left_->end && !owed_gap_) {
        owed_gap_ = Gap{.reason = gap_unreadable, .bytes_min = size - left_->end};
        log_.warning("a log file was written to after the next one had been begun; that is not read",
                     {{"log", files_.path().string()}, {"bytes", size - left_->end}});
        left_->end = size;
    }
    // What has no name any more is not kept from being deleted.
    if (!left_->file->linked()) left_.reset();
}

// What was rotated away under a name that a new file has now does not come back.
bool LogFileReader::waits_for_a_line(const Gap& gap) const {
    bool gone = read_policy_.replaced && gap.reason == gap_rotated_away && !place_lost_;
    return gap.reason != gap_too_long && !gone;
}

// Nothing but the start of a line (`rest`) is left of the file as it is now.
Result<LogFileReader::Step> LogFileReader::at_file_end(batch::Feed& feed, std::string_view rest) {
    files_.look_for_successors(latest_taken());
    bool removed = is_removed();
    if (!removed && !engine_went_on()) {
        look_at_the_file_left();
        waited_ = true;
        last_look_ = false;
        if (owed_gap_ && !waits_for_a_line(*owed_gap_) && !long_) {
            pay_gap(feed.text(), std::max(clock_.now(), last_time_));
            mark(feed);
        }
        return Step::at_end;
    }
    if (!removed && is_perhaps_written_on()) return Step::waits;
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
    if (!files_.has_successors()) {
        if (files_.current().doubtful && owed_gap_ && !place_lost_) owed_gap_.reset();  // nothing new came after all
        settle(feed);
        return Step::finished;
    }
    next_file(feed);
    return Step::more;
}

void LogFileReader::next_file(batch::Feed& feed) {
    if (joiner_.pending(Stream::out) && joiner_.pending(Stream::err)) joiner_.end(feed.text());
    if (joiner_.pending() && !pending_in_previous_) {
        pending_in_previous_ = place(joiner_.pending(Stream::out) ? pending_offset_[0] : offset_,
                                     joiner_.pending(Stream::err) ? pending_offset_[1] : offset_);
    }
    if (files_.current().fingerprint != 0) held_ = place(offset_, offset_);
    auto next = files_.take_successor();
    next.doubtful = next.doubtful || files_.current().doubtful;
    auto before = files_.take_current();
    left_.reset();
    if (!before.file->compressed()) left_ = Left{.file = std::move(before.file), .end = offset_};
    if (next.after_gap) owe_rotated_away("log files were rotated away faster than they could be opened");
    read_on_in(std::move(next), 0);
    mark(feed);
    feed.end_patience();  // one rotation more may take the file that was left
}

// The rest of the file is garbage (a .gz that a power cut tore). A file of this log that is newer holds what follows.
LogFileReader::Step LogFileReader::leave_unreadable(batch::Feed& feed, const Error& error) {
    if (!files_.has_successors()) files_.look_for_successors(latest_taken());
    tell_unreadable(error);
    if (!files_.has_successors()) return Step::at_end;
    if (joiner_.pending()) joiner_.end(feed.text());
    pending_in_previous_.reset();
    next_file(feed);
    return Step::more;
}

// Whether the last record that was passed is where it was: then so is everything before it.
LogFileReader::Stands LogFileReader::last_record_stands() {
    if (last_record_.end == 0) return Stands::unclear;
    auto ended = record_end_at(form_, *files_.current().file, last_record_.end);
    if (!ended) return Stands::unclear;
    if (ended->is != RecordEnd::Is::line) return Stands::no;
    if (!ended->time) return Stands::unclear;  // of a shape that is not read from its end
    return *ended->time == last_record_.time ? Stands::yes : Stands::no;
}

// After `logrotate copytruncate`, `truncate` and their like: the file is shorter than we stand, begins with another
// line, or was filled again behind a cut.
Result<void> LogFileReader::look_for_truncation(batch::Feed& feed) {
    bool waited = std::exchange(waited_, false);
    if (files_.current().file->compressed() || files_.current().fingerprint == 0) return {};
    auto stands = last_record_stands();
    if (stands == Stands::unclear && !waited) return {};
    auto size = files_.current().file->size();
    if (!size || (stands == Stands::yes && *size >= offset_)) return {};
    TRY(auto fingerprint, fingerprint_of(*files_.current().file));
    if (*size >= offset_ && fingerprint == files_.current().fingerprint && stands != Stands::no) return {};
    if (fingerprint == files_.current().fingerprint) {
        // The same file without its end: a power cut took what the engine had written and we had read. What comes now
        // is new.
        if (joiner_.pending()) joiner_.end(feed.text());
        pending_in_previous_.reset();
        read_behind_the_cut(place(std::max(offset_, out_offset_), std::max(offset_, err_offset_)));
        return {};
    }

    auto offset = offset_;
    auto before = place(offset, offset);
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

std::size_t LogFileReader::take_lines(batch::Feed& feed, std::string_view bytes) {
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

void LogFileReader::take_line(batch::Feed& feed, std::string_view line) {
    auto& frame = feed.text();
    char* message = frame.begin_message(line.size() + RecordScanner::slack);
    LogRecord found;
    if (!scanner_->scan(line, message, found)) {
        frame.abandon_message();
        if (!take_behind_garbage(feed, line)) take_malformed(feed, line);
        return;
    }
    passed(found, line.size() + 1);
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

void LogFileReader::passed(const LogRecord& found, std::size_t bytes) {
    last_record_ = {.end = line_offset_ + bytes, .time = found.time};
}

bool LogFileReader::was_taken(const LogRecord& found) {
    // Within a stream times only grow; the pieces of one line share one.
    bool later = found.time > taken_time_[index(found.stream)];
    if (line_offset_ >= already_taken(found.stream))
        return files_.current().doubtful && !later && !joiner_.pending(found.stream);
    if (!cut_) return true;
    // The last one that was read is there, elsewhere in the file: nothing behind it was taken, and nothing is missing.
    bool last = found.newline && found.time == latest_taken();
    if (last && owed_gap_ && owed_gap_->reason == gap_truncated) owed_gap_.reset();
    if (!later) return true;
    cut_ = false;
    out_offset_ = err_offset_ = 0;
    return false;
}

// After a power cut the file may end in zeros, or in half a record; the engine goes on right behind it. What follows is
// a record all the same.
bool LogFileReader::take_behind_garbage(batch::Feed& feed, std::string_view line) {
    auto at = form_.find_record(line);
    if (at == line.npos || at == 0) return false;
    auto record = line.substr(at);
    std::string message(record.size() + RecordScanner::slack, '\0');
    LogRecord found;
    if (!scanner_->scan(record, message.data(), found)) return false;
    auto garbage = line.substr(0, at);
    bool zeros = zeros_before(garbage) == garbage.size();
    if (!zeros) take_malformed(feed, garbage);
    passed(found, line.size() + 1);
    if (was_taken(found)) return true;
    if (zeros) owe_zeros(garbage.size());
    end_doubt();
    message.resize(found.message_bytes);
    take_message(feed, found, std::move(message));
    return true;
}

// What the zeros took the place of is lost.
void LogFileReader::owe_zeros(std::uint64_t bytes) {
    if (!owed_gap_) {
        owed_gap_ = Gap{.reason = gap_truncated};
        log_.warning("zeros in a container's log, as a power cut leaves them; reading on behind them",
                     {{"log", files_.path().string()}, {"offset", offset_}});
    }
    owed_gap_->bytes_min += bytes;
}

// ---- Records that are longer than one read --------------------------------------------------------------------------

void LogFileReader::begin_long(std::string_view front) {
    long_.emplace();
    long_->offset = offset_;
    std::string message(front.size() + RecordScanner::slack, '\0');
    long_->understood = form_.scan_front(front, message.data(), long_->found);
    if (long_->understood) long_->message = message.substr(0, long_->found.message_bytes);
    go_on_in_long(front);
}

void LogFileReader::go_on_in_long(std::string_view piece) {
    long_->bytes += piece.size();
    long_->back += piece.substr(piece.size() - std::min(piece.size(), form_.back_bytes()));
    if (auto more = long_->back.size(); more > form_.back_bytes()) long_->back.erase(0, more - form_.back_bytes());
}

void LogFileReader::end_long(batch::Feed& feed, std::string_view rest) {
    go_on_in_long(rest);
    auto record = *std::exchange(long_, std::nullopt);
    line_offset_ = record.offset;
    auto time = record.understood ? form_.scan_back(record.back, false) : std::nullopt;
    if (!time) return tell_too_long(feed, record.bytes);
    record.found.time = *time;
    passed(record.found, record.bytes + 1);
    if (was_taken(record.found)) return;
    end_doubt();
    take_message(feed, record.found, std::move(record.message));
}

// Its time is not known: those that follow one another share a gap, which is paid with the next line, or at the end of
// what is there now.
void LogFileReader::tell_too_long(batch::Feed& feed, std::uint64_t bytes) {
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

void LogFileReader::take_message(batch::Feed& feed, const LogRecord& found, std::string message) {
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
void LogFileReader::settle_previous(segment::FrameText& frame, Stream next_stream) {
    if (!pending_in_previous_ || joiner_.pending(next_stream)) return;
    joiner_.end(frame);
    pending_in_previous_.reset();
}

// Something new was found: all that follows it is new as well.
void LogFileReader::end_doubt() { files_.end_doubt(); }

void LogFileReader::take_malformed(batch::Feed& feed, std::string_view line) {
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

void LogFileReader::pay_gap(segment::FrameText& frame, Timestamp until) {
    if (!owed_gap_) return;
    owed_gap_->from = last_time_ == Timestamp{} ? until : last_time_;
    owed_gap_->to = until;
    frame.append(*owed_gap_);
    owed_gap_.reset();
}

void LogFileReader::settle(batch::Feed& feed) {
    // Of a log that is not there, perhaps nothing is missing: that shows when it comes, or when its container goes.
    if (!files_.opened()) return;
    if (owed_gap_) pay_gap(feed.text(), clock_.now());
    if (joiner_.pending()) joiner_.end(feed.text());
    pending_in_previous_.reset();
    mark(feed);
}

void LogFileReader::put_down(batch::Feed& feed) {
    // What began in the file before has no place to go on from in this one.
    if (!joiner_.pending() || pending_in_previous_) return;
    joiner_.end(feed.text());
    mark(feed);
}

void LogFileReader::mark(batch::Feed& feed) {
    feed.note_pending(joiner_.pending_bytes());
    if (!files_.opened()) return;
    files_.current().learn_fingerprint();
    if (files_.current().fingerprint != 0 && !owed_gap_ && !long_) held_.reset();
    if (!start_ && files_.current().fingerprint != 0 && !std::exchange(begun_, true))
        beginning_ = files_.current().at(0, 0);
    if (auto where = position()) feed.mark(*where);
}

std::optional<FilePosition> LogFileReader::position() const {
    if (pending_in_previous_) return pending_in_previous_;
    if (held_) return held_;
    if (!files_.opened()) return start_;
    auto of = [&](Stream stream) {
        return joiner_.pending(stream) ? pending_offset_[index(stream)] : std::max(offset_, already_taken(stream));
    };
    return place(of(Stream::out), of(Stream::err));
}

FilePosition LogFileReader::place(std::uint64_t out_offset, std::uint64_t err_offset) const {
    auto place = files_.current().at(out_offset, err_offset);
    place.out_time = taken_time_[0];
    place.err_time = taken_time_[1];
    auto end = std::max(out_offset, err_offset);
    if (end == last_record_.end)
        place.end_time = last_record_.time;
    else if (start_ && start_->fingerprint == place.fingerprint &&
             end == std::max(start_->out_offset, start_->err_offset))
        place.end_time = start_->end_time;  // reading starts at the smaller offset
    return place;
}

std::uint64_t LogFileReader::lag_bytes() const {
    if (!files_.opened()) return 0;
    auto size = files_.current().file->size().value_or(0);
    return size - std::min(size, offset_) + files_.bytes_behind_current();
}

Nanoseconds LogFileReader::lag_time() const {
    if (lag_bytes() == 0) return {};
    auto written = files_.modified();
    auto taken = std::max(taken_time_[0], taken_time_[1]);
    auto lag = taken == Timestamp{} ? clock_.now() - made_ : written - taken;
    return std::max(lag, Nanoseconds{});
}

FileStatus LogFileReader::standing() const {
    FileStatus standing{.path = files_.path().string(),
                        .offset = offset_,
                        .lag_bytes = lag_bytes(),
                        .files_held = files_.successors_held()};
    if (files_.opened()) standing.size = files_.current().file->size();
    return standing;
}

}  // namespace boatswain::intake
