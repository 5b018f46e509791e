// How a spool comes to be: the state is read, or put aside where it cannot be.
#include "spool/schema.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

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

}  // namespace

// The bases keep a reference to the state and use it for the last time in ~Spool().
Spool::Spool(std::unique_ptr<State> state, Metrics& metrics)
    : SegmentQueue(*state, metrics),
      SourceLedger(*state),
      Chains(*state, metrics),
      state_(std::move(state)),
      states_lost_(metrics.counter("boatswain_state_lost_total",
                                   "Times that state.sqlite could not be read and was put aside at start")) {}

Result<std::unique_ptr<Spool>> Spool::open(Options options, const Clock& clock, Log& log, Metrics& metrics) {
    CHECK(make_directories(options.state_dir, 0750));
    CHECK(make_directories(options.state_dir / "spool" / "quarantine", 0750));
    auto spool = open_state(options, clock, log, metrics);
    if (!spool && spool.error().remedy == Remedy::quarantine) {
        auto why = spool.error();
        TRY(auto corrupt, put_state_aside(options.state_dir / "state.sqlite", clock.now()));
        spool = open_state(options, clock, log, metrics);
        if (spool) CHECK((*spool)->begin_with_new_state(corrupt, why));
    }
    if (!spool) return spool;
    (*spool)->clear_strays((*spool)->state_trouble_.has_value());
    (*spool)->tell_changed();
    return spool;
}

// Remedy::quarantine: what is there is no sound state.
Result<std::unique_ptr<Spool>> Spool::open_state(const Options& options, const Clock& clock, Log& log,
                                                 Metrics& metrics) {
    auto file = options.state_dir / "state.sqlite";
    TRY(auto database, Database::open(file));
    CHECK(database.session().check());
    {
        auto session = database.session();
        CHECK(prepare_schema(session, file, clock, log));
    }
    std::unique_ptr<Spool> spool{new Spool(std::make_unique<State>(options, clock, log, std::move(database)), metrics)};
    CHECK(spool->load());
    return spool;
}

Result<void> Spool::load() {
    std::string epoch, began_epoch;
    {
        auto session = state_->database.session();
        TRY(auto meta, session.prepare("SELECT name, value FROM meta"));
        for (;;) {
            TRY(auto row, meta.step());
            if (!row) break;
            auto name = meta.text(0);
            if (name == "epoch") epoch = meta.text(1);
            if (name == "began_epoch") began_epoch = meta.text(1);
            if (name == "state_lost") state_lost_ = parse_time(meta.text(1));
            if (name.starts_with(note_prefix)) notes_[name.substr(note_prefix.size())] = meta.text(1);
        }
    }
    if (epoch.empty()) return fail(Remedy::quarantine, "open the state database: it names no epoch");
    CHECK(SourceLedger::load());
    CHECK(Chains::load(std::move(epoch), std::move(began_epoch)));
    return SegmentQueue::load();
}

// The state that was found is at `corrupt`, and this one is new and empty.
Result<void> Spool::begin_with_new_state(const Path& corrupt, const Error& why) {
    states_lost_.add();
    state_lost_ = state_->clock.now();
    state_trouble_ = "state.sqlite could not be read and was put aside as " + corrupt.filename().string() +
                     "; everything that the containers' logs hold is read again";
    state_->log.error(
        "state not readable; put aside, a new epoch begins and all logs are read again from their beginning",
        {{"aside", corrupt.string()}, {"epoch", epoch()}, {"error", why}});
    {
        auto session = state_->database.session();
        TRY(auto insert, session.prepare("INSERT INTO meta VALUES ('state_lost', ?1)"));
        CHECK(insert.bind(1, to_text(*state_lost_)).run());
    }
    take_over(corrupt);
    return SegmentQueue::load();
}

}  // namespace boatswain::spool
