// Who may be in the database, and for how long.
#include "spool/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace boatswain::spool {
namespace {

class SqliteTest : public ::testing::Test {
  protected:
    SqliteTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-sqlite-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        database_.emplace(Database::open(directory_ / "test.sqlite").value());
        EXPECT_TRUE(database_->session().execute("CREATE TABLE t (number INTEGER, text TEXT)"));
    }
    ~SqliteTest() override {
        database_.reset();
        std::filesystem::remove_all(directory_);
    }
    void insert(Session& session, std::int64_t number) {
        auto statement = session.prepare("INSERT INTO t VALUES (?1, ?2)").value();
        ASSERT_TRUE(statement.bind(1, number).bind(2, "text").run());
    }
    std::int64_t count() {
        auto session = database_->session();
        auto rows = session.prepare("SELECT count(*) FROM t").value();
        EXPECT_TRUE(rows.step().value());
        return rows.number(0);
    }

    Path directory_;
    std::optional<Database> database_;
};

TEST_F(SqliteTest, RefusesAStatementAfterItsSession) {
    std::optional<Statement> kept;
    {
        auto session = database_->session();
        kept = session.prepare("SELECT count(*) FROM t").value();
        ASSERT_TRUE(kept->step().value());
    }
    EXPECT_THROW((void)kept->number(0), std::logic_error);
    auto next = database_->session();
    EXPECT_THROW((void)kept->step(), std::logic_error) << "the next session's is another, of the same text too";
    EXPECT_TRUE(next.prepare("SELECT count(*) FROM t").value().step().value());
}

TEST_F(SqliteTest, RefusesASecondSessionOfAThreadInsteadOfWaitingForever) {
    auto session = database_->session();
    EXPECT_THROW((void)database_->session(), std::logic_error);
    insert(session, 1);
}

TEST_F(SqliteTest, LetsNobodyElseInWhileASessionLives) {
    std::optional<std::jthread> other;
    std::atomic<bool> is_in = false;
    {
        auto session = database_->session();
        other.emplace([&] {
            auto mine = database_->session();
            is_in = true;
        });
        for (std::int64_t i = 0; i < 200; ++i) insert(session, i);
        EXPECT_FALSE(is_in);
    }
    other.reset();
    EXPECT_TRUE(is_in);
}

TEST_F(SqliteTest, ForgetsWhatWasBoundWhenASessionEnds) {
    {
        auto session = database_->session();
        auto statement = session.prepare("INSERT INTO t VALUES (?1, ?2)").value();
        statement.bind(1, 7).bind(2, "of another");
    }
    auto session = database_->session();
    ASSERT_TRUE(session.prepare("INSERT INTO t VALUES (?1, ?2)").value().run());
    auto row = session.prepare("SELECT number, text FROM t").value();
    ASSERT_TRUE(row.step().value());
    EXPECT_TRUE(row.is_null(0));
    EXPECT_TRUE(row.is_null(1));
}

TEST_F(SqliteTest, RollsBackATransactionThatIsNotCommitted) {
    {
        auto session = database_->session();
        auto transaction = Transaction::begin(session).value();
        insert(session, 1);
        auto rows = session.prepare("SELECT number FROM t").value();
        EXPECT_TRUE(rows.step().value()) << "left in the midst of its rows";
    }
    EXPECT_EQ(count(), 0);
    {
        auto session = database_->session();
        auto transaction = Transaction::begin(session).value();
        insert(session, 1);
        ASSERT_TRUE(transaction.commit());
    }
    EXPECT_EQ(count(), 1);
}

// SQLite refuses what is bound to a place that is not there; a value that is too long or that there is no memory for
// comes back the same way.
TEST_F(SqliteTest, FailsAStepWhoseValueCouldNotBeBound) {
    auto session = database_->session();
    auto statement = session.prepare("INSERT INTO t VALUES (?1, ?2)").value();
    auto done = statement.bind(1, 1).bind(3, "nowhere").run();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what, ::testing::HasSubstr("bind a value"));
    auto rows = session.prepare("SELECT count(*) FROM t").value();
    ASSERT_TRUE(rows.step().value());
    EXPECT_EQ(rows.number(0), 0);
}

TEST_F(SqliteTest, ServesManyThreads) {
    constexpr std::int64_t threads = 8;
    constexpr std::int64_t rows_each = 100;
    {
        std::vector<std::jthread> writers;
        for (std::int64_t i = 0; i < threads; ++i)
            writers.emplace_back([&, i] {
                for (std::int64_t row = 0; row < rows_each; ++row) {
                    auto session = database_->session();
                    insert(session, i * rows_each + row);
                }
            });
    }
    EXPECT_EQ(count(), threads * rows_each);
}

}  // namespace
}  // namespace boatswain::spool
