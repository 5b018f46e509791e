#include "spool/sqlite.h"

#include <sqlite3.h>

namespace boatswain::spool {
namespace {

std::unexpected<Error> failed(sqlite3* connection, std::string_view doing) {
    int code = sqlite3_errcode(connection);
    Remedy remedy = Remedy::back_off;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) remedy = Remedy::quarantine;
    if (code == SQLITE_PERM || code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_ERROR)
        remedy = Remedy::stop;
    return fail(remedy, std::string{doing} + ": " + sqlite3_errmsg(connection));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Statement& Statement::bind(int at, std::string_view text) {
    sqlite3_bind_text(statement_.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
}

Statement& Statement::bind(int at, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), at, number);
    return *this;
}

Statement& Statement::bind_null(int at) {
    sqlite3_bind_null(statement_.get(), at);
    return *this;
}

Result<bool> Statement::step() {
    switch (sqlite3_step(statement_.get())) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return failed(sqlite3_db_handle(statement_.get()), "step through the state database");
    }
}

Result<void> Statement::run() {
    for (;;) {
        auto row = step();
        if (row && *row) continue;
        sqlite3_reset(statement_.get());
        if (!row) return std::unexpected(std::move(row).error());
        return {};
    }
}

std::string Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
                 : std::string{};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Result<Database> Database::open(const Path& path) {
    sqlite3* connection = nullptr;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int opened = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
    Database database;
    database.connection_.reset(connection);
    if (opened != SQLITE_OK) return failed(connection, "open " + path.string());
    sqlite3_busy_timeout(connection, 5000);
    CHECK(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512;"));
    return database;
}

Result<void> Database::check() {
    TRY(auto check, prepare("PRAGMA quick_check(1)"));
    TRY(auto row, check.step());
    if (!row || check.text(0) != "ok")
        return fail(Remedy::quarantine, "check the state database: " + (row ? check.text(0) : "no answer"));
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
        SQLITE_OK)
        return failed(connection_.get(), "prepare a statement of the state database");
    return Statement{statement};
}

Result<void> Database::execute(const std::string& sql) {
    if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return failed(connection_.get(), "change the state database");
    return {};
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(connection_.get()); }

Result<Transaction> Transaction::begin(Database& database) {
    CHECK(database.execute("BEGIN IMMEDIATE"));
    return Transaction{database};
}

Transaction::~Transaction() {
    if (database_) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    CHECK(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace boatswain::spool
