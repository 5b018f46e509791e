#include "store/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "crypto/digest.h"
#include "store/http_server_for_test.h"

namespace boatswain::store {
namespace {

using namespace std::chrono_literals;
using test::HttpServer;
using test::ScriptedAnswer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto secret = "this-is-the-secret";

std::string error_body(const std::string& code, const std::string& more = "") {
    return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>said so</Message>" + more + "</Error>";
}
ScriptedAnswer refusal(int status, const std::string& code, std::vector<std::string> headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = error_body(code)};
}
const ScriptedAnswer stored{.status = 200, .headers = {"ETag: \"e\""}};

// The client against a server that does what the test says. Waits are recorded, not waited.
class S3 : public ::testing::Test {
  protected:
    void SetUp() override {
        environment = {
            {"AWS_ACCESS_KEY_ID", "AKTEST"}, {"AWS_SECRET_ACCESS_KEY", secret}, {"AWS_EC2_METADATA_DISABLED", "true"}};
        options.bucket = "logs";
        options.prefix = "pre";
        options.endpoint = server.url();
        options.region = "us-east-1";
        options.path_style = true;
        options.environment = [this](std::string_view name) -> std::optional<std::string> {
            auto found = environment.find(std::string{name});
            return found == environment.end() ? std::nullopt : std::optional{found->second};
        };
        options.sleep = [this](std::chrono::milliseconds delay) { waits.push_back(delay); };
    }

    S3Store& store() {
        if (!store_) store_ = std::make_unique<S3Store>(options, clock);
        return *store_;
    }
    Result<PutOutcome> put(std::string_view key = "v1/k", std::string_view bytes = "bytes") {
        return store().put(key, bytes, crypto::sha256(bytes));
    }

    // The error of a put that the server answers so.
    Error refused(ScriptedAnswer answer) {
        server.then(std::move(answer));
        auto outcome = put();
        EXPECT_FALSE(outcome);
        auto error = outcome ? Error{} : std::move(outcome).error();
        EXPECT_THAT(error.what, Not(HasSubstr(secret)));
        return error;
    }

    HttpServer server;
    std::map<std::string, std::string> environment;
    S3Options options;
    SystemClock clock;
    std::vector<std::chrono::milliseconds> waits;
    std::unique_ptr<S3Store> store_;
};

TEST_F(S3, PutsOnlyWhereNothingIsAndSendsTheChecksum) {
    server.then(stored);
    EXPECT_EQ(put("v1/t=a%2Fb", "bytes"), PutOutcome::created);
    auto seen = server.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].line, "PUT /logs/pre/v1/t%3Da%252Fb HTTP/1.1");
    EXPECT_EQ(seen[0].body, "bytes");
    auto hash = crypto::sha256("bytes");
    EXPECT_EQ(seen[0].headers["if-none-match"], "*");
    EXPECT_EQ(seen[0].headers["x-amz-content-sha256"], to_hex(hash));
    EXPECT_EQ(seen[0].headers["x-amz-meta-sha256"], to_hex(hash));
    EXPECT_EQ(seen[0].headers["x-amz-checksum-sha256"], to_base64(hash));
    EXPECT_THAT(seen[0].headers["authorization"], HasSubstr("Credential=AKTEST/"));
    EXPECT_FALSE(seen[0].headers.contains("x-amz-security-token"));
}

TEST_F(S3, NamesTheBucketInTheHostWhenNotInThePath) {
    options.path_style = false;
    options.endpoint = "http://localhost" + server.url().substr(server.url().rfind(':'));
    server.then(stored);
    EXPECT_EQ(put(), PutOutcome::created);  // libcurl resolves *.localhost to loopback by itself
    EXPECT_EQ(server.seen().at(0).line, "PUT /pre/v1/k HTTP/1.1");
    EXPECT_EQ(server.seen().at(0).headers["host"], "logs.localhost" + server.url().substr(server.url().rfind(':')));
}

TEST_F(S3, ReplacesWithoutAskingWhetherSomethingIsThere) {
    server.then(stored);
    auto replaced = store().replace("v1/k", "bytes", crypto::sha256("bytes"));
    EXPECT_TRUE(replaced) << replaced.error().what;
    auto seen = server.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_FALSE(seen[0].headers.contains("if-none-match"));
    EXPECT_EQ(seen[0].headers["x-amz-checksum-sha256"], to_base64(crypto::sha256("bytes")));
    server.then({.body = "a proxy's page"});
    EXPECT_FALSE(store().replace("v1/k", "bytes", crypto::sha256("bytes")));
}

// --- putting again ---

TEST_F(S3, FindsItsOwnObjectWhenTheAnswerToThePutWasLost) {
    server.then({.cut_after_request = true}).then(refusal(412, "PreconditionFailed"));
    server.then({.headers = {"Content-Length: 5", "x-amz-meta-sha256: " + to_hex(crypto::sha256("bytes"))}});
    EXPECT_EQ(put(), PutOutcome::already_there);
    EXPECT_EQ(waits.size(), 1U);
}

TEST_F(S3, ComparesTheBytesWhenTheObjectCarriesNoHash) {
    server.then(refusal(412, "PreconditionFailed")).then({.headers = {"Content-Length: 5"}}).then({.body = "bytes"});
    EXPECT_EQ(put(), PutOutcome::already_there);
    server.then(refusal(412, "PreconditionFailed")).then({.headers = {"Content-Length: 5"}}).then({.body = "other"});
    EXPECT_EQ(put(), PutOutcome::taken);
}

TEST_F(S3, SaysThatAKeyIsTakenByOtherBytes) {
    server.then(refusal(412, "PreconditionFailed"))
        .then({.headers = {"Content-Length: 5", "x-amz-meta-sha256: " + to_hex(crypto::sha256("other"))}});
    EXPECT_EQ(put(), PutOutcome::taken);
    server.then(refusal(412, "PreconditionFailed"))
        .then({.headers = {"Content-Length: 6", "x-amz-meta-sha256: " + to_hex(crypto::sha256("bytes"))}});
    EXPECT_EQ(put(), PutOutcome::taken) << "another length is enough";
}

TEST_F(S3, SaysThatItMayNotLookAtWhatIsThere) {
    server.then(refusal(412, "PreconditionFailed")).then({.status = 403});
    EXPECT_EQ(put(), PutOutcome::unseen);
    server.then(refusal(412, "PreconditionFailed"))
        .then({.headers = {"Content-Length: 5"}})
        .then(refusal(403, "AccessDenied"));
    EXPECT_EQ(put(), PutOutcome::unseen) << "a key of encryption may be missing for the bytes alone";
    EXPECT_TRUE(waits.empty());
}

TEST_F(S3, TellsARefusalOfOneObjectFromOneOfAll) {
    for (const auto* code :
         {"EntityTooLarge", "MaxMessageLengthExceeded", "KeyTooLongError", "XMinioInvalidObjectName"})
        EXPECT_EQ(refused(refusal(400, code)).remedy, Remedy::quarantine) << code;
    auto by_a_proxy = refused({.status = 413, .body = "<html>413 Request Entity Too Large</html>"});
    EXPECT_EQ(by_a_proxy.remedy, Remedy::quarantine);
    EXPECT_THAT(by_a_proxy.what, AllOf(HasSubstr("413"), HasSubstr("batch.flush_bytes")));
    EXPECT_EQ(refused(refusal(403, "AccessDenied")).remedy, Remedy::stop);
}

TEST_F(S3, TellsBytesThatChangedOnTheWayFromBytesThatAreNotWhatTheySay) {
    EXPECT_EQ(refused(refusal(400, "XAmzContentSHA256Mismatch")).remedy, Remedy::back_off);
    server.then(refusal(400, "XAmzContentSHA256Mismatch"));
    EXPECT_EQ(store().put("v1/k", "bytes", crypto::sha256("other")).error().remedy, Remedy::quarantine);
    EXPECT_EQ(store().put("v1/k", "bytes", "short").error().remedy, Remedy::stop);
}

// --- what passes ---

TEST_F(S3, TriesAgainWhenTheServerIsBusyAndWaitsAsLongAsItAsks) {
    options.retry.deadline = 60s;
    server.then(refusal(503, "SlowDown"))
        .then(refusal(503, "SlowDown", {"Retry-After: 7"}))
        .then({.status = 500})
        .then({.status = 429})
        .then(stored);
    EXPECT_EQ(put(), PutOutcome::created);
    ASSERT_EQ(waits.size(), 4U);
    EXPECT_LT(waits[0], 1s);
    EXPECT_EQ(waits[1], 7s);
}

TEST_F(S3, GivesUpAtTheDeadlineAndSaysHowOftenItTried) {
    options.retry.deadline = 1s;
    for (int i = 0; i < 20; ++i) server.then(refusal(503, "SlowDown"));
    auto outcome = put();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().remedy, Remedy::back_off);
    EXPECT_THAT(outcome.error().what, HasSubstr("put s3://logs/pre/v1/k: 503 SlowDown"));
    EXPECT_THAT(outcome.error().what, HasSubstr(" attempts)"));
}

TEST_F(S3, BacksOffWhenNobodyListens) {
    options.endpoint = "http://127.0.0.1:1";
    options.retry.deadline = 1s;
    auto outcome = put();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().remedy, Remedy::back_off);
    EXPECT_THAT(outcome.error().what, HasSubstr("http://127.0.0.1:1"));
    EXPECT_GT(waits.size(), 1U);
}

TEST_F(S3, GivesUpOnAConnectionOverWhichNothingMoves) {
    options.http.stall_max = 1s;
    options.retry.deadline = 10ms;
    server.then({.body = "x", .delay = 3s});
    auto began = std::chrono::steady_clock::now();
    auto outcome = put();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().remedy, Remedy::back_off);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(S3, WaitsForABodyThatComesSlowly) {
    server.then({.body = std::string(100'000, 'x'), .pause_in_body = 300ms});
    EXPECT_EQ(store().read("k"), std::string(100'000, 'x'));
}

TEST_F(S3, ReadsAgainWhatWasCutOff) {
    server.then({.body = "half", .promised_more = 4}).then({.body = "the whole"});
    EXPECT_EQ(store().read("k"), "the whole");
}

TEST_F(S3, LearnsTheServersClockWhenItsOwnIsWrong) {
    SimulatedClock wrong{*parse_time("2001-01-01T00:00:00Z")};
    S3Store late{options, wrong};
    server.then(refusal(403, "RequestTimeTooSkewed", {"Date: Mon, 23 Nov 2026 10:00:00 GMT"}))
        .then(stored)
        .then(stored);
    EXPECT_EQ(late.put("k", "b", crypto::sha256("b")), PutOutcome::created);
    EXPECT_EQ(late.put("l", "b", crypto::sha256("b")), PutOutcome::created);
    auto seen = server.seen();
    EXPECT_EQ(seen.at(0).headers["x-amz-date"], "20010101T000000Z");
    EXPECT_EQ(seen.at(1).headers["x-amz-date"], "20261123T100000Z");
    EXPECT_EQ(seen.at(2).headers["x-amz-date"], "20261123T100000Z");
    EXPECT_TRUE(waits.empty());
}

TEST_F(S3, DoesNotAskForTheTimeForEver) {
    for (int i = 0; i < 3; ++i)
        server.then(refusal(403, "RequestTimeTooSkewed", {"Date: Mon, 23 Nov 2026 10:00:00 GMT"}));
    EXPECT_EQ(put().error().remedy, Remedy::back_off);
    EXPECT_EQ(server.seen().size(), 2U);
}

// --- what is not S3 ---

TEST_F(S3, DoesNotTakeAProxysPageForSuccess) {
    options.retry.deadline = 10ms;
    auto error = refused({.status = 200, .body = "<html>Please log in</html>"});
    EXPECT_EQ(error.remedy, Remedy::back_off);
    EXPECT_THAT(error.what, HasSubstr("not an answer of an S3 server"));
    server.then({.body = "<html>Please log in</html>"});
    EXPECT_EQ(store().list("", false, {}).error().remedy, Remedy::back_off);
    server.then({.status = 404, .body = "no such page"});
    EXPECT_EQ(store().read("k").error().remedy, Remedy::back_off) << "only S3 can say that an object is missing";
}

TEST_F(S3, SurvivesAnswersThatAreNotEvenHttp) {
    options.retry.deadline = 10ms;
    for (std::string raw : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200", "\r\n\r\n", "HTTP/1.1 999999 X\r\n\r\n"}) {
        server.then({.raw = raw});
        EXPECT_EQ(store().read("k").error().remedy, Remedy::back_off) << raw;
    }
}

TEST_F(S3, BoundsWhatItReadsAndNeverBlamesASegmentForIt) {
    options.retry.deadline = 10ms;
    const std::string long_page(1 << 20, 'x');
    EXPECT_EQ(refused({.status = 502, .body = long_page}).remedy, Remedy::back_off);
    EXPECT_EQ(refused({.status = 200, .body = long_page}).remedy, Remedy::back_off);
    EXPECT_EQ(refused({.headers = {"X-Long: " + std::string(100'000, 'x')}}).remedy, Remedy::back_off);
    server.then({.status = 206, .headers = {"Content-Range: bytes 0-9/10"}, .body = long_page});
    auto read = store().read("k", {.first = 0, .length = 10});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().remedy, Remedy::quarantine);
    EXPECT_THAT(read.error().what, HasSubstr("longer than 65536 bytes"));
}

// --- what a person must change ---

TEST_F(S3, SaysWhoseSecretIsWrong) {
    auto error = refused(refusal(403, "SignatureDoesNotMatch"));
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_EQ(error.what,
              "put s3://logs/pre/v1/k: 403 SignatureDoesNotMatch (said so; the secret key does not belong to access "
              "key AKTEST, "
              "from the environment)");
    EXPECT_EQ(server.seen().size(), 1U) << "never tried again";
}

TEST_F(S3, NamesTheBucketThatIsMissingAndWhere) {
    auto error = refused(refusal(404, "NoSuchBucket"));
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_EQ(error.what,
              "put s3://logs/pre/v1/k: 404 NoSuchBucket (said so; there is no bucket logs at " + server.url() + ")");
    EXPECT_EQ(server.seen().size(), 1U);
}

TEST_F(S3, SaysInWhichRegionTheBucketIs) {
    auto error = refused(
        {.status = 301, .headers = {"x-amz-bucket-region: eu-west-1"}, .body = error_body("PermanentRedirect")});
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("301 PermanentRedirect"));
    EXPECT_THAT(error.what, HasSubstr("set region=eu-west-1"));
    error = refused({.status = 400, .body = error_body("AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>")});
    EXPECT_THAT(error.what, HasSubstr("set region=eu-north-1"));
    error = refused({.status = 307, .headers = {"Location: http://127.0.0.1:1/elsewhere"}, .body = ""});
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("307 (a redirect"));
}

TEST_F(S3, SaysWhatAPolicyMustAllow) {
    EXPECT_THAT(refused(refusal(403, "AccessDenied")).what, HasSubstr("s3:PutObject"));
    server.then({.status = 403});
    EXPECT_THAT(store().read("v1/k", {.first = 0, .length = 0}).error().what,
                HasSubstr("its policy needs s3:GetObject"));
}

TEST_F(S3, AsksAReaderForAReadersRightsOnly) {
    server.then(refusal(403, "AccessDenied"));
    auto listed = store().list("v1/", true, std::nullopt);
    EXPECT_THAT(listed.error().what,
                AllOf(HasSubstr("s3:ListBucket"), HasSubstr("--tenant"), Not(HasSubstr("s3:PutObject"))));
    server.then(refusal(403, "AccessDenied"));
    auto read = store().read("v1/k");
    EXPECT_THAT(read.error().what, AllOf(HasSubstr("s3:GetObject"), Not(HasSubstr("s3:PutObject"))));
}

// What stores and what stands in front of them were seen to say, and what a person must find in our message.
struct Said {
    std::string by;
    ScriptedAnswer answer;
    std::vector<std::string> words;
};

ScriptedAnswer error(int status, const std::string& code, const std::string& message) {
    return {.status = status, .body = "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"};
}

TEST_F(S3, ShowsWhatTheServerSaidAndWhatToDo) {
    const std::vector<Said> table{
        {"Amazon, a bucket with a KMS key",
         error(403, "AccessDenied",
               "not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu:1:key/7"),
         {"kms:GenerateDataKey", "arn:aws:kms:eu:1:key/7", "AKTEST"}},
        {"a store without checksums",
         error(400, "InvalidArgument", "Unsupported header 'x-amz-checksum-sha256' received"),
         {"Unsupported header 'x-amz-checksum-sha256'"}},
        {"nginx in front, a body that is too large",
         {.status = 413, .body = "<html>413</html>"},
         {"413", "client_max_body_size", "batch.flush_bytes"}},
        {"a proxy that wants a password",
         {.status = 407, .body = "<html>407</html>"},
         {"407", "https_proxy", "no_proxy"}},
        {"a console's port", {.status = 403, .body = "<html>Forbidden</html>"}, {"403", "console"}},
        {"a port for TLS",
         {.status = 400, .body = "The plain HTTP request was sent to HTTPS port"},
         {"400", "endpoint=https://"}},
        {"a redirect to TLS",
         {.status = 301, .headers = {"Location: https://s3.example.net/logs?X-Amz-Signature=abc"}},
         {"301", "https://s3.example.net/logs"}},
    };
    environment["AWS_SESSION_TOKEN"] = "a-session-token";
    for (const auto& said : table) {
        auto got = refused(said.answer);
        for (const auto& word : said.words) EXPECT_THAT(got.what, HasSubstr(word)) << said.by;
        EXPECT_THAT(got.what, Not(HasSubstr("X-Amz-Signature"))) << said.by;
        EXPECT_THAT(got.what, Not(HasSubstr("a-session-token"))) << said.by;
    }
}

TEST_F(S3, BacksOffFromAQuotaThatIsUsedUp) {
    EXPECT_EQ(refused(refusal(403, "QuotaExceeded")).remedy, Remedy::back_off);
}

TEST_F(S3, MakesAHostileMessageFitForATerminal) {
    auto error =
        refused({.status = 400, .body = "<Error><Code>X&#10;Y</Code><Message>&#27;]0;owned&#7;</Message></Error>"});
    EXPECT_THAT(error.what, HasSubstr("400 X\\x0aY (\\x1b]0;owned\\x07)"));
}

TEST_F(S3, RefusesKeysThatAreNone) {
    for (auto key : {"", "/a", "a//b", "../a", "a b"}) EXPECT_EQ(put(key).error().remedy, Remedy::stop) << key;
    EXPECT_THAT(put(std::string(1024, 'x')).error().what, HasSubstr("with its prefix the key is longer"));
    EXPECT_TRUE(server.seen().empty());
}

// --- sessions ---

class Session : public S3 {
  protected:
    void SetUp() override {
        S3::SetUp();
        char name[] = "/tmp/s3_test.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        top = name;
        environment.erase("AWS_ACCESS_KEY_ID");
        environment.erase("AWS_SECRET_ACCESS_KEY");
        environment["AWS_SHARED_CREDENTIALS_FILE"] = (top / "credentials").string();
        write("FIRST");
        ASSERT_TRUE(put_one());
    }
    void TearDown() override { std::filesystem::remove_all(top); }
    void write(const std::string& key) {
        std::ofstream{top / "credentials"} << "[default]\naws_access_key_id=" << key
                                           << "\naws_secret_access_key=" << secret << "\naws_session_token=token-"
                                           << key << "\n";
    }
    bool put_one() {
        server.then(stored);
        return put().has_value();
    }
    Path top;
};

TEST_F(Session, IsRenewedWhenTheServerSaysThatItExpired) {
    write("SECOND");
    server.then(refusal(400, "ExpiredToken")).then(stored);
    EXPECT_EQ(put(), PutOutcome::created);
    auto seen = server.seen();
    EXPECT_EQ(seen.at(1).headers["x-amz-security-token"], "token-FIRST");
    EXPECT_EQ(seen.at(2).headers["x-amz-security-token"], "token-SECOND");
    EXPECT_TRUE(waits.empty());
}

TEST_F(Session, BacksOffUntilItsSourceHasANewOne) {
    auto error = refused(refusal(400, "ExpiredToken"));
    EXPECT_EQ(error.remedy, Remedy::back_off);
    EXPECT_THAT(error.what, HasSubstr("the session token of access key FIRST"));
    EXPECT_THAT(error.what, Not(HasSubstr("token-FIRST")));
    write("SECOND");
    EXPECT_TRUE(put_one());
}

TEST_F(S3, StopsWhenASessionFromTheEnvironmentHasExpired) {
    environment["AWS_SESSION_TOKEN"] = "t0ken";
    auto error = refused(refusal(400, "ExpiredToken"));
    EXPECT_EQ(error.remedy, Remedy::stop);
    EXPECT_THAT(error.what, HasSubstr("from the environment, has expired"));
    EXPECT_THAT(error.what, Not(HasSubstr("t0ken")));
}

// --- reading ---

std::string part(const Result<RangeBytes>& read) {
    if (!read) return "error " + std::string{to_string(read.error().remedy)} + ": " + read.error().what;
    return std::to_string(read->first) + ":" + read->bytes + "/" + std::to_string(read->object_size);
}

TEST_F(S3, ReadsARangeAndChecksThatItIsTheOneAskedFor) {
    server.then({.status = 206, .headers = {"Content-Range: bytes 2-4/10"}, .body = "234"});
    EXPECT_EQ(part(store().read("k", {.first = 2, .length = 3})), "2:234/10");
    EXPECT_EQ(server.seen().at(0).headers["range"], "bytes=2-4");
    server.then({.status = 206, .headers = {"Content-Range: bytes 6-9/10"}, .body = "6789"});
    EXPECT_EQ(part(store().read("k", {.length = 4, .suffix = true})), "6:6789/10");
    EXPECT_EQ(server.seen().at(1).headers["range"], "bytes=-4");
    for (auto [header, body] : {std::pair{"Content-Range: bytes 3-5/10", "345"},
                                {"Content-Range: bytes 2-4/10", "23"},
                                {"Content-Range: bytes 2-9/10", "23456789"},
                                {"X: y", "234"},
                                {"Content-Range: bytes 2-4/*", "234"}}) {
        server.then({.status = 206, .headers = {header}, .body = body});
        EXPECT_THAT(part(store().read("k", {.first = 2, .length = 3})),
                    HasSubstr("error back_off: read s3://logs/pre/k: asked for bytes=2-4"))
            << header;
    }
}

TEST_F(S3, CutsTheRangeItselfWhenTheServerSendsTheWhole) {
    server.then({.body = "0123456789"});
    EXPECT_EQ(part(store().read("k", {.first = 2, .length = 3})), "2:234/10");
    server.then({.body = "0123456789"});
    EXPECT_EQ(part(store().read("k", {.length = 4, .suffix = true})), "6:6789/10");
}

TEST_F(S3, GivesNothingBeyondTheEnd) {
    server.then(refusal(416, "InvalidRange")).then({.headers = {"Content-Length: 10"}});
    EXPECT_EQ(part(store().read("k", {.first = 20, .length = 3})), "10:/10");
}

TEST_F(S3, SaysThatAMissingObjectIsMissing) {
    server.then(refusal(404, "NoSuchKey"));
    auto read = store().read("k");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().remedy, Remedy::re_resolve);
    EXPECT_EQ(read.error().what, "read s3://logs/pre/k: 404 NoSuchKey (said so; no such object)");
}

TEST_F(S3, ListsPageByPageWithoutItsPrefixAndWithoutForeignKeys) {
    server.then(
        {.body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a+b/=</NextContinuationToken>"
                 "<Contents><Key>pre/v1/a</Key><Size>1</Size></Contents><Contents><Key>pre/v1/b "
                 "c</Key><Size>1</Size></Contents>"
                 "<Contents><Key>pre/v1/d/</Key><Size>0</Size></Contents><Contents><Key>other/v1/x</Key><Size>1</"
                 "Size></Contents></ListBucketResult>"});
    server.then({.body = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>pre/v1/e</Key><Size>5</"
                         "Size></Contents></ListBucketResult>"});
    std::vector<std::string> keys;
    EXPECT_TRUE(
        for_each_object(store(), "v1/", [&](const ObjectInfo& object) { return keys.push_back(object.key), true; }));
    EXPECT_THAT(keys, ::testing::ElementsAre("v1/a", "v1/e"));
    auto seen = server.seen();
    EXPECT_EQ(seen.at(0).line, "GET /logs/?encoding-type=url&list-type=2&max-keys=1000&prefix=pre%2Fv1%2F HTTP/1.1");
    EXPECT_EQ(
        seen.at(1).line,
        "GET /logs/?continuation-token=a%2Bb%2F%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=pre%2Fv1%2F "
        "HTTP/1.1");
}

TEST_F(S3, EndsAListingThatWouldGoInCircles) {
    for (int i = 0; i < 5; ++i)
        server.then({.body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</"
                             "NextContinuationToken></ListBucketResult>"});
    auto listed = for_each_object(store(), "", [](const ObjectInfo&) { return true; });
    EXPECT_FALSE(listed);
}

TEST(S3Options, AreCompletedFromTheEnvironmentAndS3sDefaults) {
    auto in = [](std::map<std::string, std::string> variables) -> Environment {
        return [variables](std::string_view name) -> std::optional<std::string> {
            auto found = variables.find(std::string{name});
            return found == variables.end() ? std::nullopt : std::optional{found->second};
        };
    };
    auto options = complete({.bucket = "logs"}, in({})).value();
    EXPECT_EQ(options.endpoint, "https://s3.us-east-1.amazonaws.com");
    EXPECT_FALSE(options.path_style);
    options = complete({.bucket = "logs"}, in({{"AWS_DEFAULT_REGION", "eu-west-1"}, {"AWS_CA_BUNDLE", "/ca"}})).value();
    EXPECT_EQ(options.endpoint, "https://s3.eu-west-1.amazonaws.com");
    EXPECT_EQ(options.http.ca_file, "/ca");
    options = complete({.bucket = "my.logs", .region = "cn-north-1"}, in({{"AWS_REGION", "eu-west-1"}})).value();
    EXPECT_EQ(options.endpoint, "https://s3.cn-north-1.amazonaws.com.cn");
    EXPECT_TRUE(options.path_style);
    options = complete({.bucket = "logs", .endpoint = "http://x"}, in({})).value();
    EXPECT_TRUE(options.path_style);
}

TEST(S3Options, TakesTheRegionOfTheProfileWhereNothingElseSaysOne) {
    boatswain::testing::TestDirectory home;
    std::filesystem::create_directory(home / ".aws");
    std::ofstream{home / ".aws/config"} << "[default]\nregion = eu-west-1 # here\n[profile ops]\nRegion: cn-north-1\n"
                                           "[profile odd]\nregion = eu west\n";
    auto with = [&](std::map<std::string, std::string, std::less<>> variables, const S3Url& url = {.bucket = "logs"}) {
        variables.emplace("HOME", home.path().string());
        return complete(url, [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
            auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional{found->second};
        });
    };
    EXPECT_EQ(with({})->endpoint, "https://s3.eu-west-1.amazonaws.com");
    EXPECT_EQ(with({{"AWS_PROFILE", "ops"}})->endpoint, "https://s3.cn-north-1.amazonaws.com.cn");
    EXPECT_EQ(with({{"AWS_PROFILE", "none"}})->region, "us-east-1");
    EXPECT_EQ(with({}, {.bucket = "logs", .profile = "ops"})->region, "cn-north-1");
    EXPECT_EQ(with({{"AWS_DEFAULT_REGION", "us-west-2"}})->region, "us-west-2");
    EXPECT_EQ(with({}, {.bucket = "logs", .region = "us-west-1"})->region, "us-west-1");
    EXPECT_THAT(with({{"AWS_PROFILE", "odd"}}).error().what, HasSubstr("region of the profile"));
    std::ofstream{home / ".aws/config"} << "[default\n";
    EXPECT_EQ(with({})->region, "us-east-1");
}

TEST(S3Options, TakesTheEndpointThatTheOtherToolsTake) {
    using Variables = std::map<std::string, std::string, std::less<>>;
    auto with = [](Variables variables, const S3Url& url = {.bucket = "logs"}) {
        return complete(url, [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
            auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional{found->second};
        });
    };
    EXPECT_EQ(with({{"AWS_ENDPOINT_URL", "http://any:1/"}})->endpoint, "http://any:1");
    EXPECT_TRUE(with({{"AWS_ENDPOINT_URL", "http://any:1/"}})->path_style);
    EXPECT_EQ(with({{"AWS_ENDPOINT_URL", "http://any"}, {"AWS_ENDPOINT_URL_S3", "http://s3"}})->endpoint, "http://s3");
    EXPECT_EQ(with({{"AWS_ENDPOINT_URL", "http://any"}}, {.bucket = "logs", .endpoint = "http://url"})->endpoint,
              "http://url");
    EXPECT_THAT(with({{"AWS_ENDPOINT_URL", "http://any"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}})->endpoint,
                HasSubstr("amazonaws.com"));
    EXPECT_EQ(with({{"AWS_REGION", " eu-west-1\n"}})->region, "eu-west-1");
    EXPECT_THAT(with({{"AWS_REGION", "eu\nwest"}}).error().what, HasSubstr("AWS_REGION"));
    EXPECT_THAT(with({{"AWS_ENDPOINT_URL", "ftp://any"}}).error().what, HasSubstr("AWS_ENDPOINT_URL"));
}

}  // namespace
}  // namespace boatswain::store
