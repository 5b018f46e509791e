// Addresses, leaders and credentials, against servers that do what the test says.
#include "fleet/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/directory_for_test.h"
#include "fleet/systems.h"
#include "store/http_server_for_test.h"

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;
using store::test::HttpServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string without_scheme(const HttpServer& server) { return server.url().substr(5); }  // "//127.0.0.1:1234"

class EndpointTest : public ::testing::Test {
  protected:
    Endpoint& endpoint(std::vector<std::string> addresses, const std::string& credential = "") {
        EndpointOptions options{.name = "Mesos", .addresses = std::move(addresses), .timeout = 20s};
        if (!credential.empty()) options.credential.text = credential;
        made_ = std::make_unique<Endpoint>(std::move(options));
        return *made_;
    }
    HttpServer first, second;

  private:
    std::unique_ptr<Endpoint> made_;
};

TEST_F(EndpointTest, FollowsAMasterThatDoesNotLeadToTheOneThatDoesWithTheSameBody) {
    first.then({.status = 307, .headers = {"Location: " + without_scheme(second) + "/api/v1"}});
    second.then({.body = "{}"});
    auto answer = endpoint({first.url()}).ask("/api/v1", R"({"type":"GET_AGENTS"})");
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(second.seen().at(0).line, "POST /api/v1 HTTP/1.1");
    EXPECT_EQ(second.seen().at(0).body, R"({"type":"GET_AGENTS"})");
}

TEST_F(EndpointTest, SendsItsCredentialToConfiguredAddressesOnly) {
    first.then({.status = 307, .headers = {"Location: " + without_scheme(second) + "/x"}});
    second.then({.status = 401});
    auto answer = endpoint({first.url()}, "basic user:password").ask("/x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().remedy, Remedy::stop);
    EXPECT_THAT(answer.error().what, HasSubstr("not among the given addresses"));
    EXPECT_EQ(first.seen().at(0).headers.at("authorization"), "Basic dXNlcjpwYXNzd29yZA==");
    EXPECT_FALSE(second.seen().at(0).headers.contains("authorization"));

    first.then({.status = 307, .headers = {"Location: " + without_scheme(second) + "/x"}});
    second.then({.body = "{}"});
    EXPECT_TRUE(endpoint({first.url(), second.url()}, "token abc").ask("/x"));
    EXPECT_EQ(second.seen().at(1).headers.at("authorization"), "token=abc");
}

// A variable of the environment while it lives.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_); }

  private:
    const char* name_;
};

TEST_F(EndpointTest, SendsNothingReadableThroughAProxyThatNobodyNamed) {
    HttpServer proxy;
    Variable http{"http_proxy", proxy.url()}, all{"ALL_PROXY", proxy.url()};
    first.then({.body = "{}"}).then({.body = "{}"});
    auto& direct = endpoint({first.url()}, "basic user:password");
    ASSERT_TRUE(direct.ask("/x"));
    ASSERT_TRUE(direct.follow("/x", "", "text/event-stream", 5s, [](std::string_view) { return true; }));
    EXPECT_EQ(proxy.seen().size(), 0U);
    EXPECT_EQ(first.seen().size(), 2U);
}

TEST_F(EndpointTest, GoesThroughTheProxyThatWasNamed) {
    HttpServer proxy;
    Variable none{"no_proxy", "127.0.0.1"};
    proxy.then({.body = "{}"});
    EndpointOptions options{.name = "Marathon", .addresses = {"http://marathon.example:8080"}, .proxy = proxy.url()};
    options.credential.text = "token abc";
    ASSERT_TRUE(Endpoint{std::move(options)}.ask("/x"));
    EXPECT_EQ(proxy.seen().at(0).line, "GET http://marathon.example:8080/x HTTP/1.1");
    EXPECT_EQ(proxy.seen().at(0).headers.at("authorization"), "token=abc");
}

TEST_F(EndpointTest, AsksTheNextAddressWhenOneIsDownOrElecting) {
    first.then({.status = 503});
    second.then({.body = "1"}).then({.body = "2"});
    auto& both = endpoint({"http://127.0.0.1:1", first.url(), second.url()});
    EXPECT_EQ(both.ask("/x").value().body, "1");
    EXPECT_EQ(both.ask("/x").value().body, "2");
    EXPECT_EQ(first.seen().size(), 1U) << "the address that answered is asked first from then on";
}

TEST_F(EndpointTest, SaysThatNobodyLeadsDuringAnElection) {
    first.then({.status = 502});
    auto answer = endpoint({first.url()}).ask("/x");
    EXPECT_EQ(answer.error().remedy, Remedy::back_off);
    EXPECT_THAT(answer.error().what, HasSubstr("elected"));
}

TEST_F(EndpointTest, OrdersOnceAndNeverAgainWhenTheAnswerIsLost) {
    first.then({.cut_after_request = true});
    EXPECT_FALSE(endpoint({first.url(), second.url()}).order("PUT", "/x", "{}"));
    EXPECT_EQ(first.seen().size() + second.seen().size(), 1U);
}

TEST_F(EndpointTest, DoesNotRunInCirclesOrToOtherSchemes) {
    for (int i = 0; i <= redirects_max; ++i) first.then({.status = 302, .headers = {"Location: /x"}});
    EXPECT_THAT(endpoint({first.url()}).ask("/x").error().what, HasSubstr("circles"));
    second.then({.status = 302, .headers = {"Location: file:///etc/passwd"}});
    EXPECT_THAT(endpoint({second.url()}).ask("/x").error().what, HasSubstr("nowhere"));
}

TEST_F(EndpointTest, ReadsTheCredentialAnewEachTime) {
    testing::TestDirectory directory;
    auto file = directory / "auth";
    EndpointOptions options{.name = "Marathon", .addresses = {first.url()}};
    options.credential.file = file;
    Endpoint one{options};
    first.then({.body = "{}"}).then({.body = "{}"});
    for (const char* token : {"old", "new"}) {
        ASSERT_TRUE(write_file_durably(file, "token " + std::string{token} + "\n"));
        ASSERT_TRUE(one.ask("/x"));
    }
    EXPECT_EQ(first.seen().at(0).headers.at("authorization"), "token=old");
    EXPECT_EQ(first.seen().at(1).headers.at("authorization"), "token=new");
}

TEST_F(EndpointTest, HandsOverAStreamAsItComesUntilTheReaderHasEnough) {
    first.then({.body = std::string(100'000, 'x')});
    std::size_t got = 0;
    auto ended = endpoint({first.url()}).follow("/x", "", "text/event-stream", 5s, [&](std::string_view bytes) {
        got += bytes.size();
        return got < 1000;
    });
    EXPECT_TRUE(ended) << ended.error().what;
    EXPECT_GE(got, 1000U);
    EXPECT_LT(got, 100'000U);
}

TEST(Proxy, IsOneAddressWithoutAPassword) {
    EXPECT_EQ(parse_proxy("http://proxy:3128/"), "http://proxy:3128");
    for (const char* wrong : {"", "proxy:3128", "socks5://proxy:1", "http://a:1,http://b:1", "http://a:1/path"})
        EXPECT_FALSE(parse_proxy(wrong)) << wrong;
    auto refused = parse_proxy("http://user:hunter2@proxy:3128");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, Not(HasSubstr("hunter2")));
}

TEST(Credentials, AreOneLineAndNeverToldInErrors) {
    EXPECT_EQ(parse_credential("bearer a.b.c\n"), "Bearer a.b.c");
    for (const char* text : {"", "basic", "basic nocolon-secret", "secret", "token a\nX: secret", "digest a:secret"}) {
        auto refused = parse_credential(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_THAT(refused.error().what, Not(HasSubstr("secret")));
    }
}

TEST(Addresses, AreUrlsWithoutNamesAndPasswords) {
    EXPECT_THAT(parse_addresses("http://a:8080/, https://b/marathon").value(),
                ElementsAre("http://a:8080", "https://b/marathon"));
    for (const char* text : {"", ",", "a:8080", "ftp://a", "http://u:p@a", "http://", "http://a b", "http://a?x"})
        EXPECT_FALSE(parse_addresses(text)) << text;
}

TEST(Origins, AreSchemeHostAndPort) {
    EXPECT_EQ(origin_of("http://Host/x?y"), "http://host:80");
    EXPECT_EQ(origin_of("https://host"), "https://host:443");
    EXPECT_EQ(origin_of("http://[::1]:5050/x"), "http://[::1]:5050");
    EXPECT_EQ(origin_of("http://[::1]/x"), "http://[::1]:80");
    EXPECT_EQ(origin_of("http://trusted@evil/"), "");
    EXPECT_EQ(origin_of("file:///x"), "");
    EXPECT_EQ(resolve("https://a:1/x", "//b:2/y"), "https://b:2/y");
    EXPECT_EQ(resolve("https://a:1/x", "/y"), "https://a:1/y");
    EXPECT_EQ(resolve("https://a:1/x", "y"), "");
}

class MarathonTest : public ::testing::Test {
  protected:
    Result<void> act(Action action) { return Marathon{endpoint, "/infra/boatswain"}.act(action); }
    static std::string deployment(const std::string& action) {
        return R"([{"id":"d1","affectedApps":["/infra/boatswain"],"steps":[{"actions":[{"action":")" + action +
               R"(","app":"/infra/boatswain"}]}]}])";
    }
    void locked_by(const std::string& id) {
        server.then({.status = 409, .body = R"({"message":"App is locked","deployments":[{"id":")" + id + R"("}]})"});
    }
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        for (const auto& one : server.seen()) all.push_back(one.line.substr(0, one.line.rfind(' ')));
        return all;
    }
    HttpServer server;
    Endpoint endpoint{EndpointOptions{.name = "Marathon", .addresses = {server.url()}}};
    const Action scale{.what = ScaleTo{.from = 3, .to = 4, .over = {"d1"}}};
};

TEST_F(MarathonTest, SendsOnlyTheCount) {
    server.then({.body = "{}"});
    EXPECT_TRUE(act(scale));
    EXPECT_THAT(lines(), ElementsAre("PUT /v2/apps/infra/boatswain"));
    EXPECT_EQ(server.seen().at(0).body, R"({"instances":4})");
}

TEST_F(MarathonTest, ForcesOnlyOverScalingsThatThePlanKnew) {
    locked_by("d1");
    server.then({.body = deployment("ScaleApplication")}).then({.body = "{}"});
    EXPECT_TRUE(act(scale));
    EXPECT_THAT(lines(), ElementsAre("PUT /v2/apps/infra/boatswain", "GET /v2/deployments",
                                     "PUT /v2/apps/infra/boatswain?force=true"));
}

TEST_F(MarathonTest, NeverForcesOverAnUpgradeThatBeganMeanwhile) {
    locked_by("d1");
    server.then({.body = deployment("RestartApplication")});
    EXPECT_EQ(act(scale).error().remedy, Remedy::back_off);
    EXPECT_EQ(lines().size(), 2U);
}

TEST_F(MarathonTest, NeverForcesOverADeploymentThatThePlanDidNotKnow) {
    locked_by("d2");
    server.then({.body = deployment("ScaleApplication")});
    EXPECT_EQ(act(scale).error().remedy, Remedy::back_off);
    EXPECT_EQ(lines().size(), 2U);
}

TEST_F(MarathonTest, NamesInstancesAndLowersTheCountInOneDeployment) {
    server.then({.body = "{}"});
    EXPECT_TRUE(act({.what = RemoveInstances{.tasks = {"t1", "t\"2"}, .hosts = {"a", "b"}}}));
    EXPECT_THAT(lines(), ElementsAre("POST /v2/tasks/delete?scale=true"));
    EXPECT_EQ(server.seen().at(0).body, R"({"ids":["t1","t\"2"]})");
}

TEST_F(MarathonTest, TakesWhatIsGoneAlreadyForDone) {
    server.then({.status = 404, .body = R"({"message":"Task 'x' does not exist"})"}).then({.status = 404});
    EXPECT_TRUE(act({.what = ReplaceInstance{.task = "a/../t 1"}}));
    EXPECT_TRUE(act({.what = CancelDeployment{.deployment = "d1"}}));
    EXPECT_THAT(lines(), ElementsAre("DELETE /v2/apps/infra/boatswain/tasks/a%2F..%2Ft%201",
                                     "DELETE /v2/deployments/d1?force=true"));
}

TEST_F(MarathonTest, SaysWhatMarathonSaysOfARefusal) {
    server.then({.status = 422, .body = R"({"message":"Object is not valid","details":[]})"});
    EXPECT_THAT(act(scale).error().what, HasSubstr("422: Object is not valid"));
}

TEST(AppIds, AreCheckedBeforeTheyBecomeAPath) {
    EXPECT_EQ(Marathon::parse_app_id("infra/boatswain"), "/infra/boatswain");
    EXPECT_EQ(Marathon::parse_app_id("/infra/boatswain/"), "/infra/boatswain");
    for (const char* text : {"", "/", "a//b", "a/../b", "A", "a?b", "a b", "a%2f"})
        EXPECT_FALSE(Marathon::parse_app_id(text)) << text;
}

}  // namespace
}  // namespace boatswain::fleet
