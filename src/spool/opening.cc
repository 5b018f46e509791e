// How a spool comes to be: the state is read, what is torn is put aside, what no row names is cleared away.
#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "spool/schema.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

// Checkpoints of containers that were removed while nobody looked stay behind. So many are kept, those that moved last;
// age alone says nothing: a container that prints a line a year must not be read from its start again.
constexpr std::int64_t checkpoints_max = 20'000;

Timestamp to_time(std::int64_t number) { return Timestamp{Nanoseconds{number}}; }

constexpr const char* database_files[] = {"", "-wal", "-shm"};  // what SQLite makes of one name

// state.sqlite and what belongs to it, under a name that nobody opens. Returns that name.
Result<Path> put_state_aside(const Path& state, Timestamp now) {
    std::string time = to_text(now).substr(0, 19);
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    Path aside = state.string() + ".corrupt-" + time + "Z";
    for (int more = 1; std::filesystem::exists(aside); ++more)
        aside = state.string() + ".corrupt-" + time + "Z-" + std::to_string(more);
    for (const auto* suffix : database_files) {
        std::error_code problem;
        std::filesystem::rename(state.string() + suffix, aside.string() + suffix, problem);
        if (problem && problem != std::errc::no_such_file_or_directory)
            return fail(Remedy::stop, "put " + state.string() + " aside", problem);
    }
    return aside;
}

bool holds(const Path& file, std::uint64_t size, const std::string& sha256) {
    auto bytes = read_file(file, size);
    if (!bytes || bytes->size() != size) return false;
    crypto::Sha256 hash;
    hash.update(*bytes);
    return hash.finish() == sha256;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(Options options, const Clock& clock, Log& log, Metrics& metrics) {
    CHECK(make_directories(options.state_dir, 0750));
    CHECK(make_directories(options.state_dir / "spool" / "quarantine", 0750));
    auto spool = open_state(options, clock, log, metrics);
    if (!spool && spool.error().remedy == Remedy::quarantine) {
        auto why = spool.error();
        TRY(auto corrupt, put_state_aside(options.state_dir / "state.sqlite", clock.now()));
        spool = open_state(options, clock, log, metrics);
        if (spool) CHECK((*spool)->begin_anew(corrupt, why));
    }
    if (!spool) return spool;
    (*spool)->clear_strays();
    (*spool)->tell_changed();
    return spool;
}

// Remedy::quarantine: what is there is no sound state.
Result<std::unique_ptr<Spool>> Spool::open_state(const Options& options, const Clock& clock, Log& log,
                                                 Metrics& metrics) {
    TRY(auto database, Database::open(options.state_dir / "state.sqlite"));
    CHECK(database.session().check());
    std::unique_ptr<Spool> spool{new Spool(options, clock, log, metrics, std::move(database))};
    {
        auto session = spool->database_.session();
        CHECK(prepare_schema(session, options.state_dir / "state.sqlite", clock, log));
    }
    CHECK(spool->load());
    return spool;
}

Result<void> Spool::load() {
    CHECK(load_meta());
    if (epoch_.empty()) return fail(Remedy::quarantine, "open the state database: it names no epoch");
    if (began_epoch_.empty()) began_epoch_ = epoch_;
    CHECK(load_checkpoints());
    CHECK(load_heads());
    CHECK(load_conflicts());
    CHECK(take_out_of_quarantine());
    return load_segments();
}

Result<void> Spool::load_meta() {
    auto session = database_.session();
    TRY(auto meta, session.prepare("SELECT name, value FROM meta"));
    for (;;) {
        TRY(auto row, meta.step());
        if (!row) return {};
        if (meta.text(0) == "epoch") epoch_ = meta.text(1);
        if (meta.text(0) == "began_epoch") began_epoch_ = meta.text(1);
        if (meta.text(0) == "state_lost") state_lost_ = parse_time(meta.text(1));
        if (auto name = meta.text(0); name.starts_with(note_prefix))
            notes_[name.substr(note_prefix.size())] = meta.text(1);
    }
}

Result<void> Spool::load_checkpoints() {
    {
        auto session = database_.session();
        TRY(auto old,
            session.prepare("DELETE FROM checkpoints WHERE source IN "
                            "(SELECT source FROM checkpoints ORDER BY moved DESC, source LIMIT -1 OFFSET ?1)"));
        CHECK(old.bind(1, checkpoints_max).run());
    }
    TRY(auto known, known_sources());
    for (auto& one : known) {
        if (one.known && one.known->ended) ended_.insert(one.id);
        if (one.known) tenants_at_start_[one.id] = one.known->source.whose.tenant.str();
        checkpoints_[one.id] = one.checkpoint;
    }
    return {};
}

Result<std::vector<KnownSource>> Spool::known_sources() {
    auto session = database_.session();
    std::vector<KnownSource> found;
    TRY(auto rows, session.prepare("SELECT source, position, lines, bytes, about, last_time, ended FROM checkpoints"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return found;
        auto position = parse_position(rows.text(1));
        if (!position) {
            log_.error("checkpoint not understood, its source is read from its start", {{"source", rows.text(0)}});
            continue;
        }
        KnownSource source{.id = rows.text(0),
                           .checkpoint = {.position = *position,
                                          .lines = static_cast<std::uint64_t>(rows.number(2)),
                                          .bytes = std::nullopt},
                           .known = parse_known(rows.text(0), rows.text(4))};
        if (!rows.is_null(3)) source.checkpoint.bytes = static_cast<std::uint64_t>(rows.number(3));
        if (source.known) {
            source.known->last_time = to_time(rows.number(5));
            source.known->ended = rows.number(6) != 0;
        }
        found.push_back(std::move(source));
    }
}

Result<void> Spool::load_segments() {
    TRY(auto rows, waiting_rows());
    for (auto& waiting : rows) {
        const auto& segment = waiting.segment;
        std::error_code problem;
        auto size = std::filesystem::file_size(segment.file, problem);
        if (problem || size != segment.size) {
            missing_.add();
            log_.error("spooled segment is missing or torn", {{"key", segment.key}, {"file", segment.file.string()}});
            if (auto aside = quarantine(segment); !aside) log_.error("quarantine failed", {{"error", aside.error()}});
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
Result<std::vector<Spool::Waiting>> Spool::waiting_rows() {
    std::vector<Waiting> found;
    auto session = database_.session();
    TRY(auto rows,
        session.prepare("SELECT id, key, tenant, size, sha256, added, quarantined, aside FROM segments ORDER BY id"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return found;
        auto id = rows.number(0);
        next_id_ = std::max(next_id_, id + 1);
        if (rows.number(6) != 0) {
            ++aside_.damaged;
            if (damaged_.size() < aside_listed_max)
                damaged_.push_back({.key = rows.text(1),
                                    .tenant = rows.text(2),
                                    .size = static_cast<std::uint64_t>(rows.number(3)),
                                    .added = to_time(rows.number(5)),
                                    .reason = "its file in the spool is missing or damaged",
                                    .damaged = true});
            continue;
        }
        Waiting waiting;
        waiting.segment = {.id = id,
                           .key = rows.text(1),
                           .tenant = rows.text(2),
                           .file = options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                           .size = static_cast<std::uint64_t>(rows.number(3)),
                           .sha256 = from_hex(rows.text(4)).value_or("")};
        waiting.added = to_time(rows.number(5));
        if (!rows.is_null(7)) waiting.aside = rows.text(7);
        waiting.segment.aside = !waiting.aside.empty();
        found.push_back(std::move(waiting));
    }
}

// Segments that were put aside and whose file is whole after all: an older Boatswain did so with those whose key was
// taken, and a disk may have recovered. They are offered again. The row goes first: a crash after it finds the segment
// torn, and puts it back.
Result<void> Spool::take_out_of_quarantine() {
    struct Whole {
        std::int64_t id = 0;
        Path from, to;
        std::string key;
    };
    std::vector<Whole> whole;
    auto session = database_.session();
    TRY(auto rows, session.prepare("SELECT id, key, size, sha256, aside_file FROM segments WHERE quarantined <> 0"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) break;
        auto name = std::to_string(rows.number(0)) + ".age";
        auto spool = options_.state_dir / "spool";
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
            log_.error("segment not taken out of quarantine", {{"key", one.key}, {"error", problem.message()}});
        else
            log_.info("segment taken out of quarantine; it is offered again", {{"key", one.key}});
    }
    return {};
}

// The state that was found is at `corrupt`, and this one is new and empty.
Result<void> Spool::begin_anew(const Path& corrupt, const Error& why) {
    states_lost_.add();
    state_lost_ = clock_.now();
    state_trouble_ = "state.sqlite could not be read and was put aside as " + corrupt.filename().string() +
                     "; everything that the containers' logs hold is read again";
    log_.error("state not readable; put aside, a new epoch begins and all logs are read again from their beginning",
               {{"aside", corrupt.string()}, {"epoch", epoch_}, {"error", why}});
    {
        auto session = database_.session();
        TRY(auto insert, session.prepare("INSERT INTO meta VALUES ('state_lost', ?1)"));
        CHECK(insert.bind(1, to_text(*state_lost_)).run());
    }
    take_over_segments(corrupt);
    return load_segments();
}

// Segments that wait for the store need no checkpoint: as far as the old state still names them, and their files hold
// the very bytes that it says, they are shipped under the keys that they were sealed with.
void Spool::take_over_segments(const Path& corrupt) {
    std::size_t taken = 0;
    auto done = [&]() -> Result<void> {
        TRY(auto old, Database::open(corrupt));
        auto from = old.session();
        auto to = database_.session();
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
                         holds(options_.state_dir / "spool" / (std::to_string(id) + ".age"),
                               static_cast<std::uint64_t>(size), *sha256);
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
    log_.info("segments of the old state taken over", {{"segments", taken}});
    if (!done) log_.warning("old state not read to its end", {{"error", done.error()}});
}

// Files that no row names. As a rule they are of a crash between file and row, and their lines are read again. Where
// the rows were lost, nobody knows that: they are kept for a person.
void Spool::clear_strays() {
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options_.state_dir / "spool", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        if (entry->is_directory(unknown)) continue;
        auto name = entry->path().filename().string();
        std::int64_t id = 0;
        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
        bool segment = error == std::errc{} && std::string_view{end} == ".age";
        if (segment && waiting_.contains(id)) continue;
        strays_.add();
        if (segment && state_trouble_ && put_aside(entry->path())) {  // counted below
            quarantined_.add();
            log_.error("spool file that no state names put aside", {{"file", name}});
            continue;
        }
        log_.warning("stray spool file removed; its lines are read again", {{"file", name}});
        if (auto removed = remove_file(entry->path()); !removed)
            log_.error("remove failed", {{"error", removed.error()}});
    }
    std::size_t files = 0;
    quarantine_bytes_ = 0;  // what was put aside while opening is among them
    for (std::filesystem::directory_iterator entry{options_.state_dir / "spool" / "quarantine", problem}, none;
         !problem && entry != none; entry.increment(problem)) {
        std::error_code unknown;
        auto size = entry->file_size(unknown);
        if (unknown) continue;
        quarantine_bytes_ += size;
        ++files;
    }
    aside_.unnamed = files - std::min(files, aside_.damaged);
}

// A name of its own: numbers begin anew with every state.
std::optional<std::string> Spool::put_aside(const Path& file) {
    auto directory = options_.state_dir / "spool" / "quarantine";
    auto to = directory / file.filename();
    for (int more = 1; std::filesystem::exists(to); ++more)
        to = directory / (file.stem().string() + "-" + std::to_string(more) + ".age");
    std::error_code problem;
    std::filesystem::rename(file, to, problem);
    if (problem) return std::nullopt;
    return to.filename().string();
}

}  // namespace boatswain::spool
