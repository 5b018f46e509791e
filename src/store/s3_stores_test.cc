// Stores as people run them: each is a row, and one voyage goes through it. A store that keeps what it is given must
// serve; for one that does not, the message must say what a person needs to know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/directory_for_test.h"
#include "crypto/digest.h"
#include "store/credential_process.h"
#include "store/pages.h"
#include "store/s3.h"
#include "store/s3_double_for_test.h"

namespace boatswain::store {
namespace {

using namespace std::chrono_literals;
using test::Habits;
using test::Lists;
using test::S3Double;
using test::ScriptedAnswer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto secret = "the/secret+key";
using Variables = std::map<std::string, std::string>;

Environment look_up(Variables variables) {
    return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
        auto found = variables.find(std::string{name});
        if (found == variables.end() || found->second.empty()) return std::nullopt;
        return found->second;
    };
}

std::string outcome(const Result<PutOutcome>& put) {
    if (!put) return put.error().what;
    switch (*put) {
        case PutOutcome::created: return "created";
        case PutOutcome::already_there: return "already there";
        case PutOutcome::taken: return "taken";
        case PutOutcome::unseen: return "unseen";
    }
    return "?";
}

// The names below `prefix`, page by page, and each once.
std::string listed(Store& store, bool delimited) {
    Pages pages{store, "v1/", delimited};
    std::string names;
    while (pages.more()) {
        auto page = pages.next();
        if (!page) return page.error().what;
        for (const auto& object : page->objects) names += object.key + " ";
        for (const auto& prefix : page->prefixes) names += prefix + " ";
    }
    return names;
}

// All that agents and readers do with a store. Empty when all of it was as it should be.
std::string voyage(Store& store) {
    std::string wrong;
    auto expect = [&](std::string_view what, const std::string& is, const std::string& should) {
        if (is != should) wrong += std::string{what} + ": " + is + "\n";
    };
    auto put = [&](std::string_view key, std::string_view bytes) {
        return outcome(store.put(key, bytes, crypto::sha256(bytes)));
    };
    expect(
        "look",
        [&] {
            auto there = store.probe();
            return there ? "" : there.error().what;
        }(),
        "");
    auto first = put("v1/t=a/1", "bytes of one");  // its answer may have been lost
    if (first != "already there") expect("put", first, "created");
    if (!wrong.empty()) return wrong;
    for (const auto* key : {"v1/t=a/2", "v1/t=b/1", "v1/t=b/2", "v1/t=c/1", "v1/x"})
        expect(key, put(key, key), "created");
    expect("put once more", put("v1/t=a/1", "bytes of one"), "already there");
    expect("put others of this length", put("v1/t=a/1", "bytes of two"), "taken");
    expect("put shorter ones", put("v1/t=a/1", "byte"), "taken");
    expect("put over a longer one", put("v1/t=a/1", std::string(100, 'x')), "taken");
    auto whole = store.read("v1/t=a/1");
    expect("read", whole ? *whole : whole.error().what, "bytes of one");
    auto part = store.read("v1/t=a/1", {.length = 3, .suffix = true});
    expect("read the end", part ? part->bytes + " of " + std::to_string(part->object_size) : part.error().what,
           "one of 12");
    auto nothing = store.read("v1/t=a/1", {.first = 50, .length = 3});
    expect("read beyond the end", nothing ? std::to_string(nothing->object_size) : nothing.error().what, "12");
    expect("list", listed(store, false), "v1/t=a/1 v1/t=a/2 v1/t=b/1 v1/t=b/2 v1/t=c/1 v1/x ");
    auto names = listed(store, true);
    for (const auto* name : {"v1/t=a/ ", "v1/t=b/ ", "v1/t=c/ ", "v1/x "})
        if (names.find(name) == std::string::npos || names.find(name) != names.rfind(name))
            wrong += "list names: " + names;
    return wrong;
}

struct Row {
    std::string store;
    Habits habits{};
    Variables variables{};                                     // in place of the plain keys, when there are any
    std::vector<std::string> said{};                           // empty: it serves
    std::string token{};                                       // that the store wants
    std::vector<std::pair<std::string, std::string>> files{};  // made first; "@/NAME" in variables is their path
};

const Variables plain{{"AWS_ACCESS_KEY_ID", "AKTEST"}, {"AWS_SECRET_ACCESS_KEY", secret}};

class S3Stores : public ::testing::Test {
  protected:
    // What the voyage through the store of this row found wrong.
    std::string sail(const Row& row) {
        for (const auto& [name, text] : row.files) std::ofstream{top_.path() / name} << text;
        S3Double server;
        server.habits = row.habits;
        server.token = row.token;
        auto variables = row.variables.empty() ? plain : row.variables;
        variables.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
        for (auto& [name, value] : variables)
            if (value.starts_with("@/")) value = (top_.path() / value.substr(2)).string();
        auto options = complete({.bucket = "logs", .endpoint = server.url()}, look_up(variables));
        if (!options) return options.error().what;
        options->retry = {.first_delay = 4s, .delay_max = 4s, .deadline = 10s};  // three or four attempts
        options->sleep = [](std::chrono::milliseconds) {};
        SystemClock clock;
        S3Store store{*options, clock};
        return voyage(store);
    }

    void sail_all(const std::vector<Row>& table) {
        for (const auto& row : table) {
            auto wrong = sail(row);
            if (row.said.empty()) EXPECT_EQ(wrong, "") << row.store;
            for (const auto& word : row.said) EXPECT_THAT(wrong, HasSubstr(word)) << row.store;
            EXPECT_THAT(wrong, Not(HasSubstr(secret))) << row.store;
            EXPECT_THAT(wrong, Not(HasSubstr("t0k/en"))) << row.store;
        }
    }

    boatswain::testing::TestDirectory top_;
};

TEST_F(S3Stores, ServeWhateverTheirHabitsAre) {
    sail_all({
        {.store = "as Amazon's"},
        {.store = "the answer to the first put is lost", .habits = {.loses_first_answer = true}},
        {.store = "a proxy in front that leaves Content-Length out of HEAD",
         .habits = {.head_length = "", .loses_first_answer = true}},
        {.store = "the same, and no metadata",
         .habits = {.head_length = "", .keeps_metadata = false, .loses_first_answer = true}},
        {.store = "a proxy in front that says length 0 to HEAD",
         .habits = {.head_length = "0", .loses_first_answer = true}},
        {.store = "no metadata", .habits = {.keeps_metadata = false, .loses_first_answer = true}},
        {.store = "no ranges", .habits = {.knows_ranges = false}},
        {.store = "no ranges and no length", .habits = {.head_length = "", .knows_ranges = false}},
        {.store = "ListObjects of version 1 alone", .habits = {.lists = Lists::version_1}},
        {.store = "version 1, one name a page", .habits = {.lists = Lists::version_1, .page_max = 1}},
        {.store = "version 1, and the last name comes again", .habits = {.lists = Lists::version_1_with_repeats}},
    });
}

TEST_F(S3Stores, AreToldByTheirWordsWhenTheyDoNotServe) {
    sail_all({
        {.store = "a listing that begins again and again",
         .habits = {.lists = Lists::version_1_in_circles},
         .said = {"the listing does not go on", "no token"}},
        {.store = "a listing of another kind",
         .habits = {.lists = Lists::nothing_of_ours},
         .said = {"200", "it is no ListBucketResult", "is the endpoint right?"}},
        {.store = "a put without an ETag",
         .habits = {.keeps_objects = false},
         .said = {"200", "not an answer of an S3 server: it has no ETag"}},
        {.store = "a portal's page",
         .habits = {.always = ScriptedAnswer{.headers = {"Content-Type: text/html"}, .body = "<html>Log in</html>"}},
         .said = {"200", "not an answer of an S3 server", "text/html"}},
        {.store = "XML that is cut off",
         .habits = {.always = ScriptedAnswer{.body = "<ListBucketResult><Contents>"}},
         .said = {"200", "not an answer of an S3 server: the answer is not a listing"}},
    });
}

TEST_F(S3Stores, TakeKeysWithBlanksAndNewlinesAroundThem) {
    const std::string key = "AKTEST", after = std::string{secret} + "\n";
    sail_all({
        {.store = "newlines of echo",
         .variables = {{"AWS_ACCESS_KEY_ID", key + "\n"},
                       {"AWS_SECRET_ACCESS_KEY", after},
                       {"AWS_REGION", "us-east-1\n"}}},
        {.store = "blanks and CRLF",
         .variables = {{"AWS_ACCESS_KEY_ID", " " + key + "\r\n"}, {"AWS_SECRET_ACCESS_KEY", "\t" + after}}},
        {.store = "a session token",
         .variables = {{"AWS_ACCESS_KEY_ID", key},
                       {"AWS_SECRET_ACCESS_KEY", secret},
                       {"AWS_SESSION_TOKEN", "t0k/en\n"}},
         .token = "t0k/en"},
        {.store = "a session token of blanks alone",
         .variables = {{"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", secret}, {"AWS_SESSION_TOKEN", " \n"}}},
        {.store = "a newline in the middle",
         .variables = {{"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", "the\n" + after}},
         .said = {"the secret key holds a blank or newline inside"}},
        {.store = "a token with a blank inside",
         .variables = {{"AWS_ACCESS_KEY_ID", key},
                       {"AWS_SECRET_ACCESS_KEY", secret},
                       {"AWS_SESSION_TOKEN", "t0k/en x"}},
         .said = {"the session token holds a blank or newline inside"}},
        {.store = "quotes that an env file keeps",
         .variables = {{"AWS_ACCESS_KEY_ID", "\"" + key + "\""}, {"AWS_SECRET_ACCESS_KEY", after}},
         .said = {"the access key stands in quotes"}},
        {.store = "a secret in quotes",
         .variables = {{"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", "'" + std::string{secret} + "'"}},
         .said = {"the secret key stands in quotes"}},
        {.store = "a blank that is no ASCII",
         .variables = {{"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", std::string{secret} + "\xC2\xA0"}},
         .said = {"the secret key is malformed: it holds a character that is not printable ASCII"}},
        {.store = "an empty variable beside a full one",
         .variables = {{"AWS_ACCESS_KEY_ID", key}, {"AWS_SECRET_ACCESS_KEY", "\n"}},
         .said = {"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"}},
    });
}

TEST_F(S3Stores, TakeKeysFromTheFilesOfOtherTools) {
    const std::string keys = "aws_access_key_id = AKTEST\naws_secret_access_key = the/secret+key\n";
    auto credentials = [](std::string text, Variables more = {}) {
        more.try_emplace("AWS_SHARED_CREDENTIALS_FILE", "@/credentials");
        return Row{.variables = std::move(more), .files = {{"credentials", std::move(text)}}};
    };
    auto named = [](std::string name, Row row, std::vector<std::string> said = {}) {
        row.store = std::move(name);
        row.said = std::move(said);
        return row;
    };
    auto config = [](std::string text, Variables more = {}) {
        more.try_emplace("AWS_CONFIG_FILE", "@/config");
        return Row{.variables = std::move(more), .files = {{"config", std::move(text)}}};
    };
    sail_all({
        named("plain", credentials("[default]\n" + keys)),
        named("indented keys",
              credentials("[default]\n  aws_access_key_id = AKTEST\n  aws_secret_access_key = the/secret+key\n")),
        named(
            "all indented, with tabs",
            credentials(
                "\t[default]\n\taws_access_key_id = AKTEST\n\taws_secret_access_key = the/secret+key\n\t[b]\n\ta=1\n")),
        named("BOM, CRLF and capitals",
              credentials(
                  "\xEF\xBB\xBF[default]\r\n\tAWS_ACCESS_KEY_ID=AKTEST\r\n\tAWS_SECRET_ACCESS_KEY=the/secret+key\r\n")),
        named("colons", credentials("[default]\naws_access_key_id: AKTEST\naws_secret_access_key: the/secret+key\n")),
        named("a profile twice", credentials("[default]\naws_access_key_id = OLD\n[default]\n" + keys)),
        named("a profile as the other file writes it", credentials("[profile ops]\n" + keys, {{"AWS_PROFILE", "ops"}})),
        named("a profile's name with a newline", credentials("[ops]\n" + keys, {{"AWS_PROFILE", "ops\n"}})),
        named("the profile's older variable", credentials("[ops]\n" + keys, {{"AWS_DEFAULT_PROFILE", "ops"}})),
        named("AWS_PROFILE=default", credentials("[default]\n" + keys, {{"AWS_PROFILE", "default"}})),
        named("an empty AWS_PROFILE", credentials("[default]\n" + keys, {{"AWS_PROFILE", ""}})),
        named("the configuration file", config("[default]\n" + keys)),
        named("its way to write a profile", config("[profile ops]\n" + keys, {{"AWS_PROFILE", "ops"}})),
        named("a profile with blanks", config("[profile \"my ops\"]\n" + keys, {{"AWS_PROFILE", "my ops"}})),
        named("a section there that is no profile", config("[ops]\n" + keys, {{"AWS_PROFILE", "ops"}}),
              {"there is no profile \"ops\" of ", "/config"}),
        named("a file without the profile", credentials("[other]\n" + keys),
              {"there is no profile \"default\" of ", "/credentials"}),
        named("an empty file", credentials(""), {"there is no profile \"default\" of ", "/credentials"}),
        named("a file that is not there", Row{.variables = {{"AWS_SHARED_CREDENTIALS_FILE", "@/nowhere"}}},
              {"there is no file ", "/nowhere"}),
        named("a key that goes on with the one above",
              credentials("[default]\naws_access_key_id = AKTEST\n  aws_secret_access_key = the/secret+key\n"),
              {"line 3 is indented further than the line above", "aws_access_key_id"}),
        named("UTF-16", credentials(std::string{"\xFF\xFE[\0d\0", 6}), {"UTF-16: save it as UTF-8"}),
        named("a role to take on", credentials("[default]\nrole_arn = x\nsource_profile = y\n"),
              {"role_arn is not supported"}),
        named("single sign-on", config("[profile ops]\nsso_session = x\n", {{"AWS_PROFILE", "ops"}}),
              {"profile \"ops\" of ", "sso_session is not supported"}),
        named("quotes",
              credentials("[default]\naws_access_key_id = \"AKTEST\"\naws_secret_access_key = the/secret+key\n"),
              {"the access key stands in quotes"}),
    });
}

TEST_F(S3Stores, TakeKeysFromAProgram) {
    auto process = [](std::string name, std::string script, std::vector<std::string> said = {},
                      std::string token = {}) {
        return Row{.store = std::move(name),
                   .variables = {{"AWS_CONFIG_FILE", "@/config"}},
                   .said = std::move(said),
                   .token = std::move(token),
                   .files = {{"config", "[default]\ncredential_process = " + std::move(script) + "\n"}}};
    };
    const std::string keys = R"("AccessKeyId":"AKTEST","SecretAccessKey":"the/secret+key")";
    sail_all({
        process("printf", "printf '%s' '{\"Version\":1," + keys + "}'"),
        process("a session",
                "echo '{\"Version\":1," + keys + R"(,"SessionToken":"t0k/en","Expiration":"2099-01-01T00:00:00Z"}')",
                {}, "t0k/en"),
        process(
            "a shell, when it is asked for", "sh -c \"echo '{\\\"Version\\\":1," +
                                                 [&] {
                                                     auto escaped = keys;
                                                     for (std::size_t at = 0;
                                                          (at = escaped.find('"', at)) != std::string::npos; at += 2)
                                                         escaped.insert(at, "\\");
                                                     return escaped;
                                                 }() +
                                                 "}' \""),
        process("no version", "echo '{" + keys + "}'", {"credential_process", "\"Version\": 1"}),
        process("another version", "echo '{\"Version\":2," + keys + "}'", {"\"Version\": 1"}),
        process("no JSON", "echo the/secret+key", {"not JSON"}),
        process("an error, and its words kept", "sh -c 'echo the/secret+key >&2; exit 3'",
                {"it ended with status 3", "by hand"}),
        process("a signal", "sh -c 'kill -9 $$'", {"it was ended by signal 9"}),
        process("no such program", "/nowhere/give-keys", {"start \"/nowhere/give-keys\"", "No such file"}),
        process("a quote that is open", "echo 'x", {"a quote ' is not closed"}),
        process("an endless answer", "yes", {"it prints more than 65536 bytes"}),
        process("a time that is none", "echo '{\"Version\":1," + keys + R"(,"Expiration":"soon"}')",
                {"Expiration is not a time"}),
    });
}

TEST_F(S3Stores, TakeKeysFromTheContainersService) {
    test::HttpServer service;
    std::string wants_token, path = "/v1/credentials?x=1";
    service.answer_with([&](const test::SeenRequest& request) -> ScriptedAnswer {
        auto given = request.headers.find("authorization");
        if ((given == request.headers.end() ? "" : given->second) != wants_token)
            return {.status = 401, .body = R"({"code":"InvalidToken","message":"who are you?"})"};
        if (request.line != "GET " + path + " HTTP/1.1") return {.status = 404};
        return {.body = R"({"RoleArn":"r","AccessKeyId":"AKTEST","SecretAccessKey":"the/secret+key\n",)"
                        R"("Token":"t0k/en","Expiration":"2099-01-01T00:00:00Z"})"};
    });
    auto uri = service.url() + path;
    sail_all({{.store = "without a token",
               .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri + "\n"}},
               .token = "t0k/en"}});
    wants_token = "Basic b64 blob";
    sail_all({
        {.store = "with a token",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", wants_token + "\n"}},
         .token = "t0k/en"},
        {.store = "with a token in a file, which wins",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "another"},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "@/token"}},
         .token = "t0k/en",
         .files = {{"token", wants_token + "\r\n"}}},
        {.store = "with a wrong token",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t0k/en"}},
         .said = {"the container's credentials service at " + service.url(), "401 (who are you?)"}},
        {.store = "with a token of two lines",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t0k/en\nX: y"}},
         .said = {"authorization token holds a newline"}},
        {.store = "with a token file that is not there",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "@/none"}},
         .said = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/none"}},
        {.store = "at another host",
         .variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.3/x"}},
         .said = {"http://169.254.170.3/x", "over http only this host is asked"}},
    });
}

TEST(ContainerEndpoint, IsAskedPlainlyOnlyWhereNoOtherHostListens) {
    auto at = [](std::string name, std::string value) -> std::string {
        auto endpoint = container_endpoint(look_up({{std::move(name), std::move(value)}}));
        if (!endpoint) return "refused";
        return endpoint->value_or("none");
    };
    auto full = [&](std::string value) { return at("AWS_CONTAINER_CREDENTIALS_FULL_URI", std::move(value)); };
    for (std::string good :
         {"http://127.0.0.1/x", "http://127.8.8.8:80/x", "http://localhost:1/", "http://[::1]:80/x",
          "http://169.254.170.2", "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials",
          "http://[fd00:ec2:0:0::23]/v1", "https://anybody.example/x?y=z"})
        EXPECT_EQ(full(good), good);
    for (std::string bad :
         {"http://10.0.0.1/x", "http://localhost.example/x", "http://127.0.0.1.example/",
          "http://127.0.0.1@evil.example/", "http://evil.example#@127.0.0.1/", "http://evil.example\\@127.0.0.1/",
          "http://[fd00:ec2::24]/", "http:///x", "http://127.0.0.1:x/", "http://2130706433/", "http://0x7f.1/",
          "ftp://127.0.0.1/", "127.0.0.1/x", "https://", "https://a b/", "http://127.0.0.1/\nx", "http://[::1/x",
          "http://[::ffff:10.0.0.1]/", "https://u:p@host/"})
        EXPECT_EQ(full(bad), "refused") << bad;
    auto relative = [&](std::string value) { return at("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", std::move(value)); };
    EXPECT_EQ(relative("/v2/credentials/id?a=b\n"), "http://169.254.170.2/v2/credentials/id?a=b");
    for (std::string bad : {"v2/x", "@evil.example/", ".evil.example/", ":80@x/", "/a b"})
        EXPECT_EQ(relative(bad), "refused");
    EXPECT_EQ(relative(" "), "none");
}

TEST(CredentialProcess, EndsWithItsChildrenWhenItsTimeIsOver) {
    auto began = std::chrono::steady_clock::now();
    auto found = from_process("sh -c 'sleep 30 & sleep 30'", "here", "", 300ms);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().what, "here: credential_process: it does not end in time");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST(CredentialProcess, IsNotStartedWhereNoProgramMayBe) {
    auto found = from_process("touch /nowhere", "here", "the agent starts no program");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().remedy, Remedy::stop);
    EXPECT_EQ(found.error().what, "here: credential_process: the agent starts no program");
}

TEST(CredentialProcess, IsSplitIntoWordsAsAShellDoes) {
    auto words = [](std::string_view command) {
        auto split = split_words(command);
        if (!split) return "error: " + split.error().what;
        std::string text;
        for (const auto& word : *split) text += "<" + word + ">";
        return text;
    };
    EXPECT_EQ(words("  /opt/a  b\t'c d' \"e 'f'\" g\\ h '' \"i\\\"j\\\\k\\l\""),
              "</opt/a><b><c d><e 'f'><g h><><i\"j\\k\\l>");
    EXPECT_EQ(words("a; b | c $HOME `d`"), "<a;><b><|><c><$HOME><`d`>") << "nothing else of a shell";
    EXPECT_EQ(words(" "), "");
    EXPECT_EQ(words("a \"b"), "error: a quote \" is not closed");
    EXPECT_EQ(words("a \\"), "error: a backslash stands at its end");
}

}  // namespace
}  // namespace boatswain::store
