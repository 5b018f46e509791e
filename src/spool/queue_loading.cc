// How the queue comes to be: its rows are read, what is torn is put aside, what no row names is cleared away.
#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "spool/segment_queue.h"

namespace boatswain::spool {
namespace {

bool holds(const Path& file, std::uint64_t size, const std::string& sha256) {
    auto bytes = read_file(file, size);
    if (!bytes || bytes->size() != size) return false;
    crypto::Sha256 hash;
    hash.update(*bytes);
    return hash.finish() == sha256;
}

}  // namespace

Path SegmentQueue::file_of(std::int64_t id) const {
    return state_.options.state_dir / "spool" / (std::to_string(id) + ".age");
}

Result<void> SegmentQueue::load() {
    CHECK(take_out_of_quarantine());
    TRY(auto rows, waiting_rows());
    for (auto& waiting : rows) {
        const auto& segment = waiting.segment;
        std::error_code problem;
        auto size = std::filesystem::file_size(segment.file, problem);
        if (problem || size != segment.size) {
            missing_.add();
            state_.log.error("spooled segment is missing or torn",
                             {{"key", segment.key}, {"file", segment.file.string()}});
            if (auto aside = quarantine(segment); !aside)
                state_.log.error("quarantine failed", {{"error", aside.error()}});
            continue;
        }
        (waiting.aside.empty() ? bytes_ : refused_bytes_) += size;
        aside_.refused += waiting.aside.empty() ? 0 : 1;
        if (!waiting.aside.empty()) aside_.last_reason = waiting.aside;
        tenant_bytes_[segment.tenant] += size;
        auto id = segment.id;
        waiting_.emplace(id, std::move(waiting));
    }
    return {};
}

// The segments that wait, as the state names them; sets next_id_.
Result<std::vector<SegmentQueue::Waiting>> SegmentQueue::waiting_rows() {
    std::vector<Waiting> found;
    auto session = state_.database.session();
    TRY(auto rows,
        session.prepare("SELECT id, key, tenant, size, sha256, added, quarantined, aside FROM segments ORDER BY id"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return found;
        auto id = rows.number(0);
        next_id_ = std::max(next_id_, id + 1);
        Waiting waiting;
        waiting.segment = {.id = id,
                           .key = rows.text(1),
                           .tenant = rows.text(2),
                           .file = file_of(id),
                           .size = static_cast<std::uint64_t>(rows.number(3)),
                           .sha256 = from_hex(rows.text(4)).value_or("")};
        waiting.added = to_time(rows.number(5));
        if (rows.number(6) != 0) {
            note_damaged(waiting.segment, waiting.added);
            continue;
        }
        if (!rows.is_null(7)) waiting.aside = rows.text(7);
        waiting.segment.aside = !waiting.aside.empty();
        found.push_back(std::move(waiting));
    }
}

// Segments that were put aside and whose file is whole after all: an older Boatswain did so with those whose key was
// taken, and a disk may have recovered. They are offered again. The row goes first: a crash after it finds the segment
// torn, and puts it back.
Result<void> SegmentQueue::take_out_of_quarantine() {
    struct Whole {
        std::int64_t id = 0;
        Path from, to;
        std::string key;
    };
    std::vector<Whole> whole;
    auto session = state_.database.session();
    TRY(auto rows, session.prepare("SELECT id, key, size, sha256, aside_file FROM segments WHERE quarantined <> 0"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) break;
        auto name = std::to_string(rows.number(0)) + ".age";
        auto spool = state_.options.state_dir / "spool";
        auto to = spool / name;
        auto file = Path{rows.is_null(4) ? name : rows.text(4)}.filename();
        auto sha256 = from_hex(rows.text(3)).value_or("");
        for (const auto& from : {spool / "quarantine" / file, to}) {
            if (!holds(from, static_cast<std::uint64_t>(rows.number(2)), sha256)) continue;
            whole.push_back({.id = rows.number(0), .from = from, .to = to, .key = rows.text(1)});
            break;
        }
    }
    TRY(auto update, session.prepare("UPDATE segments SET quarantined = 0 WHERE id = ?1"));
    for (const auto& one : whole) {
        CHECK(update.bind(1, one.id).run());
        std::error_code problem;
        std::filesystem::rename(one.from, one.to, problem);
        if (problem)
            state_.log.error("segment not taken out of quarantine", {{"key", one.key}, {"error", problem.message()}});
        else
            state_.log.info("segment taken out of quarantine; it is offered again", {{"key", one.key}});
    }
    return {};
}

// Segments that wait for the store need no checkpoint: as far as the old state still names them, and their files hold
// the very bytes that it says, they are shipped under the keys that they were sealed with.
void SegmentQueue::take_over(const Path& corrupt) {
    std::size_t taken = 0;
    auto done = [&]() -> Result<void> {
        TRY(auto old, Database::open(corrupt));
        auto from = old.session();
        auto to = state_.database.session();
        TRY(auto rows, from.prepare("SELECT id, key, tenant, size, sha256, added FROM segments WHERE quarantined = 0"));
        TRY(auto insert, to.prepare("INSERT OR IGNORE INTO segments (id, key, tenant, size, sha256, added) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
        for (;;) {
            TRY(auto row, rows.step());
            if (!row) return {};
            auto id = rows.number(0);
            auto size = rows.number(3);
            auto key = segment::parse_object_key(rows.text(1));
            auto sha256 = from_hex(rows.text(4));
            bool sound = id > 0 && size > 0 && key && key->tenant.str() == rows.text(2) && sha256 &&
                         holds(file_of(id), static_cast<std::uint64_t>(size), *sha256);
            if (!sound) continue;
            auto kept = insert.bind(1, id)
                            .bind(2, rows.text(1))
                            .bind(3, rows.text(2))
                            .bind(4, size)
                            .bind(5, rows.text(4))
                            .bind(6, rows.number(5))
                            .run();
            if (kept) ++taken;
        }
    }();
    state_.log.info("segments of the old state taken over", {{"segments", taken}});
    if (!done) state_.log.warning("old state not read to its end", {{"error", done.error()}});
}

// Files that no row names. As a rule they are of a crash between file and row, and their lines are read again. Where
// the rows were lost, nobody knows that: they are kept for a person.
void SegmentQueue::clear_strays(bool state_lost) {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{state_.options.state_dir / "spool", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        if (entry->is_directory(unknown)) continue;
        auto name = entry->path().filename().string();
        std::int64_t id = 0;
        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
        bool segment = error == std::errc{} && std::string_view{end} == ".age";
        if (segment && waiting_.contains(id)) continue;
        strays_.add();
        if (segment && state_lost && put_aside(entry->path())) {  // counted below
            quarantined_.add();
            state_.log.error("spool file that no state names put aside", {{"file", name}});
            continue;
        }
        state_.log.warning("stray spool file removed; its lines are read again", {{"file", name}});
        if (auto removed = remove_file(entry->path()); !removed)
            state_.log.error("remove failed", {{"error", removed.error()}});
    }
    std::size_t files = 0;
    quarantine_bytes_ = 0;  // what was put aside while opening is among them
    for (std::filesystem::directory_iterator entry{state_.options.state_dir / "spool" / "quarantine", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        auto size = entry->file_size(unknown);
        if (unknown) continue;
        quarantine_bytes_ += size;
        ++files;
    }
    aside_.unnamed = files - std::min(files, aside_.damaged);
}

// A name of its own: numbers start again with every state.
std::optional<std::string> SegmentQueue::put_aside(const Path& file) {
    auto directory = state_.options.state_dir / "spool" / "quarantine";
    auto to = directory / file.filename();
    for (int more = 1; std::filesystem::exists(to); ++more)
        to = directory / (file.stem().string() + "-" + std::to_string(more) + ".age");
    std::error_code problem;
    std::filesystem::rename(file, to, problem);
    if (problem) return std::nullopt;
    return to.filename().string();
}

}  // namespace boatswain::spool
