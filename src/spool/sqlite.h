// A thin, owning view of SQLite: a connection, and statements that bind and step. Only spool/ uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace boatswain::spool {

// One prepared statement. Values are bound from 1, columns read from 0, as SQLite counts them.
class Statement {
  public:
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    Statement& bind(int at, std::string_view text);
    Statement& bind(int at, std::int64_t number);
    Statement& bind_null(int at);
    Result<bool> step();  // true: a row is there
    Result<void> run();   // to the end; then ready to be bound again
    std::string text(int column) const;
    std::int64_t number(int column) const;
    bool is_null(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
  public:
    // Opens or creates `path`, write-ahead journal, every commit durable (synchronous=FULL).
    static Result<Database> open(const Path& path);

    // Looks through all of it: Remedy::quarantine when it is not sound.
    Result<void> check();
    Result<Statement> prepare(std::string_view sql);
    Result<void> execute(const std::string& sql);
    std::int64_t last_row() const;

  private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    std::unique_ptr<sqlite3, Close> connection_;
};

// A transaction that rolls back unless committed.
class Transaction {
  public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    ~Transaction();
    Result<void> commit();

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace boatswain::spool
