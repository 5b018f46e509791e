// A thin, owning view of SQLite: a connection, sessions on it, and statements that bind and step. Only spool/ uses it.
//
// Threads share one connection, and SQLite writes to its memory on every call: a statement that is merely finalized
// while another thread is inside corrupts the heap. So nobody can reach a connection but through a Session, which holds
// its lock for as long as it lives:
//
//   Session session = database.session();               // from here on this thread alone is in the database
//   TRY(auto transaction, Transaction::begin(session));
//   TRY(auto insert, session.prepare("INSERT ..."));     // belongs to the connection; reset when the session ends
//
// Invariants
//   - Statements are prepared, stepped, reset and finalized under the lock only: the connection owns them, and a
//     Statement is a view that does nothing when it goes. One that is used after its session throws.
//   - The end of a session resets every statement and drops what was bound, before the lock is free.
//   - A thread has at most one session on a database at a time: a second one throws instead of waiting for itself.
//   - SQLite's own mutex is on as well (SQLITE_OPEN_FULLMUTEX), and sanitized builds use a SQLite that asserts it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

struct sqlite3_stmt;

namespace boatswain::spool {

struct Connection;  // of a Database; sqlite.cc

// One prepared statement, for as long as its session. Values are bound from 1, columns read from 0, as SQLite counts.
// A value that could not be bound (no memory, too long) fails the next step.
class Statement {
  public:
    Statement& bind(int at, std::string_view text);
    Statement& bind(int at, std::int64_t number);
    Statement& bind_null(int at);
    Result<bool> step();  // true: a row is there
    Result<void> run();   // to the end; then ready to be bound again
    std::string text(int column) const;
    std::int64_t number(int column) const;
    bool is_null(int column) const;

  private:
    friend class Session;
    Statement(sqlite3_stmt* statement, const Connection& connection);
    sqlite3_stmt* statement() const;  // throws std::logic_error when the session is over
    Statement& bound(int code);

    sqlite3_stmt* statement_;
    const Connection* connection_;
    std::uint64_t session_;
    int bind_failed_ = 0;
};

// The one way into a database: has the lock until it goes.
class Session {
  public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // `sql` is one statement of the code's own: each text is prepared once and kept. Prepared again in the same
    // session, it is the same statement, reset.
    Result<Statement> prepare(std::string_view sql);
    Result<void> execute(const std::string& sql);
    // Looks through all of the database: Remedy::quarantine when it is not sound.
    Result<void> check();

  private:
    friend class Database;
    explicit Session(Connection& connection);

    Connection& connection_;
    std::unique_lock<std::mutex> lock_;
};

class Database {
  public:
    // Opens or creates `path`, write-ahead journal, every commit durable (synchronous=FULL).
    static Result<Database> open(const Path& path);
    Database(Database&&) noexcept;
    ~Database();

    // Waits for the session of another thread. Thread-safe.
    Session session();

  private:
    explicit Database(std::unique_ptr<Connection> connection);
    std::unique_ptr<Connection> connection_;
};

// A transaction that rolls back unless committed. It ends before its session does.
class Transaction {
  public:
    static Result<Transaction> begin(Session& session);
    Transaction(Transaction&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    ~Transaction();
    Result<void> commit();

  private:
    explicit Transaction(Session& session) : session_(&session) {}
    Session* session_;
};

}  // namespace boatswain::spool
