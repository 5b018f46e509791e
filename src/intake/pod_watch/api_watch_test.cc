// The watch, against a server on a real socket that answers what a test says.
#include "intake/pod_watch/api_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>

#include "base/directory_for_test.h"
#include "intake/pod_watch/api_server_for_test.h"
#include "net/run_for_test.h"

namespace boatswain::intake::cri {
namespace {

using namespace std::chrono_literals;
using testing::ApiServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Said;

class ApiWatchTest : public ::testing::Test {
  protected:
    void start(std::deque<Said> script) {
        server = std::make_unique<ApiServer>(std::move(script));
        options.url = server->url();
        watch = std::make_unique<ApiWatch>(io.get_executor(), options);
    }
    // Takes what comes, as the intake does: "ROUND LINE", and reaches "v" + the number of lines.
    void turn() {
        while (auto taken = watch->take()) {
            lines.push_back(std::to_string(taken->round) + " " + taken->line);
            watch->reached("v" + std::to_string(lines.size()));
        }
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, [&] {
            turn();
            return condition();
        }));
    }
    std::string query(std::size_t request) { return server->requests().at(request).query; }

    boatswain::testing::TestDirectory directory;
    boost::asio::io_context io;
    ApiWatchOptions options{.node = "node-1", .retry_first = 5ms, .retry_max = 20ms};
    std::unique_ptr<ApiServer> server;
    std::unique_ptr<ApiWatch> watch;
    std::vector<std::string> lines;
};

TEST_F(ApiWatchTest, GoesOnFromWhatWasTakenLast) {
    start({{.body = "a\nb\n"}, {.body = "c\n"}});
    run_until([&] { return server->requests().size() >= 3; });
    EXPECT_THAT(lines, ElementsAre("0 a", "0 b", "0 c"));
    EXPECT_THAT(query(0), HasSubstr("fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0&"));
    EXPECT_THAT(query(0), HasSubstr("watch=1&allowWatchBookmarks=true"));
    EXPECT_THAT(query(1), HasSubstr("resourceVersion=v2&"));
    EXPECT_THAT(query(2), HasSubstr("resourceVersion=v3&"));
    EXPECT_THAT(server->requests()[0].field("accept"), HasSubstr("as=PartialObjectMetadata"));
    EXPECT_EQ(server->requests()[0].field("authorization"), "");
    EXPECT_TRUE(watch->standing().heard);
    EXPECT_EQ(watch->standing().trouble, "");
}

TEST_F(ApiWatchTest, BeginsAgainWhereTheServerHasForgotten) {
    start({{.body = "a\n"}, {.status = 410}, {.body = "b\n", .stays = true}});
    run_until([&] { return lines.size() == 2; });
    EXPECT_THAT(lines, ElementsAre("0 a", "1 b"));
    EXPECT_THAT(query(1), HasSubstr("resourceVersion=v1&"));
    EXPECT_THAT(query(2), HasSubstr("resourceVersion=0&"));
}

TEST_F(ApiWatchTest, BeginsAgainWhenAsked) {
    start({{.body = "a\n", .stays = true}, {.body = "b\n", .stays = true}});
    run_until([&] { return lines.size() == 1; });
    watch->begin_again();
    EXPECT_FALSE(watch->standing().heard);
    run_until([&] { return lines.size() == 2; });
    EXPECT_THAT(lines, ElementsAre("0 a", "1 b"));
    EXPECT_THAT(query(1), HasSubstr("resourceVersion=0&"));
}

TEST_F(ApiWatchTest, SaysWhyItIsRefusedUntilSomethingComes) {
    start({{.status = 403, .body = R"({"kind":"Status","message":"pods is forbidden\u0007"})"}});
    run_until([&] { return server->requests().size() >= 2; });
    EXPECT_EQ(watch->standing().trouble, "HTTP 403: pods is forbidden\\x07");
    EXPECT_FALSE(watch->standing().heard);
}

TEST_F(ApiWatchTest, TriesAgainAfterFailures) {
    start({{.status = 500, .body = "<html>"},
           {.status = 429, .body = "", .fields = {{"Retry-After", "0"}}},
           {.body = "a\n", .stays = true}});
    run_until([&] { return lines.size() == 1; });
    EXPECT_EQ(watch->standing().failures, 2U);
    EXPECT_EQ(watch->standing().trouble, "");
    EXPECT_THAT(lines, ElementsAre("0 a"));
}

TEST_F(ApiWatchTest, EndsWhenAnEventSaysSo) {
    start({{.body = "a\n", .stays = true}});
    run_until([&] { return lines.size() == 1; });
    watch->ended("the server has enough");
    run_until([&] { return server->requests().size() >= 2; });
    EXPECT_EQ(watch->standing().trouble, "the server has enough");
    EXPECT_THAT(query(1), HasSubstr("resourceVersion=v1&"));
}

TEST_F(ApiWatchTest, ReadsItsTokenForEachWatch) {
    options.token_file = directory / "token";
    boatswain::testing::write(options.token_file, "first\n");
    start({{.body = "a\n", .stays = true}});
    run_until([&] { return lines.size() == 1; });
    boatswain::testing::write(options.token_file, "second\n");
    watch->begin_again();
    run_until([&] { return server->requests().size() >= 2; });
    EXPECT_EQ(server->requests()[0].field("authorization"), "Bearer first");
    EXPECT_EQ(server->requests()[1].field("authorization"), "Bearer second");
}

TEST_F(ApiWatchTest, AsksNothingWithoutTheTokenThatItShouldHave) {
    options.token_file = directory / "token";
    start({});
    run_until([&] { return !watch->standing().trouble.empty(); });
    EXPECT_THAT(watch->standing().trouble, HasSubstr("token"));
    boatswain::testing::write(options.token_file, "evil\r\nX-Header: 1");
    run_until([&] { return watch->standing().trouble.ends_with("no token"); });
    EXPECT_THAT(watch->standing().trouble, Not(HasSubstr("evil")));
    EXPECT_TRUE(server->requests().empty());
    boatswain::testing::write(options.token_file, "good");
    run_until([&] { return !server->requests().empty(); });
}

TEST_F(ApiWatchTest, LeavesTheServerAloneWhileMuchWaitsToBeTaken) {
    std::string line(1U << 20, 'x');
    std::string body;
    for (int i = 0; i < 12; ++i) body += line + "\n";
    start({{.body = body, .stays = true}});
    run_until([&] { return lines.size() == 12; });
    for (const auto& one : lines) EXPECT_EQ(one, "0 " + line);
}

TEST_F(ApiWatchTest, LeavesOutALineThatIsTooLong) {
    start({{.body = std::string(watch_line_bytes_max + 1, 'x') + "\nbehind\n", .stays = true}});
    run_until([&] { return lines.size() == 1; });
    EXPECT_THAT(lines, ElementsAre("0 behind"));
    EXPECT_EQ(watch->standing().too_long, 1U);
}

}  // namespace
}  // namespace boatswain::intake::cri
