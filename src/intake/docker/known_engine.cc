#include "intake/docker/known_engine.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace boatswain::intake::docker {
namespace {

constexpr const char* id_note = "engine.id";
constexpr const char* directory_note = "engine.directory";
constexpr const char* root_note = "engine.root";
constexpr const char* other_note = "engine.other";  // the one that answers instead
constexpr const char* since_note = "engine.other_since";

// Names a directory over restarts, mounts and other names; empty: it cannot be seen.
std::string mark_of(const Path& directory) {
    struct statx found{};
    if (directory.empty() || ::statx(AT_FDCWD, directory.c_str(), 0, STATX_INO | STATX_BTIME, &found) != 0) return {};
    auto mark = std::to_string(found.stx_ino);
    if ((found.stx_mask & STATX_BTIME) != 0)
        mark += "." + std::to_string(found.stx_btime.tv_sec) + "." + std::to_string(found.stx_btime.tv_nsec);
    return mark;
}

bool differ(const std::string& known, const std::string& now) { return !known.empty() && !now.empty() && known != now; }

std::string shown(const std::string& id, const std::string& root) {
    return "ID " + (id.empty() ? "unknown" : id) + ", data directory " + (root.empty() ? "unknown" : root);
}

}  // namespace

KnownEngine::KnownEngine(std::string meant, spool::Spool& spool, const Clock& clock, Log& log)
    : meant_(std::move(meant)), spool_(spool), clock_(clock), log_(log) {}

void KnownEngine::note(const std::string& name, const std::string& value) {
    if (auto done = spool_.set_note(name, value); !done)
        log_.warning("which engine this is, is not kept in the state", {{"error", done.error()}});
}

void KnownEngine::take_over() {
    standing_ = Sameness::same;
    last_error_.clear();
    if (!id_.empty()) note(id_note, id_);
    if (!directory_.empty()) note(directory_note, directory_);
    if (!root_.empty()) note(root_note, root_);
    note(other_note, {});
    note(since_note, {});
}

void KnownEngine::met(const engine::EngineInfo& engine, const Path& containers) {
    id_ = engine.id;
    directory_ = mark_of(containers);
    root_ = engine.root_dir;
    if (!meant_.empty() && !id_.empty() && id_ == meant_) return take_over();
    bool not_meant = differ(meant_, id_);
    if (!not_meant && !differ(spool_.note(id_note), id_) && !differ(spool_.note(directory_note), directory_))
        return take_over();
    // One that was found to be another before stays so, though its own containers are known by now.
    bool known_other = not_meant || spool_.note(other_note) == id_ + " " + directory_;
    standing_ = known_other ? Sameness::other : Sameness::doubtful;
    look_again();
}

void KnownEngine::listed(bool one_is_known, bool any_was_known) {
    if (standing_ != Sameness::doubtful) return;
    if (one_is_known || !any_was_known) return take_over();
    standing_ = Sameness::other;
    note(other_note, id_ + " " + directory_);
    note(since_note, to_text(clock_.now()));
    look_again();
}

void KnownEngine::look_again() {
    if (standing_ != Sameness::other) return;
    auto former = shown(spool_.note(id_note), spool_.note(root_note));
    auto since = parse_time(spool_.note(since_note));
    auto end = since.value_or(clock_.now()) + other_engine_max;
    if (meant_.empty() && clock_.now() >= end) {
        log_.warning("the former engine did not come back: its containers are taken for removed", {{"former", former}});
        return take_over();
    }
    auto way_out = !meant_.empty() ? "engine.id = \"" + meant_ + "\""
                                   : "that ends at " + to_text(end) + ", or now with engine.id = \"" + id_ + "\"";
    auto trouble = "another engine answers (" + shown(id_, root_) + ") than the one whose containers are known (" +
                   former + "): none of those is taken for removed; " + way_out;
    if (trouble != last_error_) log_.warning("another engine answers than before", {{"what", trouble}});
    last_error_ = std::move(trouble);
}

}  // namespace boatswain::intake::docker
