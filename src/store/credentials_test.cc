#include "store/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "http/client/http_client.h"
#include "store/credential_sources.h"
#include "store/http_server_for_test.h"
#include "store/shared_profile.h"

namespace boatswain::store {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::HttpServer;
using testing::HasSubstr;
using testing::Not;

const auto start = *parse_time("2026-11-23T10:00:00Z");

// --- the shared credentials file ---

std::string keys_in(std::string_view text, std::string_view name = "default",
                    SharedFile file = SharedFile::credentials) {
    auto profile = parse_profile(text, name, file);
    if (!profile) return "error: " + profile.error().what;
    if (!profile->found) return "none";
    auto& keys = profile->credentials;
    if (auto problem = tidy(keys)) return "error: " + *problem;
    return keys.access_key + ":" + std::string{keys.secret_key.view()} + ":" + std::string{keys.session_token.view()};
}

TEST(SharedCredentials, AreThoseOfTheProfile) {
    constexpr auto file =
        "[default]\naws_access_key_id = AK1\naws_secret_access_key = s1\n\n"
        "[other]\naws_access_key_id=AK2\naws_secret_access_key=s2\naws_session_token=t2\n";
    EXPECT_EQ(keys_in(file), "AK1:s1:");
    EXPECT_EQ(keys_in(file, "other"), "AK2:s2:t2");
    EXPECT_EQ(keys_in(file, "third"), "none");
}

TEST(SharedCredentials, AreReadFromFilesThatPeopleHaveEdited) {
    EXPECT_EQ(keys_in("\xEF\xBB\xBF[default]\r\nAWS_ACCESS_KEY_ID=AK\r\n  \r\naws_secret_access_key\t=\ta/b+c==\r\n"),
              "AK:a/b+c==:")
        << "BOM, CRLF, capitals";
    EXPECT_EQ(keys_in("# c\n;d\n[ default ] # mine\naws_access_key_id = AK ; old\naws_secret_access_key = s#1 # new"),
              "AK:s#1:")
        << "comments, no last newline";
    EXPECT_EQ(keys_in("[profile default]\naws_access_key_id=AK\naws_secret_access_key=s"), "AK:s:");
    EXPECT_EQ(
        keys_in(
            "stray = 1\n[default]\ns3 =\n  aws_access_key_id = nested\naws_access_key_id=AK\naws_secret_access_key=s"),
        "AK:s:")
        << "nested settings";
    EXPECT_EQ(keys_in("[default]\naws_access_key_id=old\naws_secret_access_key=s\naws_access_key_id=AK"), "AK:s:")
        << "the last one counts";
    EXPECT_EQ(keys_in("[a]\naws_access_key_id=AK\n[default]\n[a]\naws_secret_access_key=s\n", "a"), "AK:s:")
        << "a profile in two pieces";
}

TEST(SharedCredentials, SayWhatIsWrongWithoutTheSecret) {
    EXPECT_THAT(keys_in("[default]\naws_access_key_id=AK"), HasSubstr("error: the secret key is missing"));
    EXPECT_THAT(keys_in("[default]\naws_secret_access_key=geheim"), HasSubstr("the access key is missing"));
    EXPECT_THAT(keys_in("[default\naws_access_key_id=AK"), HasSubstr("line 1 starts with '['"));
    auto said = keys_in("[default]\naws_access_key_id=AK\ngeheim");
    EXPECT_THAT(said, HasSubstr("line 3 is no NAME = VALUE"));
    EXPECT_THAT(said, Not(HasSubstr("geheim")));
    said = keys_in("[default]\naws_access_key_id=AK\naws_secret_access_key=ge heim");
    EXPECT_THAT(said, HasSubstr("secret key holds a blank"));
    EXPECT_THAT(said, Not(HasSubstr("heim")));
    EXPECT_THAT(keys_in("[default]\naws_access_key_id=A\0K\naws_secret_access_key=s"sv), HasSubstr("malformed"));
    EXPECT_EQ(keys_in(""), "none");
}

// --- the chain ---

class Chain : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/credentials_test.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        top = name;
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
    }
    void TearDown() override { std::filesystem::remove_all(top); }

    void write(const std::string& name, std::string_view text) { std::ofstream{top / name} << text; }
    Path use_file(std::string_view text) {
        write("credentials", text);
        environment["AWS_SHARED_CREDENTIALS_FILE"] = (top / "credentials").string();
        return top / "credentials";
    }
    void use_metadata_of(const HttpServer& server) {
        environment.erase("AWS_EC2_METADATA_DISABLED");
        environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url();
    }
    CredentialChain& chain(std::optional<std::string> profile = {}) {
        if (!chain_) {
            auto look_up = [this](std::string_view variable) -> std::optional<std::string> {
                auto found = environment.find(std::string{variable});
                return found == environment.end() ? std::nullopt : std::optional{found->second};
            };
            chain_ = std::make_unique<CredentialChain>(
                http, clock, look_up, CredentialOptions{.profile = std::move(profile), .region = "us-east-1"});
        }
        return *chain_;
    }
    std::string key() {
        auto found = chain().get();
        return found ? found->access_key : "error: " + found.error().what;
    }

    Path top;
    std::map<std::string, std::string> environment;
    HttpClient http{{}};
    SimulatedClock clock{start};
    std::unique_ptr<CredentialChain> chain_;
};

void script_metadata(HttpServer& server, const std::string& access_key, const std::string& expiration) {
    server.then({.body = "TOKEN\n"})
        .then({.body = "the role\nanother"})
        .then({.body = R"({"Code":"Success","AccessKeyId":")" + access_key +
                       R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + expiration + "\"}"});
}

TEST_F(Chain, TakesTheEnvironmentFirst) {
    use_file("[default]\naws_access_key_id=FILE\naws_secret_access_key=s");
    environment["AWS_ACCESS_KEY_ID"] = "ENV";
    environment["AWS_SECRET_ACCESS_KEY"] = "s";
    environment["AWS_SESSION_TOKEN"] = "t";
    auto found = chain().get();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->access_key, "ENV");
    EXPECT_EQ(found->session_token.view(), "t");
    EXPECT_EQ(found->source, "the environment");
}

TEST_F(Chain, TakesAProfileThatTheUrlNamesBeforeTheEnvironment) {
    use_file("[p]\naws_access_key_id=FILE\naws_secret_access_key=s");
    environment["AWS_ACCESS_KEY_ID"] = "ENV";
    environment["AWS_SECRET_ACCESS_KEY"] = "s";
    chain("p");
    EXPECT_EQ(key(), "FILE");
}

TEST_F(Chain, SaysWhichHalfOfAPairIsMissing) {
    environment["AWS_ACCESS_KEY_ID"] = "ENV";
    EXPECT_THAT(key(), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
}

TEST_F(Chain, SaysWhereCredentialsCouldHaveBeen) {
    auto found = chain().get();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().remedy, Remedy::stop);
    EXPECT_THAT(found.error().what, HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST_F(Chain, NamesAMissingProfileAndItsFile) {
    auto path = use_file("[default]\naws_access_key_id=FILE\naws_secret_access_key=s");
    environment["AWS_PROFILE"] = "ops";
    EXPECT_THAT(key(), HasSubstr("there is no profile \"ops\" of " + path.string()));
}

TEST_F(Chain, NamesAFileThatIsNamedAndMissing) {
    environment["AWS_SHARED_CREDENTIALS_FILE"] = (top / "nowhere").string();
    EXPECT_THAT(key(), HasSubstr((top / "nowhere").string()));
}

TEST_F(Chain, ReadsAFileAgainAfterAWhileAndWhenItsKeysWereRefused) {
    use_file("[default]\naws_access_key_id=OLD\naws_secret_access_key=s");
    EXPECT_EQ(key(), "OLD");
    use_file("[default]\naws_access_key_id=NEW\naws_secret_access_key=s");
    EXPECT_EQ(key(), "OLD");
    chain().refused({.access_key = "SOMEBODY ELSE"});
    EXPECT_EQ(key(), "OLD");
    chain().refused({.access_key = "OLD"});
    EXPECT_EQ(key(), "NEW");
    use_file("[default]\naws_access_key_id=NEWER\naws_secret_access_key=s");
    clock.advance(CredentialChain::reread_after);
    EXPECT_EQ(key(), "NEWER");
}

TEST_F(Chain, GoesOnWithWhatItHasWhileTheSourceFails) {
    use_file("[default]\naws_access_key_id=OLD\naws_secret_access_key=s");
    EXPECT_EQ(key(), "OLD");
    use_file("[default]\n");
    clock.advance(CredentialChain::reread_after);
    EXPECT_EQ(key(), "OLD");
}

TEST_F(Chain, DancesTheThreeStepsOfInstanceMetadata) {
    HttpServer server;
    use_metadata_of(server);
    script_metadata(server, "IMDS", "2026-11-23T16:00:00Z");
    EXPECT_EQ(key(), "IMDS");
    EXPECT_EQ(key(), "IMDS");
    auto seen = server.seen();
    ASSERT_EQ(seen.size(), 3U) << "kept until they are about to expire";
    EXPECT_EQ(seen[0].line, "PUT /latest/api/token HTTP/1.1");
    EXPECT_EQ(seen[0].headers["x-aws-ec2-metadata-token-ttl-seconds"], "21600");
    EXPECT_EQ(seen[1].line, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1");
    EXPECT_EQ(seen[1].headers["x-aws-ec2-metadata-token"], "TOKEN");
    EXPECT_EQ(seen[2].line, "GET /latest/meta-data/iam/security-credentials/the%20role HTTP/1.1");
}

TEST_F(Chain, RenewsMinutesBeforeExpiryAndKeepsTheOldOnesWhenThatFails) {
    HttpServer server;
    use_metadata_of(server);
    script_metadata(server, "FIRST", "2026-11-23T16:00:00Z");
    EXPECT_EQ(key(), "FIRST");
    clock.advance(6h - 4min);
    server.then({.status = 503});
    EXPECT_EQ(key(), "FIRST") << "still valid for minutes, and the service has hiccups";
    script_metadata(server, "SECOND", "2026-11-23T22:00:00Z");
    clock.advance(CredentialChain::ask_again_after);
    EXPECT_EQ(key(), "SECOND");
    clock.advance(7h);
    auto found = chain().get();  // the script is over: 500
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().remedy, Remedy::back_off);
}

TEST_F(Chain, DoesNotTakeNonsenseForInstanceMetadata) {
    for (std::string body :
         {"", "not json", "[]", "{\"Code\":\"Failed\"}", "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
          "{\"AccessKeyId\":\"A\\r\\nX: "
          "y\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2026-11-23T16:00:00Z\"}",
          "{\"AccessKeyId\":5,\"SecretAccessKey\":\"s\"}"}) {
        HttpServer server;
        use_metadata_of(server);
        chain_.reset();
        server.then({.body = "T"}).then({.body = "role"}).then({.body = body});
        EXPECT_THAT(key(), HasSubstr("error: instance metadata at " + server.url())) << body;
    }
}

TEST_F(Chain, ExchangesAWebIdentityForARole) {
    HttpServer sts;
    write("token", "eyJ.a+b/c.d\n");
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (top / "token").string();
    environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/logs";
    environment["AWS_ENDPOINT_URL_STS"] = sts.url() + "/";
    sts.then({.body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>"
                      "WEB</AccessKeyId>"
                      "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
                      "SessionToken><Expiration>2026-11-23T11:00:00Z</Expiration></Credentials>"
                      "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"});
    EXPECT_EQ(key(), "WEB");
    auto seen = sts.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].line, "POST / HTTP/1.1");
    EXPECT_EQ(seen[0].body,
              "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Flogs&RoleSessionName=boatswain&"
              "Version=2011-06-15&"
              "WebIdentityToken=eyJ.a%2Bb%2Fc.d");
}

TEST_F(Chain, AsksTheStsOfThePartition) {
    EXPECT_EQ(amazon_domain("cn-north-1"), "amazonaws.com.cn");
    EXPECT_EQ(amazon_domain("eu-west-1"), "amazonaws.com");
    EXPECT_EQ(amazon_domain("us-isob-east-1"), "sc2s.sgov.gov");
    write("token", "t");
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (top / "token").string();
    environment["AWS_ROLE_ARN"] = "arn:aws-cn:iam::1:role/logs";
    // No name is looked up: the proxy is nobody's.
    ::setenv("https_proxy", "http://127.0.0.1:1", 1);
    auto found = from_web_identity(
        [this](std::string_view name) -> std::optional<std::string> {
            auto there = environment.find(std::string{name});
            return there == environment.end() ? std::nullopt : std::optional{there->second};
        },
        http, "cn-north-1");
    ::unsetenv("https_proxy");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().what, HasSubstr("at https://sts.cn-north-1.amazonaws.com.cn:"));
}

TEST_F(Chain, TakesTheEndpointOfAllServicesForStsToo) {
    HttpServer sts;
    write("token", "t");
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (top / "token").string();
    environment["AWS_ROLE_ARN"] = "r";
    environment["AWS_ENDPOINT_URL"] = sts.url() + "/\n";
    EXPECT_THAT(key(), HasSubstr("at " + sts.url() + ": 500"));
}

TEST_F(Chain, NeverFallsThroughToTheInstancesRole) {
    HttpServer server;
    use_metadata_of(server);
    use_file("[other]\naws_access_key_id=FILE\naws_secret_access_key=s");
    EXPECT_THAT(key(), HasSubstr("there is no profile \"default\" of " + (top / "credentials").string()));
    environment.erase("AWS_SHARED_CREDENTIALS_FILE");
    environment["AWS_PROFILE"] = "ops";
    EXPECT_THAT(key(), HasSubstr("there is no profile \"ops\""));
    environment.erase("AWS_PROFILE");
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url() + "/x";
    EXPECT_THAT(key(), HasSubstr("the container's credentials service"));
    EXPECT_EQ(server.seen().size(), 1U);
}

TEST_F(Chain, TakesTheInstancesRoleWhereNothingElseIsMeant) {
    HttpServer server;
    use_metadata_of(server);
    script_metadata(server, "IMDS", "2026-11-23T16:00:00Z");
    std::filesystem::create_directories(top / ".aws");
    write(".aws/config", "[default]\nregion = eu-west-1\n");
    environment["HOME"] = top.string();
    environment["AWS_PROFILE"] = "default";
    EXPECT_EQ(key(), "IMDS");
}

TEST_F(Chain, SaysThatTheHopLimitMayKeepTheInstanceSilent) {
    HttpServer server;
    use_metadata_of(server);
    server.then({.delay = 3s});
    EXPECT_THAT(key(), testing::AllOf(HasSubstr("no credentials: set AWS_ACCESS_KEY_ID"), HasSubstr(server.url()),
                                      HasSubstr("in a container the instance's hop limit must be 2")));
    environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1";
    EXPECT_THAT(key(), testing::AllOf(HasSubstr("http://127.0.0.1:1 does not answer"), Not(HasSubstr("hop limit"))));
    environment["AWS_EC2_METADATA_DISABLED"] = "True\n";
    EXPECT_THAT(key(), Not(HasSubstr("does not answer")));
}

TEST_F(Chain, SaysWhyARoleWasRefusedWithoutTheToken) {
    HttpServer sts;
    write("token", "geheim");
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (top / "token").string();
    environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/logs";
    environment["AWS_ENDPOINT_URL_STS"] = sts.url();
    sts.then({.status = 403,
              .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not "
                      "authorized</Message></Error></ErrorResponse>"});
    auto said = key();
    EXPECT_THAT(said, HasSubstr("arn:aws:iam::1:role/logs"));
    EXPECT_THAT(said, HasSubstr("403 AccessDenied Not authorized"));
    EXPECT_THAT(said, Not(HasSubstr("geheim")));
}

}  // namespace
}  // namespace boatswain::store
