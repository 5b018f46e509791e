#include "boatswain/values.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

using ::testing::ElementsAre;

TEST_F(Tool, ValuesOffersTenantsAppsAndContainers) {
    put_example();
    EXPECT_EQ(run("boatswain --values tenant boatswain logs --store dir:store --tenant").out, "acme\nglobex\n")
        << "no key is needed";
    const std::string typed = "boatswain logs --store dir:store -i acme.key ";
    EXPECT_EQ(run("boatswain --values app " + typed + "--app").out, "shop/cart\nshop/db\n");
    EXPECT_EQ(run("boatswain --values container " + typed).out, "cart-1\ndb-1\n");
    EXPECT_EQ(run("boatswain --values app " + typed + "--tenant globex").out, "") << "whose key is not there";
    EXPECT_EQ(run("BOATSWAIN_STORE=dir:store BOATSWAIN_IDENTITY=globex.key boatswain --values app boatswain").out,
              "web\n");
}

TEST_F(Tool, ValuesSaysNothingOfTrouble) {
    for (const char* typed : {"", "app", "tenant boatswain logs --store dir:nowhere", "app boatswain --store", "x y z",
                              "app boatswain logs --store dir:store -i nowhere.key"}) {
        auto ran = run(std::string{"boatswain --values "} + typed);
        EXPECT_EQ(ran.out + ran.err, "") << typed;
        EXPECT_EQ(ran.code, 0) << typed;
    }
}

TEST_F(Tool, ValuesNeverGiveAShellMoreThanAWord) {
    for (const char* name : {"$(reboot)", "a b", "a;b", "`x`", "a\nb", "a'b", "-rf", "a*", "~", "a\\b", "caf\xc3\xa9"})
        EXPECT_FALSE(is_plain_word(name)) << name;
    for (const char* name : {"shop/cart", "web-1", "a.b_c", "user@host"}) EXPECT_TRUE(is_plain_word(name)) << name;
    put(key("acme", ten, 1), {{source("acme", "$(touch owned)", "web-1"), {{ten, "x"}}}}, acme_);
    EXPECT_EQ(run("boatswain --values app boatswain --store dir:store -i acme.key").out, "");
}

TEST(Values, WordsAreTakenAsAShellHasThem) {
    auto request = values_request({"app", "boatswain", "logs", "--store", "s3", ":", "//b/p?endpoint", "=", "http", ":",
                                   "//h", "-i", "a.key", "--identity", "=", "'b c.key'", "--tenant", "acme", "--app"});
    EXPECT_EQ(request.kind, "app");
    EXPECT_EQ(request.store, "s3://b/p?endpoint=http://h");
    EXPECT_THAT(request.identities, ElementsAre("a.key", "b c.key"));
    EXPECT_EQ(request.tenant, "acme");
    EXPECT_EQ(values_request({"app", "--store=dir:x"}).store, "dir:x");
}

// Connections are taken by the system, and nobody answers.
TEST_F(Tool, ValuesWaitsTwoSecondsForAStoreThatDoesNotAnswer) {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 8), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    auto began = std::chrono::steady_clock::now();
    auto ran =
        run("AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b boatswain --values tenant boatswain logs --store "
            "'s3://bucket/p?region=r&path_style=true&endpoint=http://127.0.0.1:" +
            std::to_string(ntohs(address.sin_port)) + "' --tenant");
    auto took = std::chrono::steady_clock::now() - began;
    ::close(listener);
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out + ran.err, "");
    EXPECT_GE(took, seconds{1}) << "it did ask";
    EXPECT_LT(took, seconds{20});
}

}  // namespace
}  // namespace boatswain::tool
