#include "intake/rotation/log_sequence.h"

#include <sys/stat.h>

#include <algorithm>

namespace boatswain::intake {
namespace {

bool same_file(const LogFile& file, const Generation& generation) {
    return file.device() == generation.device && file.inode() == generation.inode;
}

}  // namespace

FilePosition OpenLog::at(std::uint64_t out_offset, std::uint64_t err_offset) const {
    return {.device = file->device(),
            .inode = file->inode(),
            .fingerprint = fingerprint,
            .out_offset = out_offset,
            .err_offset = err_offset};
}

void OpenLog::learn_fingerprint() {
    if (fingerprint != 0) return;
    if (auto found = fingerprint_of(*file)) fingerprint = *found;
}

Result<OpenLog> LogSequence::open(const Generation& generation) const {
    TRY(auto file, open_log_file(generation.path, below_));
    // Between listing and opening, a rotation may have moved another file to this name.
    if (!same_file(*file, generation))
        return fail(Remedy::retry, "open " + generation.path.string() + ": rotated meanwhile");
    TRY(auto fingerprint, fingerprint_of(*file));
    return OpenLog{.file = std::move(file), .fingerprint = fingerprint};
}

Result<std::optional<OpenLog>> LogSequence::find(const FilePosition& place,
                                                 const std::vector<Generation>& generations) const {
    // By inode first: files that hold nothing but pieces of one long line begin alike.
    auto candidates = generations;
    auto same_inode = [&](const auto& generation) {
        return generation.device == place.device && generation.inode == place.inode;
    };
    if (auto likely = std::ranges::find_if(candidates, same_inode); likely != candidates.end())
        std::rotate(candidates.begin(), likely, likely + 1);
    for (const auto& generation : candidates) {
        auto found = open(generation);
        if (!found && found.error().remedy == Remedy::quarantine)
            continue;  // one unreadable old file must not hide the others
        if (!found) return std::unexpected(std::move(found).error());
        if (found->fingerprint == place.fingerprint) return std::optional{std::move(*found)};
    }
    return std::nullopt;
}

std::optional<OpenLog> LogSequence::find_copy(const OpenLog& emptied, std::uint64_t old_fingerprint) const {
    for (const auto& generation : list()) {
        if (same_file(*emptied.file, generation)) continue;
        auto copy = open(generation);
        if (copy && copy->fingerprint == old_fingerprint) return std::move(*copy);
    }
    return std::nullopt;
}

void LogSequence::read_before_current(OpenLog copy) {
    successors_.push_front(std::move(current_));
    current_ = std::move(copy);
}

OpenLog LogSequence::take_successor() {
    auto next = std::move(successors_.front());
    successors_.pop_front();
    return next;
}

void LogSequence::end_doubt() {
    current_.doubtful = false;
    for (auto& open : successors_) open.doubtful = false;
}

std::uint64_t LogSequence::bytes_behind_current() const {
    std::uint64_t bytes = 0;
    for (const auto& open : successors_) bytes += open.file->size().value_or(0);
    return bytes;
}

// The place of `open` among the generations: by file, or, when it was compressed meanwhile, by its first line. Should
// several begin with that line (each holds pieces of one long line and nothing else), the newest: read from there on,
// nothing comes twice, but what lies between is missing, and `sure` false.
LogSequence::Place LogSequence::place_of(const OpenLog& held, const std::vector<Generation>& generations) const {
    for (std::size_t i = 0; i < generations.size(); ++i)
        if (same_file(*held.file, generations[i])) return {.index = i, .sure = true};
    if (held.fingerprint == 0) return {};
    Place place;
    for (std::size_t i = 0; i < generations.size(); ++i) {
        if (!generations[i].compressed) continue;
        auto candidate = open(generations[i]);
        if (!candidate || candidate->fingerprint != held.fingerprint) continue;
        if (place.index) return {.index = place.index, .sure = false};
        place = {.index = i, .sure = true};
    }
    return place;
}

Timestamp LogSequence::modified() const {
    auto written = current_.file->modified();
    return successors_.empty() ? written : std::max(written, successors_.back().file->modified());
}

// Those whose first record is not older than `time`, and the one that has the log's own name: the engine begins no
// file with a record that is older than one it has written before.
std::vector<Generation> LogSequence::later_than(Timestamp time, const std::vector<Generation>& generations) const {
    std::vector<Generation> later;
    for (const auto& generation : generations) {
        bool is_later = generation.path == log_path_;
        if (!is_later) {
            auto old = open(generation);
            auto first = old ? first_time_(*old->file) : std::nullopt;
            is_later = !first || *first >= time;
        }
        if (is_later) later.push_back(generation);
    }
    return later;
}

// Opens the files that are newer than all we hold. A rotation in the middle of looking makes a file seem to follow
// another that it does not, so what was opened counts only when the directory is as it was before: a file that is held
// open cannot give its inode to another, so the same names with the same inodes are the same files.
void LogSequence::look_for_successors(Timestamp taken) {
    for (unsigned look = 0; look < looks_max; ++look) {
        auto& newest = successors_.empty() ? current_ : successors_.back();
        struct stat now{};
        if (::stat(log_path_.c_str(), &now) == 0 && now.st_dev == newest.file->device() &&
            now.st_ino == newest.file->inode())
            return;
        newest.learn_fingerprint();

        auto generations = list();
        auto at = place_of(newest, generations);
        auto newest_time = at.index ? Timestamp{} : first_time_(*newest.file).value_or(Timestamp{});
        auto newer = at.index ? std::vector(generations.begin(), generations.begin() + static_cast<long>(*at.index))
                              : later_than(std::max(taken, newest_time), generations);
        std::vector<OpenLog> opened;
        // The newest file that we held has no name any more. Somebody deleted it, and what is there follows it; or it
        // was rotated away, and others may have come and gone with it: silence would say that there were none. Of the
        // files that the engine keeps one is not there in the middle of a rotation, however long that takes. As long as
        // fewer than that follow, none has gone.
        bool told = rotation_.replaced && rotation_.births_told && !births_lost_;
        bool gap = at.index ? !at.sure : !told && (rotation_.kept_max == 0 || newer.size() >= rotation_.kept_max - 1);
        for (auto left = newer.size(); left > 0 && successors_.size() + opened.size() < successors_max;) {
            auto next = open(newer[--left]);
            if (!next && next.error().remedy == Remedy::retry) break;
            if (!next && next.error().remedy == Remedy::quarantine) {
                log_.warning("a log file cannot be read; reading on with the next one",
                             {{"log", log_path_.string()}, {"error", next.error()}});
                gap = true;
                continue;
            }
            if (!next) return;  // no descriptor free: the next look begins where this one ended
            next->after_gap = std::exchange(gap, false);
            auto first = at.index ? std::nullopt : first_time_(*next->file);
            next->doubtful = first && !rotation_.replaced && *first <= std::max(taken, newest_time);
            opened.push_back(std::move(*next));
        }
        if (list() != generations) continue;
        if (told) opened_ += opened.size();
        std::ranges::move(opened, std::back_inserter(successors_));
        return;
    }
    log_.debug("log is rotated faster than it can be looked at", {{"log", log_path_.string()}});
}

LogSequence::Missing LogSequence::take_births(unsigned births, Timestamp taken) {
    births_ += births;
    look_for_successors(taken);
    if (!rotation_.replaced || !rotation_.births_told) return Missing::nothing;
    // A file may be found before its birth is told.
    bool missing = births_ > opened_;
    if (births_ >= opened_) births_ = opened_ = 0;
    return missing ? note_missing() : Missing::nothing;
}

LogSequence::Missing LogSequence::lose_births(Timestamp taken) {
    bool unconfirmed = opened_ > births_;
    births_lost_ = true;
    look_for_successors(taken);
    births_lost_ = false;
    births_ = opened_ = 0;
    return unconfirmed ? note_missing() : Missing::nothing;
}

LogSequence::Missing LogSequence::note_missing() {
    if (successors_.empty()) return Missing::before_current;
    successors_.back().after_gap = true;
    return Missing::noted;
}

}  // namespace boatswain::intake
