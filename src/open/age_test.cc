#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/key_kind.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "open/age_header.h"
#include "open/age_reader.h"
#include "open/sealing_for_test.h"
#include "segment/age_format.h"
#include "segment/age_writer.h"

namespace boatswain::open {
namespace {

using namespace segment;

std::string encrypt(std::string_view plaintext, std::span<const crypto::Recipient> recipients,
                    std::size_t piece = 1000) {
    auto writer = AgeWriter::begin(recipients, plaintext.size()).value();
    for (std::size_t at = 0; at < plaintext.size(); at += piece) writer.append(plaintext.substr(at, piece));
    return writer.finish();
}

Result<std::string> decrypt(std::string bytes, std::span<const Identity> identities) {
    Object object{std::move(bytes)};
    TRY(auto reader, AgeReader::open(object.bytes.size(), object.fetch(), identities));
    return reader.read(0, reader.plaintext_bytes());
}

TEST(Age, RoundTripsAtEverySizeThatChunksMakeInterestingForOneToThreeRecipients) {
    std::vector<Identity> identities{Identity::generate(), Identity::generate(), Identity::generate()};
    for (std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 131'072U, 1'000'000U}) {
        std::string plaintext(size, '\0');
        if (size > 0) crypto::random_bytes(plaintext.data(), plaintext.size());
        for (std::size_t count = 1; count <= 3; ++count) {
            std::vector<crypto::Recipient> recipients;
            for (std::size_t i = 0; i < count; ++i) recipients.push_back(identities[i].recipient());
            auto file = encrypt(plaintext, recipients, 40'007);
            for (std::size_t i = 0; i < 3; ++i) {
                auto opened = decrypt(file, std::span{&identities[i], 1});
                ASSERT_EQ(opened.has_value(), i < count) << size;
                if (opened) EXPECT_TRUE(*opened == plaintext) << size;
            }
        }
    }
}

TEST(Age, ReadsAnyRange) {
    auto identity = Identity::generate();
    auto recipient = identity.recipient();
    std::string plaintext(200'000, '\0');
    crypto::random_bytes(plaintext.data(), plaintext.size());
    Object object{encrypt(plaintext, std::span{&recipient, 1})};
    auto reader = AgeReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1}).value();
    for (std::size_t first : {0U, 1U, 65'535U, 65'536U, 131'071U, 131'072U, 199'999U, 200'000U})
        for (std::size_t length : {0U, 1U, 65'536U, 65'537U, 200'000U}) {
            auto fits = std::min(length, plaintext.size() - first);
            EXPECT_TRUE(reader.read(first, fits).value() == plaintext.substr(first, fits)) << first << " " << fits;
        }
    EXPECT_THROW((void)reader.read(1, 200'000), std::logic_error);
}

TEST(Age, RefusesAnEmptyLastChunkAfterAFullOne) {
    auto identity = Identity::generate();
    auto recipient = identity.recipient();
    auto file = encrypt(std::string(age_chunk_bytes, 'x'), std::span{&recipient, 1});
    auto opened = decrypt(file + std::string(16, 'x'), std::span{&identity, 1});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("empty"), std::string::npos);
}

TEST(Age, RefusesAFileThatWasCutAtAChunk) {
    auto identity = Identity::generate();
    auto recipient = identity.recipient();
    auto file = encrypt(std::string(age_chunk_bytes * 2 + 5, 'x'), std::span{&recipient, 1});
    file.resize(file.size() - 5 - age_tag_bytes);
    auto opened = decrypt(file, std::span{&identity, 1});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("cut short"), std::string::npos);
}

TEST(AgeHeader, AsksForMoreOnlyWhileMoreCouldHelp) {
    auto identity = Identity::generate();
    auto recipient = identity.recipient();
    auto file = encrypt("x", std::span{&recipient, 1});
    auto header_bytes = parse_age_header(file).value()->bytes;
    for (std::size_t size = 0; size < header_bytes; ++size) {
        auto parsed = parse_age_header(file.substr(0, size));
        ASSERT_TRUE(parsed) << size;
        EXPECT_FALSE(*parsed) << size;
    }
    std::string endless{age_version_line};
    while (endless.size() < age_header_bytes_max)
        endless += "-> grease\n" + std::string(64, 'A') + "\n" + std::string(64, 'A') + "\n\n";
    EXPECT_FALSE(parse_age_header(endless));
}

TEST(AgeHeader, RefusesWhatTheSpecificationRefuses) {
    std::string mac = "--- " + std::string(43, 'A') + "\n";
    std::string body = std::string(43, 'A') + "\n";
    std::string stanza = "-> X25519 " + std::string(43, 'A') + "\n" + body;
    auto parse = [&](const std::string& rest) { return parse_age_header(std::string{age_version_line} + rest); };
    ASSERT_TRUE(parse(stanza + mac)) << parse(stanza + mac).error().what;
    EXPECT_TRUE(parse("-> a b c\n" + std::string(64, 'A') + "\n\n" + mac)) << "a full line, then an empty one";
    EXPECT_TRUE(parse("-> a\n\n" + mac)) << "an empty body";
    for (const auto& wrong : {mac,
                              stanza + "---\n",
                              stanza + "--- " + std::string(42, 'A') + "\n",
                              stanza + "--- " + std::string(43, 'B') + "\n",
                              stanza + "--- " + std::string(43, 'A') + "=\n",
                              stanza + "---" + std::string(43, 'A') + "\n",
                              stanza + "\n" + mac,
                              std::string{"->\n"} + body + mac,
                              std::string{"-> \n"} + body + mac,
                              std::string{"->X25519\n"} + body + mac,
                              std::string{"-> a  b\n"} + body + mac,
                              std::string{"-> a b \n"} + body + mac,
                              std::string{"-> a\tb\n"} + body + mac,
                              std::string{"-> \xC3\xBC\n"} + body + mac,
                              "-> a\r\n" + body + mac,
                              "-> a\n" + std::string(65, 'A') + "\n" + mac,
                              "-> a\nA\n" + mac,
                              "-> a\nAB\n" + mac,
                              "-> a\nAA==\n" + mac,
                              "-> a\nA A\n" + mac,
                              "-> a\n" + mac,
                              " " + stanza + mac})
        EXPECT_FALSE(parse(wrong)) << wrong;
    EXPECT_FALSE(parse_age_header("age-encryption.org/v2\n" + stanza + mac));
    EXPECT_FALSE(parse_age_header("age-encryption.org/v1\r\n" + stanza + mac));
    EXPECT_FALSE(parse_age_header("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    std::string many;
    for (std::size_t i = 0; i <= age_stanzas_max; ++i) many += "-> a\n\n";
    EXPECT_FALSE(parse(many + mac));
}

TEST(Identity, IsReadAndWrittenAsAgeKeygenDoes) {
    auto identity = Identity::generate();
    auto text = identity.str();
    EXPECT_EQ(text.size(), 74U);
    EXPECT_TRUE(text.starts_with("AGE-SECRET-KEY-1"));
    auto again = Identity::parse(text);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->scalar(), identity.scalar());
    EXPECT_EQ(Identity::from_scalar(identity.scalar()).recipient(), identity.recipient());
}

TEST(Identity, SaysWhatIsWrongAndNeverRepeatsIt) {
    auto good = Identity::generate().str();
    auto damaged = good;
    damaged[40] = damaged[40] == 'Q' ? 'P' : 'Q';
    auto lower = good;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const auto& text :
         {damaged, lower, good.substr(0, 73), good + "Q", Identity::generate().recipient().str(), std::string{}}) {
        auto parsed = Identity::parse(text);
        ASSERT_FALSE(parsed) << text;
        if (text.size() > 30) EXPECT_EQ(parsed.error().what.find(text.substr(20, 10)), std::string::npos);
    }
}

TEST(Identity, NamesKeysOfOtherKinds) {
    for (const auto& [text, kind] : std::vector<std::pair<std::string, std::string>>{
             {"AGE-SECRET-KEY-PQ-1QQQQQQQQQQ", "an age identity of the post-quantum kind (ML-KEM-768 with X25519)"},
             {"AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQ", "an age identity of the plugin \"yubikey\""},
             {"age1pq1qqqqqqqqqq", "an age recipient of the post-quantum kind (ML-KEM-768 with X25519)"},
             {"-----BEGIN OPENSSH PRIVATE KEY-----", "an SSH key"},
             {"-----BEGIN AGE ENCRYPTED FILE-----", "an encrypted file: decrypt it with age first"},
             {"age-encryption.org/v1", "an encrypted file: decrypt it with age first"}}) {
        auto identities = parse_identities("# made by somebody\n" + text + "\n");
        ASSERT_FALSE(identities) << text;
        EXPECT_EQ(identities.error().what,
                  "line 2: not an age X25519 identity but " + kind + ": " + std::string{crypto::x25519_alone});
    }
}

TEST(Identities, AreOneALineAndAnErrorNamesTheLineAlone) {
    auto one = Identity::generate(), two = Identity::generate();
    auto file = "# created: 2026-11-22\n# public key: age1...\n" + one.str() + "\r\n\n" + two.str();
    auto parsed = parse_identities(file);
    ASSERT_TRUE(parsed) << parsed.error().what;
    ASSERT_EQ(parsed->size(), 2U);
    EXPECT_EQ((*parsed)[1].scalar(), two.scalar());
    auto wrong = parse_identities("# x\n" + one.str().substr(0, 60) + "\n");
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(wrong.error().what.starts_with("line 2: ")) << wrong.error().what;
    EXPECT_EQ(wrong.error().what.find(one.str().substr(20, 10)), std::string::npos);
    EXPECT_FALSE(parse_identities("# nothing\n"));
}

TEST(Identities, NameTheFileThatIsWrong) {
    auto missing = read_identity_file("/nonexistent/key");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().what.find("/nonexistent/key"), std::string::npos);
}

}  // namespace
}  // namespace boatswain::open
