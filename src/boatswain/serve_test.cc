// `boatswain serve` and `boatswain token` as people run them, asked by curl.
#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

class ServeTest : public Tool {
  protected:
    // Runs `asks` while a server answers at the socket `s`; `api PATH...` asks as acme, and `as TOKEN PATH...` as
    // somebody.
    Ran while_serving(const std::string& options, const std::string& asks) {
        return run("exec 3>&1; '" + tool_path +
                   "' serve --listen \"unix:$PWD/s\" --store dir:store --identities keys --tokens tokens " + options +
                   " 2> serve.log & served=$!\n"
                   "for i in $(seq 1500); do [ -S s ] && break; kill -0 $served || break; sleep 0.02; done\n"
                   "as() { token=$1; shift; curl -s --noproxy '*' --unix-socket s -H \"Authorization: Bearer $token\" "
                   "-G \"$@\"; }\n"
                   "api() { as \"$(cat acme.token)\" \"$@\"; }\n" +
                   asks + "\nkill $served; wait $served; echo \"ended $?\"");
    }
    void prepare() {
        put_example();
        ASSERT_EQ(run("mkdir keys && cp acme.key globex.key keys/").code, 0);
        auto made = run("boatswain token new acme --tokens tokens > acme.token");
        ASSERT_EQ(made.code, 0) << made.err;
    }
};

TEST_F(ServeTest, AnswersLinesNumbersAndLabelsToATokensTenant) {
    prepare();
    auto ran = while_serving("", R"sh(
        range="-d start=1795424400 -d end=1795435201"
        api http://x/loki/api/v1/query_range --data-urlencode 'query={app=~".+"} |= "s"' $range
        api http://x/loki/api/v1/query_range --data-urlencode 'query=sum(count_over_time({app=~".+"}[3h]))' $range -d step=3h
        api http://x/loki/api/v1/label/app/values $range
        as wrong http://x/loki/api/v1/labels
        curl -s --noproxy '*' --unix-socket s http://x/ready)sh");
    EXPECT_THAT(ran.out, AllOf(HasSubstr(R"(["1795435200000000000","stopped"])"), HasSubstr("no stock of article 7"),
                               HasSubstr(R"("resultType":"matrix","result":[{"metric":{},"values":[)"),
                               HasSubstr("{\"status\":\"success\",\"data\":[\"shop/cart\",\"shop/db\"]}\n"),
                               HasSubstr("unauthorized\nready\nended 0\n"), Not(HasSubstr("hello"))))
        << read("serve.log");
    EXPECT_THAT(read("serve.log"), AllOf(HasSubstr("serving address="), HasSubstr("route=query_range"),
                                         HasSubstr("ended"), Not(HasSubstr("stock")), Not(HasSubstr("bst_"))));
}

TEST_F(ServeTest, TakesANewTokenAndRefusesARevokedOneWhileItRuns) {
    prepare();
    auto ran = while_serving("", "boatswain() { '" + tool_path + R"sh(' "$@"; }
        boatswain token new globex --tokens tokens --app web > globex.token 2>/dev/null
        for i in $(seq 200); do kill -0 $served || break; as "$(cat globex.token)" http://x/loki/api/v1/labels | grep -q success && echo taken && break; sleep 0.05; done
        id=$(boatswain token list --tokens tokens --json | grep globex | cut -d'"' -f4)
        boatswain token revoke $id --tokens tokens
        for i in $(seq 200); do kill -0 $served || break; as "$(cat globex.token)" http://x/loki/api/v1/labels | grep -q unauthorized && echo refused && break; sleep 0.05; done)sh");
    EXPECT_EQ(ran.out, "taken\nrefused\nended 0\n") << ran.err << read("serve.log");
}

TEST_F(ServeTest, TakesATokenThatAPlatformSigned) {
    prepare();
    ASSERT_EQ(run("printf '0123456789abcdef0123456789abcdef\\n' > signing.key && chmod 600 signing.key").code, 0);
    auto ran = while_serving("--signing-keys signing.key", R"sh(
        boatswain() { ')sh" + tool_path + R"sh(' "$@"; }
        as "$(boatswain token sign acme --key signing.key --app shop/db --subject u7)" \
            http://x/loki/api/v1/label/app/values -d start=1795424400 -d end=1795435201
        as "$(boatswain token sign acme --key signing.key)x" http://x/loki/api/v1/labels)sh");
    EXPECT_EQ(ran.out, "{\"status\":\"success\",\"data\":[\"shop/db\"]}\nunauthorized\nended 0\n") << read("serve.log");
    EXPECT_THAT(run("boatswain token sign acme --key signing.key --expires 25h").err, HasSubstr("at most 24h"));
    EXPECT_EQ(run("boatswain token sign _unassigned --key signing.key").code, 2);
    EXPECT_THAT(run("boatswain token sign acme --key signing.key --link https://logs.example").out,
                ::testing::StartsWith("https://logs.example/#token=eyJ"));
    EXPECT_THAT(run("boatswain token sign acme --key signing.key --link https://logs.example/embed").out,
                ::testing::StartsWith("https://logs.example/embed#token=eyJ"));
    for (const char* odd : {"logs.example", "javascript:x", "https://x/#a", "https://x/?a"})
        EXPECT_EQ(run("boatswain token sign acme --key signing.key --link '" + std::string{odd} + "'").code, 2) << odd;
}

TEST_F(ServeTest, GivesAnOperatorATokenThatReadsNoLines) {
    prepare();
    ASSERT_EQ(run("boatswain token new --operator --tokens tokens > operator.token").code, 0);
    EXPECT_THAT(run("boatswain token list --tokens tokens").out, HasSubstr("(operator)"));
    EXPECT_EQ(run("boatswain token new acme --operator --tokens tokens").code, 2);
    EXPECT_EQ(run("boatswain token new --operator --app web --tokens tokens").code, 2);
    EXPECT_EQ(run("boatswain token new --tokens tokens").code, 2);
    auto ran = while_serving("", R"sh(
        as "$(cat operator.token)" http://x/boatswain/api/v1/fleet | cut -c1-8
        as "$(cat operator.token)" http://x/loki/api/v1/labels
        api http://x/boatswain/api/v1/fleet)sh");
    EXPECT_EQ(ran.out, "{\"time\":\nunauthorized\nunauthorized\nended 0\n") << read("serve.log");
}

TEST_F(ServeTest, ChecksWhatItWouldServeWith) {
    prepare();
    auto check = [&](const std::string& options) {
        return run("boatswain serve --check --store dir:store --identities keys --tokens tokens " + options);
    };
    EXPECT_EQ(check("").out, "ready to serve: 2 keys, 1 token, without TLS\n");
    EXPECT_THAT(check("--tls-certificate nowhere.pem --tls-key nowhere.pem").err, HasSubstr("nowhere.pem"));
    EXPECT_THAT(run("boatswain serve --check --store dir:store --identities keys --tokens acme.token").err,
                AllOf(HasSubstr("acme.token"), Not(HasSubstr("bst_"))));
    write("limits", "acme queries=soon\n");
    EXPECT_THAT(check("--limits limits").err, HasSubstr("limits: line 1: \"queries=soon\" is none of queries=N"));
    EXPECT_THAT(check("--audit store").err, HasSubstr("open store"));
    write("keys/odd.key", "no identity\n");
    EXPECT_EQ(check("").code, 1);
}

TEST_F(ServeTest, RefusesCommandLinesThatWouldTellSecrets) {
    auto refuses = [&](const std::string& options, const std::string& because) {
        auto ran = run("boatswain serve " + options);
        EXPECT_EQ(ran.code, 2) << options;
        EXPECT_THAT(ran.err, HasSubstr(because)) << options;
    };
    std::string all = "--store dir:store --identities keys --tokens tokens ";
    refuses("", "which store?");
    refuses("--store dir:store", "give --identities DIR");
    refuses("--store dir:store --identities keys", "Give --tokens FILE");
    refuses(all + "--end-to-end", "--end-to-end is a server without keys");
    refuses(all + "--listen 0.0.0.0:3100", "would travel in clear");
    refuses(all + "--tls-key key.pem", "belong together");
    refuses(all + "--memory 1MiB", "--memory: \"1MiB\" is not a size of at least 16MiB");
    refuses(all + "--timeout soon", "--timeout: \"soon\" is not a time");
    EXPECT_EQ(run("boatswain token new _unassigned --tokens tokens").code, 2);
    EXPECT_EQ(run("boatswain token new acme --tokens tokens --expires soon").code, 2);
    EXPECT_EQ(run("boatswain token revoke 00000000 --tokens tokens").code, 1);
}

}  // namespace
}  // namespace boatswain::tool
