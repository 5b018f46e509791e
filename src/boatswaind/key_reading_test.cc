#include "boatswaind/key_reading.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>

#include "base/directory_for_test.h"
#include "net/run_for_test.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
using net::testing::run_until;

class KeyReadingTest : public ::testing::Test {
  protected:
    KeyReadingTest() {
        std::filesystem::create_directories(keyring);
        write_key("acme", 1);
    }
    void write_key(const std::string& tenant, std::uint8_t number) {
        std::array<std::uint8_t, 32> key{};
        key.fill(number);
        boatswain::testing::write(keyring / (tenant + ".pub"), crypto::Recipient{key}.str() + "\n");
    }
    void ask(KeyReading& reading, bool always) {
        asio::co_spawn(
            io,
            [](KeyReading& from, bool all, std::optional<bool>& to) -> asio::awaitable<void> {
                to = co_await from.refresh(all);
            }(reading, always, changed),
            asio::detached);
    }
    bool answered() {
        return run_until(io, [&] { return changed.has_value(); });
    }

    boatswain::testing::TestDirectory directory;
    Path keyring = directory / "keys";
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    asio::io_context io;
    TenantResolver assigning{parse_tenancy({}).value(),
                             tenancy::Unassigned::quarantine,
                             tenancy::Forged::quarantine,
                             keyring,
                             directory / "keyring.last",
                             100,
                             metrics,
                             log,
                             clock,
                             [] {}};
    std::optional<bool> changed;
};

TEST_F(KeyReadingTest, SaysWhetherKeysChangedEachTimeThatItIsAsked) {
    KeyReading reading{io.get_executor(), assigning};
    for (auto [always, expected] : {std::pair{false, true}, {false, false}, {true, false}}) {
        changed.reset();
        ask(reading, always);
        ASSERT_TRUE(answered());
        EXPECT_EQ(*changed, expected);
        EXPECT_EQ(assigning.tenants(), 1U);
    }
}

// A pipe in the place of what is kept of the last start: whoever opens it waits until there is somebody to write.
TEST_F(KeyReadingTest, TheIoThreadGoesOnWhileADiskMakesTheReadingWait) {
    auto pipe = directory / "keyring.last";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    KeyReading reading{io.get_executor(), assigning};
    ask(reading, false);
    int turns = 0;
    for (int i = 0; i < 100; ++i) asio::post(io, [&] { ++turns; });
    ASSERT_TRUE(run_until(io, [&] { return turns == 100; }));
    EXPECT_FALSE(changed.has_value());
    Fd{::open(pipe.c_str(), O_WRONLY | O_CLOEXEC)};
    ASSERT_TRUE(answered());
    EXPECT_EQ(assigning.tenants(), 1U);
}

}  // namespace
}  // namespace boatswain::boatswaind
