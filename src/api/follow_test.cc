// Following over HTTP: history, then what comes; who may, and for how long.
#include "api/api_for_test.h"

namespace boatswain::api {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class FollowTest : public testing::ApiTest {
  protected:
    // A connection that follows, behind the head of its answer.
    std::unique_ptr<testing::Peer> follow(const std::string& query, const std::string& who,
                                          const std::string& start = "2026-11-23T09:00:00Z") {
        if (!serving) start_serving();
        auto peer = std::make_unique<testing::Peer>(*serving);
        peer->send("GET /boatswain/api/v1/follow?query=" + percent_encode(query) + "&start=" + start +
                   "&end=2026-11-23T11:00:00Z HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n"
                   "Authorization: Bearer " +
                   who + "\r\n\r\n");
        return peer;
    }
    void start_serving() { start(); }
};

TEST_F(FollowTest, GivesHistoryAndThenWhatReachesTheStoreOfTheTenantAlone) {
    auto peer = follow(testing::everything, of_acme);
    auto head = peer->read_until("\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("200 OK"));
    EXPECT_THAT(head, HasSubstr("application/x-ndjson"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Encoding"))) << "who follows does not wait for a compressor";
    auto history = peer->read_until(R"("kind":"live","hosts":0})");
    EXPECT_THAT(history, HasSubstr("no stock"));
    EXPECT_THAT(history, HasSubstr(R"("kind":"gap")"));
    EXPECT_THAT(history, Not(HasSubstr("globex")));
}

TEST_F(FollowTest, AnswersNobodyWithoutATokenAndRefusesNumbers) {
    EXPECT_THAT(get("/boatswain/api/v1/follow?query=%7Bapp%3D%22x%22%7D", ""), HasSubstr("401"));
    EXPECT_THAT(get("/boatswain/api/v1/follow?query=" + percent_encode(R"(count_over_time({app="x"}[1m]))"), of_acme),
                HasSubstr("only queries for lines can be followed"));
    EXPECT_THAT(get("/boatswain/api/v1/follow?query=nonsense", of_acme), HasSubstr("parse error"));
}

TEST_F(FollowTest, OneTenantDoesNotTakeEveryPlace) {
    options.followers_of_a_tenant = 1;
    auto first = follow(testing::everything, of_acme);
    first->read_until(R"("kind":"live")");
    EXPECT_THAT(follow(testing::everything, of_acme)->read_until("\r\n\r\n"), HasSubstr("429"));
    EXPECT_THAT(follow(testing::everything, of_globex)->read_until("\r\n\r\n"), HasSubstr("200"));
}

TEST_F(FollowTest, ATokenThatIsRevokedEndsIt) {
    auto peer = follow(testing::everything, of_acme);
    peer->read_until(R"("kind":"live")");
    EXPECT_TRUE(change_tokens(place / "tokens", [](std::vector<Token>& all) -> Result<void> {
        all.clear();
        return {};
    }));
    auto rest = peer->read(15s);
    EXPECT_THAT(rest, HasSubstr(R"("kind":"done","reason":"the token is not valid any more")"));
    EXPECT_THAT(rest, Not(HasSubstr("(open)")));
}

// One that is narrowed, or given to another tenant, is as if it were revoked.
TEST_F(FollowTest, ATokenThatIsForOtherAppsNowEndsIt) {
    auto peer = follow(testing::everything, of_acme);
    peer->read_until(R"("kind":"live")");
    EXPECT_TRUE(change_tokens(place / "tokens", [](std::vector<Token>& all) -> Result<void> {
        for (auto& token : all) token.apps = {"another"};
        return {};
    }));
    EXPECT_THAT(peer->read(15s), HasSubstr(R"("kind":"done","reason":"the token is not valid any more")"));
}

TEST_F(FollowTest, TheServersEndEndsItAtOnce) {
    auto peer = follow(testing::everything, of_acme);
    peer->read_until(R"("kind":"live")");
    auto began = std::chrono::steady_clock::now();
    api->end();
    serving->begin_stop();
    EXPECT_THAT(peer->read(), HasSubstr("the server ends"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

}  // namespace
}  // namespace boatswain::api
