// The S3 store against a real S3 server, Ceph RGW (with_rgw.sh starts it). What only a real one shows: that it checks
// signatures, hashes and sessions, and that its conditional put has one winner.
#include "store/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "rgw_for_test.h"
#include "store/s3_answers.h"
#include "store/sigv4.h"

namespace boatswain::store {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

using namespace live;

// `policy`: what the session may do, of what the role may; empty: all of it.
Result<Credentials> assume_role(std::chrono::seconds life, const std::string& policy = {}) {
    NameValues form{{"Action", "AssumeRole"},
                    {"Version", "2011-06-15"},
                    {"RoleArn", from_wrapper("RGW_ROLE_ARN")},
                    {"RoleSessionName", "test"},
                    {"DurationSeconds", std::to_string(life.count())}};
    if (!policy.empty()) form.emplace_back("Policy", policy);
    auto answer = ask("POST", "/", form, "sts");
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return fail(Remedy::stop, std::to_string(answer->status) + " " + answer->body);
    return parse_assumed_role(answer->body);
}

// Runs rgw.sh COMMAND DIR ARGUMENTS..., and gives its exit status.
int gateway(const std::string& command, std::vector<std::string> arguments = {}) {
    auto script = from_wrapper("RGW_SCRIPT");
    arguments.insert(arguments.begin(), {script, command, from_wrapper("RGW_DIR")});
    auto child = ::fork();
    if (child == 0) {
        std::vector<char*> raw;
        for (auto& argument : arguments) raw.push_back(argument.data());
        raw.push_back(nullptr);
        ::execv(script.c_str(), raw.data());
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

class Rgw : public testing::Test {
  protected:
    static void SetUpTestSuite() { make_bucket("logs"); }

    // Each test has a prefix of its own.
    S3Options options() const {
        auto name = std::string{testing::UnitTest::GetInstance()->current_test_info()->name()};
        auto made =
            complete({.bucket = "logs", .prefix = name, .endpoint = from_wrapper("RGW_ENDPOINT")}, environment_with({}))
                .value();
        made.retry.deadline = 3s;
        return made;
    }
    static Environment environment_with(std::map<std::string, std::string> variables) {
        return [variables](std::string_view name) -> std::optional<std::string> {
            auto found = variables.find(std::string{name});
            return found == variables.end() ? process_environment(name) : std::optional{found->second};
        };
    }
    static Environment environment_of(const Credentials& credentials) {
        return environment_with({{"AWS_ACCESS_KEY_ID", credentials.access_key},
                                 {"AWS_SECRET_ACCESS_KEY", std::string{credentials.secret_key.view()}},
                                 {"AWS_SESSION_TOKEN", std::string{credentials.session_token.view()}}});
    }
    static Result<PutOutcome> put(Store& store, std::string_view key, std::string_view bytes) {
        return store.put(key, bytes, crypto::sha256(bytes));
    }
    static std::vector<std::string> keys(Store& store, std::string_view prefix = "") {
        std::vector<std::string> found;
        auto listed =
            for_each_object(store, prefix, [&](const ObjectInfo& object) { return found.push_back(object.key), true; });
        EXPECT_TRUE(listed) << listed.error().what;
        return found;
    }
    static Error refusal(S3Options options) {
        S3Store store{std::move(options), system_clock};
        auto outcome = put(store, "k", "bytes");
        EXPECT_FALSE(outcome);
        return outcome ? Error{} : outcome.error();
    }
};

TEST_F(Rgw, GivesBackWhatWasPut) {
    S3Store store{options(), system_clock};
    std::string bytes(3'000'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
    EXPECT_EQ(put(store, "v1/big", bytes), PutOutcome::created);
    EXPECT_EQ(put(store, "v1/empty", ""), PutOutcome::created);
    EXPECT_EQ(store.read("v1/big"), bytes);
    EXPECT_EQ(store.read("v1/empty"), "");
    EXPECT_EQ(store.read("v1/missing").error().remedy, Remedy::re_resolve);
    EXPECT_TRUE(store.probe());
}

TEST_F(Rgw, AnswersAlreadyThereToTheSameBytesAndTakenToOthers) {
    S3Store store{options(), system_clock};
    EXPECT_EQ(put(store, "k", "bytes"), PutOutcome::created);
    EXPECT_EQ(put(store, "k", "bytes"), PutOutcome::already_there);
    for (std::string other : {"other", "longer bytes", ""}) {
        EXPECT_EQ(put(store, "k", other), PutOutcome::taken);
    }
    EXPECT_EQ(store.read("k"), "bytes");
}

TEST_F(Rgw, LetsCredentialsThatMayOnlyWriteSayThatTheyMayNotLook) {
    auto session =
        assume_role(900s, R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject",)"
                          R"("Resource":"arn:aws:s3:::*"}]})");
    ASSERT_TRUE(session) << session.error().what;
    auto all = options();
    S3Store whole{all, system_clock};
    ASSERT_EQ(put(whole, "taken", "somebody else's"), PutOutcome::created);
    auto limited = options();
    limited.environment = environment_of(*session);
    S3Store store{limited, system_clock};
    EXPECT_EQ(put(store, "k", "bytes"), PutOutcome::created);
    EXPECT_EQ(put(store, "k", "bytes"), PutOutcome::unseen) << "our own, and nobody can tell";
    EXPECT_EQ(put(store, "taken", "bytes"), PutOutcome::unseen);
    EXPECT_EQ(store.list("", false, {}).error().remedy, Remedy::stop) << "a look behind the chain's end is refused";
    EXPECT_EQ(whole.read("taken"), "somebody else's");
}

TEST_F(Rgw, RefusesOneObjectThatIsTooLargeAndTakesOthers) {
    ASSERT_EQ(gateway("configure", {"rgw max put size", "65536"}), 0);
    S3Store store{options(), system_clock};
    auto refused = put(store, "large", std::string(100'000, 'x'));
    auto taken = put(store, "small", "bytes");
    ASSERT_EQ(gateway("configure", {"rgw max put size", "5368709120"}), 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::quarantine) << refused.error().what;
    EXPECT_THAT(refused.error().what, HasSubstr("EntityTooLarge"));
    EXPECT_EQ(taken, PutOutcome::created);
}

TEST_F(Rgw, LetsOneOfManyRacingPutsWin) {
    S3Store store{options(), system_clock};
    for (int round = 0; round < 10; ++round) {
        std::atomic<int> created{0}, refused{0};
        auto key = "race/" + std::to_string(round);
        {
            std::vector<std::jthread> racers;
            for (int i = 0; i < 8; ++i)
                racers.emplace_back([&, i] {
                    auto outcome = put(store, key, "racer " + std::to_string(i));
                    if (outcome && *outcome == PutOutcome::created) ++created;
                    if (outcome && *outcome == PutOutcome::taken) ++refused;
                });
        }
        EXPECT_EQ(created, 1);
        EXPECT_EQ(refused, 7);
    }
}

TEST_F(Rgw, ChecksThatTheBytesAreThoseOfTheHash) {
    S3Store store{options(), system_clock};
    auto refused = store.put("k", "bytes", crypto::sha256("other bytes"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::quarantine) << refused.error().what;
    EXPECT_EQ(store.read("k").error().remedy, Remedy::re_resolve) << "nothing was stored";
}

TEST_F(Rgw, ReadsRanges) {
    S3Store store{options(), system_clock};
    ASSERT_TRUE(put(store, "k", "0123456789"));
    ASSERT_TRUE(put(store, "empty", ""));
    auto read = [&](std::string_view key, Range range) {
        auto found = store.read(key, range);
        return found ? std::to_string(found->first) + ":" + found->bytes + "/" + std::to_string(found->object_size)
                     : found.error().what;
    };
    EXPECT_EQ(read("k", {.first = 2, .length = 3}), "2:234/10");
    EXPECT_EQ(read("k", {.first = 0, .length = 1}), "0:0/10");
    EXPECT_EQ(read("k", {.first = 8, .length = 100}), "8:89/10");
    EXPECT_EQ(read("k", {.first = 10, .length = 5}), "10:/10");
    EXPECT_EQ(read("k", {.first = 1000, .length = 5}), "10:/10");
    EXPECT_EQ(read("k", {.first = 3, .length = 0}), "3:/10");
    EXPECT_EQ(read("k", {.length = 4, .suffix = true}), "6:6789/10");
    EXPECT_EQ(read("k", {.length = 40, .suffix = true}), "0:0123456789/10");
    EXPECT_EQ(read("empty", {.length = 40, .suffix = true}), "0:/0");
    EXPECT_EQ(store.read("missing", {.first = 0, .length = 1}).error().remedy, Remedy::re_resolve);
    EXPECT_EQ(store.read("missing", {.first = 0, .length = 0}).error().remedy, Remedy::re_resolve);
}

TEST_F(Rgw, ListsFifteenHundredKeysOverPagesEachOnceAndInOrder) {
    S3Store store{options(), system_clock};
    std::vector<std::string> all;
    for (int i = 0; i < 1500; ++i) all.push_back("d" + std::to_string(i % 3) + "/k" + std::to_string(i));
    {
        std::vector<std::jthread> putters;
        for (std::size_t worker = 0; worker < 4; ++worker)
            putters.emplace_back([&, worker] {
                for (auto i = worker; i < all.size(); i += 4) ASSERT_TRUE(put(store, all[i], "x"));
            });
    }
    std::ranges::sort(all);
    EXPECT_EQ(keys(store), all);
    auto first = store.list("", false, {});
    ASSERT_TRUE(first);
    EXPECT_EQ(first->objects.size(), 1000U);
    EXPECT_EQ(keys(store, "d1/").size(), 500U);
    EXPECT_THAT(store.list("", true, {})->prefixes, testing::ElementsAre("d0/", "d1/", "d2/"));
    EXPECT_TRUE(store.list("", true, {})->objects.empty());
}

TEST_F(Rgw, TakesKeysOfAnyTenantAndAnyPrefix) {
    auto with_prefix = options();
    with_prefix.prefix += "/sch\xC3\xBCtz & co+\xF0\x9F\x98\x80/a=b%25";
    S3Store store{with_prefix, system_clock};
    std::vector<std::string> all{"v1/t=" + percent_encode("M\xC3\xBCller & S\xC3\xB6hne/\xE6\x97\xA5\xE6\x9C\xAC"),
                                 "v1/t=%2E%2E/x", "v1/t=~-_./%25", "v1/t=a/.hidden"};
    std::ranges::sort(all);
    for (const auto& key : all) EXPECT_EQ(put(store, key, key), PutOutcome::created);
    for (const auto& key : all) EXPECT_EQ(store.read(key), key);
    EXPECT_EQ(keys(store, "v1/"), all);
    EXPECT_EQ(keys(store, "v1/t=M%C3%BC").size(), 1U);
    EXPECT_TRUE(store.probe());
}

TEST_F(Rgw, NamesTheBucketInTheHostNameToo) {
    auto virtual_host = options();
    virtual_host.path_style = false;
    virtual_host.endpoint = "http://localhost" + virtual_host.endpoint.substr(virtual_host.endpoint.rfind(':'));
    S3Store store{virtual_host, system_clock};
    auto outcome = put(store, "v1/t=a%2Fb", "x");
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(S3Store(options(), system_clock).read("v1/t=a%2Fb"), "x") << "it is the same place";
    EXPECT_THAT(keys(store), testing::ElementsAre("v1/t=a%2Fb"));
}

// --- who we are ---

TEST_F(Rgw, RefusesAWrongSecretAndSaysWhose) {
    auto wrong = options();
    wrong.environment = environment_with({{"AWS_SECRET_ACCESS_KEY", "wrong-secret"}});
    auto error = refusal(wrong);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, AnyOf(HasSubstr("403 SignatureDoesNotMatch"), HasSubstr("403 AccessDenied")));
    EXPECT_THAT(error.what, HasSubstr("access key BOATSWAINTESTKEY, from the environment"));
    EXPECT_THAT(error.what, HasSubstr("secret key"));
    EXPECT_THAT(error.what, Not(HasSubstr("wrong-secret")));
}

TEST_F(Rgw, RefusesAnAccessKeyItDoesNotKnow) {
    auto unknown = options();
    unknown.environment = environment_with({{"AWS_ACCESS_KEY_ID", "NOBODY"}});
    auto error = refusal(unknown);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, AnyOf(HasSubstr("403 InvalidAccessKeyId"), HasSubstr("403 AccessDenied")));
    EXPECT_THAT(error.what, HasSubstr("access key NOBODY, from the environment"));
}

TEST_F(Rgw, SaysWhichBucketIsMissing) {
    auto missing = options();
    missing.bucket = "nowhere";
    auto error = refusal(missing);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what,
                HasSubstr("404 NoSuchBucket (there is no bucket nowhere at " + from_wrapper("RGW_ENDPOINT") + ")"));
    S3Store store{missing, system_clock};
    EXPECT_EQ(store.probe().error().remedy, Remedy::stop);
    EXPECT_EQ(store.list("", false, {}).error().remedy, Remedy::stop);
    EXPECT_EQ(store.read("k").error().remedy, Remedy::stop);
}

TEST_F(Rgw, TakesASessionUntilItExpires) {
    auto session = assume_role(4s);
    ASSERT_TRUE(session) << session.error().what;
    auto with_session = options();
    with_session.environment = environment_of(*session);
    S3Store store{with_session, system_clock};
    auto outcome = put(store, "k", "bytes");
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(store.read("k"), "bytes");
    std::this_thread::sleep_for(5s);
    auto expired = put(store, "l", "bytes");
    ASSERT_FALSE(expired) << "the session should have expired";
    EXPECT_EQ(expired.error().remedy, Remedy::stop);
    EXPECT_THAT(expired.error().what, HasSubstr("session token"));
    EXPECT_THAT(expired.error().what, Not(HasSubstr(std::string{session->session_token.view()})));
}

TEST_F(Rgw, RefusesASessionTokenThatIsNotOne) {
    auto session = assume_role(900s);
    ASSERT_TRUE(session) << session.error().what;
    session->session_token = Secret{"AAAA" + std::string{session->session_token.view().substr(4)}};
    auto forged = options();
    forged.environment = environment_of(*session);
    auto error = refusal(forged);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("session token"));
    EXPECT_THAT(error.what, Not(HasSubstr(std::string{session->session_token.view()})));
}

TEST_F(Rgw, IsReachedByAClockThatIsWrong) {
    struct WrongClock final : Clock {
        Timestamp now() const override { return system_clock.now() - 5h; }
        std::chrono::steady_clock::time_point steady() const override { return system_clock.steady(); }
    } wrong;
    S3Store store{options(), wrong};
    auto outcome = put(store, "k", "bytes");
    EXPECT_TRUE(outcome) << outcome.error().what;
}

// A server without STS says more precisely what is wrong; so do we.
class RgwWithoutSts : public Rgw {
  protected:
    static void SetUpTestSuite() { ASSERT_EQ(gateway("configure", {"rgw s3 auth use sts", "false"}), 0); }
    static void TearDownTestSuite() { ASSERT_EQ(gateway("configure", {"rgw s3 auth use sts", "true"}), 0); }
};

TEST_F(RgwWithoutSts, TellsAWrongSecretFromAnAccessKeyItDoesNotKnow) {
    auto wrong = options();
    wrong.environment = environment_with({{"AWS_SECRET_ACCESS_KEY", "wrong-secret"}});
    EXPECT_THAT(refusal(wrong).what, HasSubstr("403 SignatureDoesNotMatch (the secret key does not belong to access "
                                               "key BOATSWAINTESTKEY, from the environment)"));
    wrong.environment = environment_with({{"AWS_ACCESS_KEY_ID", "NOBODY"}});
    EXPECT_THAT(refusal(wrong).what, HasSubstr("403 InvalidAccessKeyId (" + from_wrapper("RGW_ENDPOINT") +
                                               " does not know access key NOBODY, from the environment)"));
}

// --- TLS ---

TEST_F(Rgw, IsReachedOverTlsWithItsOwnAuthority) {
    auto tls = options();
    tls.endpoint = from_wrapper("RGW_TLS_ENDPOINT");
    tls.http.ca_file = from_wrapper("RGW_CA_FILE");
    S3Store store{tls, system_clock};
    auto outcome = put(store, "k", "bytes");
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(store.read("k"), "bytes");
}

TEST_F(Rgw, IsNotTrustedOverTlsWithoutItsAuthority) {
    auto tls = options();
    tls.endpoint = from_wrapper("RGW_TLS_ENDPOINT");
    auto error = refusal(tls);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("certificate"));
    tls.http.ca_file = "/nowhere/ca.pem";
    error = refusal(tls);
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("/nowhere/ca.pem"));
}

// --- outages ---

TEST_F(Rgw, IsPutToOnceItIsBackFromAnOutage) {
    auto patient = options();
    patient.retry.deadline = 60s;
    S3Store store{patient, system_clock};
    ASSERT_TRUE(put(store, "before", "x"));
    ASSERT_EQ(gateway("stop-gateway"), 0);
    std::atomic<int> done{0};
    std::vector<std::jthread> putters;
    for (int i = 0; i < 4; ++i)
        putters.emplace_back([&, i] {
            auto outcome = put(store, "during/" + std::to_string(i), "x");
            EXPECT_TRUE(outcome) << outcome.error().what;
            ++done;
        });
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(done, 0);
    ASSERT_EQ(gateway("start-gateway"), 0);
    putters.clear();
    EXPECT_EQ(keys(store, "during/").size(), 4U);
}

TEST_F(Rgw, LosesNothingWhenItIsKilledWhileManyPut) {
    auto patient = options();
    patient.retry.deadline = 60s;
    S3Store store{patient, system_clock};
    std::atomic<bool> enough{false};
    std::atomic<int> stored{0};
    std::vector<std::jthread> putters;
    for (int worker = 0; worker < 4; ++worker)
        putters.emplace_back([&, worker] {
            std::string bytes(100'000, static_cast<char>('a' + worker));
            for (int i = 0; !enough; ++i) {
                auto outcome = put(store, std::to_string(worker) + "/" + std::to_string(i), bytes);
                ASSERT_TRUE(outcome)
                    << outcome.error().what;  // created, or already_there when only the answer was lost
                ++stored;
            }
        });
    for (int kill = 0; kill < 3; ++kill) {
        std::this_thread::sleep_for(700ms);
        ASSERT_EQ(gateway("restart-gateway"), 0);
    }
    std::this_thread::sleep_for(500ms);
    enough = true;
    putters.clear();
    EXPECT_EQ(keys(store).size(), static_cast<std::size_t>(stored));
}

}  // namespace
}  // namespace boatswain::store
