#include "spool/source_ledger.h"

namespace boatswain::spool {
namespace {

// Checkpoints of containers that were removed while nobody looked stay behind. So many are kept, those that moved last;
// age alone says nothing: a container that prints a line a year must not be read from its start again.
constexpr std::int64_t checkpoints_max = 20'000;

// The statements of a group of additions, each prepared once; for as long as the session.
struct Statements {
    Statement begin, checkpoint, ended, forget;

    static Result<Statements> prepare(Session& session) {
        TRY(auto begin, session.prepare("INSERT OR IGNORE INTO checkpoints (source, position, lines, moved, bytes, "
                                        "about, last_time, ended) VALUES (?1, ?2, 0, ?3, 0, ?4, ?5, 0)"));
        TRY(auto checkpoint,
            session.prepare("INSERT OR REPLACE INTO checkpoints (source, position, lines, moved, "
                            "bytes, about, last_time, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
        TRY(auto ended, session.prepare("UPDATE checkpoints SET ended = ?2 WHERE source = ?1 AND ended <> ?2"));
        TRY(auto forget, session.prepare("DELETE FROM checkpoints WHERE source = ?1"));
        return Statements{begin, checkpoint, ended, forget};
    }

    Result<void> note_beginning(const Checkpoint& from, const ResumeRecord& known, Timestamp now) {
        return begin.bind(1, known.source.id)
            .bind(2, to_text(from.position))
            .bind(3, to_number(now))
            .bind(4, known_text(known))
            .bind(5, to_number(known.last_time))
            .run();
    }

    Result<void> move(const std::string& source, const Checkpoint& to, const SegmentBookkeeping& bookkeeping,
                      Timestamp now) {
        auto known = bookkeeping.known.find(source);
        bool is_known = known != bookkeeping.known.end();
        checkpoint.bind(1, source)
            .bind(2, to_text(to.position))
            .bind(3, static_cast<std::int64_t>(to.lines))
            .bind(4, to_number(now))
            .bind(7, is_known ? to_number(known->second.last_time) : 0)
            .bind(8, std::int64_t{is_known && known->second.ended});
        if (to.bytes)
            checkpoint.bind(5, static_cast<std::int64_t>(*to.bytes));
        else
            checkpoint.bind_null(5);
        if (is_known)
            checkpoint.bind(6, known_text(known->second));
        else
            checkpoint.bind_null(6);
        return checkpoint.run();
    }
};

}  // namespace

std::optional<Checkpoint> SourceLedger::checkpoint(const std::string& source) const {
    std::scoped_lock lock{state_.mutex};
    auto found = checkpoints_.find(source);
    return found == checkpoints_.end() ? std::nullopt : std::optional{found->second};
}

bool SourceLedger::ended(const std::string& source) const {
    std::scoped_lock lock{state_.mutex};
    return ended_.contains(source);
}

std::optional<ResumeRecord> SourceLedger::was_of_another(const std::string& source, const TenantId& tenant) {
    {
        std::scoped_lock lock{state_.mutex};
        auto before = tenants_at_start_.extract(source);
        if (!before || before.mapped() == tenant.str()) return std::nullopt;
    }
    auto session = state_.database.session();
    auto known = [&]() -> Result<std::optional<ResumeRecord>> {
        TRY(auto query, session.prepare("SELECT about FROM checkpoints WHERE source = ?1"));
        TRY(auto row, query.bind(1, source).step());
        return row ? parse_known(source, query.text(0)) : std::nullopt;
    }();
    if (known) return std::move(*known);
    state_.log.error("what was known of a source is not read; no record says that it is another tenant's now",
                     {{"source", source}, {"error", known.error()}});
    return std::nullopt;
}

Result<std::vector<SourceCheckpoint>> SourceLedger::known_sources() {
    auto session = state_.database.session();
    std::vector<SourceCheckpoint> found;
    TRY(auto rows, session.prepare("SELECT source, position, lines, bytes, about, last_time, ended FROM checkpoints"));
    for (;;) {
        TRY(auto row, rows.step());
        if (!row) return found;
        auto position = parse_position(rows.text(1));
        if (!position) {
            state_.log.error("checkpoint not understood, its source is read from its start",
                             {{"source", rows.text(0)}});
            continue;
        }
        SourceCheckpoint source{.id = rows.text(0),
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

Result<void> SourceLedger::load() {
    {
        auto session = state_.database.session();
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

Result<void> SourceLedger::save(Session& session, std::span<const Addition> additions) const {
    auto now = state_.clock.now();
    TRY(auto statements, Statements::prepare(session));
    for (const auto& addition : additions) {
        for (const auto& [from, known] : addition.begun) CHECK(statements.note_beginning(from, known, now));
        for (const auto& [source, checkpoint] : addition.checkpoints)
            CHECK(statements.move(source, checkpoint, addition.bookkeeping, now));
        for (const auto& [source, ended] : addition.ended)
            CHECK(statements.ended.bind(1, source).bind(2, std::int64_t{ended}).run());
        for (const auto& source : addition.bookkeeping.forget) CHECK(statements.forget.bind(1, source).run());
    }
    return {};
}

void SourceLedger::hold(std::span<const Addition> additions) {
    for (const auto& addition : additions) hold(addition);
}

void SourceLedger::hold(const Addition& addition) {
    auto note = [&](const std::string& source, bool ended) {
        if (ended)
            ended_.insert(source);
        else
            ended_.erase(source);
    };
    for (const auto& [from, known] : addition.begun) checkpoints_.try_emplace(known.source.id, from);
    for (const auto& [source, checkpoint] : addition.checkpoints) {
        checkpoints_[source] = checkpoint;
        auto known = addition.bookkeeping.known.find(source);
        note(source, known != addition.bookkeeping.known.end() && known->second.ended);
    }
    for (const auto& [source, ended] : addition.ended)
        if (checkpoints_.contains(source)) note(source, ended);
    for (const auto& source : addition.bookkeeping.forget) {
        checkpoints_.erase(source);
        ended_.erase(source);
        tenants_at_start_.erase(source);
    }
}

}  // namespace boatswain::spool
