#include "api/turns.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace boatswain::api {
namespace {

namespace asio = boost::asio;

class TurnsTest : public testing::Test {
  protected:
    // Asks for a turn of `tenant` and keeps it until end_of(name).
    void ask(const std::string& name, const char* tenant, std::size_t running_max = 2) {
        auto asking = [](TurnsTest& test, std::string of, TenantId whose, std::size_t most) -> asio::awaitable<void> {
            auto turn = co_await test.turns.take(std::move(whose), most);
            if (!turn->has_value()) {
                test.said.push_back(of + " refused");
                co_return;
            }
            test.said.push_back(of + " runs");
            test.held.emplace(of, std::move(**turn));
        };
        auto& stop = stops[name];
        asio::co_spawn(io, asking(*this, name, TenantId::parse(tenant).value(), running_max),
                       asio::bind_cancellation_slot(stop.slot(), [](const std::exception_ptr&) {}));
        run();
    }
    void end_of(const std::string& name) {
        held.erase(name);
        run();
    }
    void run() {
        io.restart();
        io.poll();
    }
    std::vector<std::string> heard() { return std::exchange(said, {}); }

    using Said = std::vector<std::string>;
    asio::io_context io;
    Turns turns{io.get_executor(), 2};
    std::vector<std::string> said;
    std::map<std::string, asio::cancellation_signal> stops;
    std::map<std::string, Turns::Turn> held;
};

TEST_F(TurnsTest, SomeRunSomeWaitAndTheRestIsRefused) {
    for (const char* name : {"1", "2", "3", "4", "5"}) ask(name, "acme");
    EXPECT_EQ(heard(), (Said{"1 runs", "2 runs", "5 refused"}));
    ask("other", "globex");
    EXPECT_EQ(heard(), Said{"other runs"});
    end_of("1");
    EXPECT_EQ(heard(), Said{"3 runs"}) << "in the order of asking";
    end_of("3");
    EXPECT_EQ(heard(), Said{"4 runs"});
    end_of("2");
    end_of("4");
    ask("6", "acme", 1);
    ask("7", "acme", 1);
    EXPECT_EQ(heard(), Said{"6 runs"});
}

TEST_F(TurnsTest, WhoLeavesTheLineTakesNoTurnAlong) {
    for (const char* name : {"1", "2", "3", "4"}) ask(name, "acme");
    heard();
    stops["3"].emit(asio::cancellation_type::terminal);
    run();
    end_of("1");
    EXPECT_EQ(heard(), Said{"4 runs"});
    end_of("2");
    end_of("4");
    ask("5", "acme", 1);
    EXPECT_EQ(heard(), Said{"5 runs"}) << "nothing is counted that does not run";
}

// Called and cancelled at the same moment, before it could go on.
TEST_F(TurnsTest, ATurnGivenToWhoLeavesIsHandedOn) {
    for (const char* name : {"1", "2", "3", "4"}) ask(name, "acme");
    heard();
    held.erase("1");  // calls 3, which does not run yet
    stops["3"].emit(asio::cancellation_type::terminal);
    run();
    auto said_now = heard();
    if (said_now == Said{"3 runs"}) {  // it was called first: then its turn is its own until it ends
        end_of("3");
        said_now = heard();
    }
    EXPECT_EQ(said_now, Said{"4 runs"});
}

}  // namespace
}  // namespace boatswain::api
