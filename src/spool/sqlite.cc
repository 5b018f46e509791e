#include "spool/sqlite.h"

#include <sqlite3.h>

#include <atomic>
#include <functional>
#include <map>
#include <stdexcept>
#include <thread>

namespace boatswain::spool {
namespace {

struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::unexpected<Error> failed(sqlite3* connection, std::string_view doing) {
    int code = sqlite3_errcode(connection);
    Remedy remedy = Remedy::back_off;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) remedy = Remedy::quarantine;
    if (code == SQLITE_PERM || code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_ERROR)
        remedy = Remedy::stop;
    return fail(remedy, std::string{doing} + ": " + sqlite3_errmsg(connection));
}

}  // namespace

struct Connection {
    std::mutex guard;  // everything below
    std::unique_ptr<sqlite3, Close> handle;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements;  // by their text
    // Of the session that has the lock, or had it last. Atomic for the sake of who asks without having it: a bug that
    // must be found, not add another.
    std::atomic<std::uint64_t> session{0};
    std::atomic<std::thread::id> owner{};  // the thread that has the lock
};

Statement::Statement(sqlite3_stmt* statement, const Connection& connection)
    : statement_(statement), connection_(&connection), session_(connection.session) {}

sqlite3_stmt* Statement::statement() const {
    if (connection_->session != session_)
        throw std::logic_error("a statement of the state database is used after its session");
    return statement_;
}

Statement& Statement::bound(int code) {
    if (code != SQLITE_OK && bind_failed_ == SQLITE_OK) bind_failed_ = code;
    return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
    return bound(sqlite3_bind_text64(statement(), at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::bind(int at, std::int64_t number) { return bound(sqlite3_bind_int64(statement(), at, number)); }

Statement& Statement::bind_null(int at) { return bound(sqlite3_bind_null(statement(), at)); }

Result<bool> Statement::step() {
    if (bind_failed_ != SQLITE_OK)
        return fail(Remedy::back_off, std::string{"bind a value for the state database: "} +
                                          sqlite3_errstr(std::exchange(bind_failed_, SQLITE_OK)));
    switch (sqlite3_step(statement())) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return failed(sqlite3_db_handle(statement_), "step through the state database");
    }
}

Result<void> Statement::run() {
    for (;;) {
        auto row = step();
        if (row && *row) continue;
        sqlite3_reset(statement());
        if (!row) return std::unexpected(std::move(row).error());
        return {};
    }
}

std::string Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement(), column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement(), column)))
                 : std::string{};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement(), column); }

bool Statement::is_null(int column) const { return sqlite3_column_type(statement(), column) == SQLITE_NULL; }

Session::Session(Connection& connection) : connection_(connection) {
    if (connection.owner == std::this_thread::get_id())
        throw std::logic_error("a thread that is in the state database wants a second session");
    lock_ = std::unique_lock{connection.guard};
    connection_.owner = std::this_thread::get_id();
    ++connection_.session;
}

Session::~Session() {
    ++connection_.session;
    connection_.owner = std::thread::id{};
    for (auto& [sql, statement] : connection_.statements) {
        sqlite3_reset(statement.get());
        sqlite3_clear_bindings(statement.get());
    }
}

Result<Statement> Session::prepare(std::string_view sql) {
    auto kept = connection_.statements.find(sql);
    if (kept == connection_.statements.end()) {
        sqlite3_stmt* made = nullptr;
        if (sqlite3_prepare_v3(connection_.handle.get(), sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK)
            return failed(connection_.handle.get(), "prepare a statement of the state database");
        kept = connection_.statements.try_emplace(std::string{sql}, made).first;
    }
    sqlite3_reset(kept->second.get());
    sqlite3_clear_bindings(kept->second.get());
    return Statement{kept->second.get(), connection_};
}

Result<void> Session::execute(const std::string& sql) {
    if (sqlite3_exec(connection_.handle.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return failed(connection_.handle.get(), "change the state database");
    return {};
}

Result<void> Session::check() {
    TRY(auto check, prepare("PRAGMA quick_check(1)"));
    TRY(auto row, check.step());
    if (!row || check.text(0) != "ok")
        return fail(Remedy::quarantine, "check the state database: " + (row ? check.text(0) : "no answer"));
    return {};
}

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const Path& path) {
    if (sqlite3_threadsafe() == 0) return fail(Remedy::stop, "this SQLite was built for one thread alone");
    sqlite3* handle = nullptr;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    int opened = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    auto connection = std::make_unique<Connection>();
    connection->handle.reset(handle);
    if (opened != SQLITE_OK) return failed(handle, "open " + path.string());
    sqlite3_busy_timeout(handle, 5000);
    Database database{std::move(connection)};
    CHECK(database.session().execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512;"));
    return database;
}

Session Database::session() { return Session{*connection_}; }

Result<Transaction> Transaction::begin(Session& session) {
    CHECK(session.execute("BEGIN IMMEDIATE"));
    return Transaction{session};
}

Transaction::~Transaction() {
    if (session_) (void)session_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    CHECK(session_->execute("COMMIT"));
    session_ = nullptr;
    return {};
}

}  // namespace boatswain::spool
