#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/bech32.h"
#include "crypto/digest.h"
#include "crypto/key_kind.h"
#include "crypto/random.h"
#include "crypto/recipient.h"
#include "crypto/x25519.h"

namespace boatswain::crypto {
namespace {

constexpr std::string_view a_recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

TEST(Bech32, ReadsAndWritesTheValidStringsOfBip173) {
    for (std::string_view text :
         {"a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
          "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs"}) {
        auto decoded = decode_bech32(text);
        if (text == "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw") {
            ASSERT_TRUE(decoded) << text;
            EXPECT_EQ(to_hex(decoded->bytes), "00443214c74254b635cf84653a56d7c675be77df");
        }
        ASSERT_TRUE(decoded) << text;
        EXPECT_EQ(encode_bech32(decoded->prefix, decoded->bytes), text);
    }
    EXPECT_TRUE(decode_bech32("A12UEL5L"));
}

TEST(Bech32, RefusesTheInvalidStringsOfBip173) {
    for (std::string_view text :
         {"\x20"
          "1nwldj5",
          "\x7f"
          "1axkwrx",
          "\x80"
          "1eym55h",
          "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "de1lg7wt\xff", "A1G7SGD8", "10a06t8", "1qzzfhee",
          "a12UEL5L", "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx"})
        EXPECT_FALSE(decode_bech32(text)) << printable(text);
}

TEST(Bech32, RefusesPaddingThatIsNotZeroOrAWholeCharacterLong) {
    EXPECT_TRUE(decode_bech32("age1qqpexly5")) << "one byte and two zero bits";
    for (auto text : {"age1qpu0j2ex" /* one byte and the bits 01 */, "age1qdd35qf" /* five bits and no byte */}) {
        auto decoded = decode_bech32(text);
        ASSERT_FALSE(decoded) << text;
        EXPECT_NE(decoded.error().what.find("padding"), std::string::npos) << text;
    }
}

TEST(Bech32, SaysWhatIsWrongAndNeverRepeatsIt) {
    std::string secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
    auto decoded = decode_bech32(secret);
    ASSERT_FALSE(decoded);
    EXPECT_NE(decoded.error().what.find("checksum"), std::string::npos);
    EXPECT_EQ(decoded.error().what.find("QQ"), std::string::npos);
    EXPECT_NE(decode_bech32("Age1abc").error().what.find("mixes"), std::string::npos);
}

TEST(Recipient, IsReadAndWrittenAsAgeDoes) {
    auto recipient = Recipient::parse(a_recipient);
    ASSERT_TRUE(recipient) << recipient.error().what;
    EXPECT_EQ(recipient->str(), a_recipient);
}

TEST(Recipient, RefusesAnIdentityByNameWithoutRepeatingIt) {
    for (std::string text :
         {"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX", "age-secret-key-1gfpyy"}) {
        auto recipient = Recipient::parse(text);
        ASSERT_FALSE(recipient);
        EXPECT_NE(recipient.error().what.find("identity"), std::string::npos);
        EXPECT_EQ(recipient.error().what.find("GFPYY"), std::string::npos);
    }
}

TEST(Recipient, NamesKeysOfOtherKinds) {
    const std::string data(60, 'q');
    for (const auto& [text, kind] : std::vector<std::pair<std::string, std::string>>{
             {"age1pq1" + std::string(1950, 'q'), "post-quantum kind"},
             {"AGE1PQ1" + data, "post-quantum kind"},
             {"age1yubikey1" + data, "the plugin \"yubikey\""},
             {"age1tag1" + data, "hardware key (P-256"},
             {"age1tagpq1" + data, "hardware key (post-quantum"},
             {"age1fido2-hmac1" + data, "the plugin \"fido2-hmac\""},
             {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@host", "an SSH key"},
             {"ssh-rsa AAAAB3NzaC1yc2E", "an SSH key"},
             {"sk-ssh-ed25519@openssh.com AAAA", "an SSH key"},
             {"ecdsa-sha2-nistp256 AAAA", "an SSH key"},
             {"-----BEGIN PGP PUBLIC KEY BLOCK-----", "a PGP key"}}) {
        auto recipient = Recipient::parse(text);
        ASSERT_FALSE(recipient) << text;
        EXPECT_NE(recipient.error().what.find(kind), std::string::npos) << recipient.error().what;
        EXPECT_NE(recipient.error().what.find("X25519 keys alone"), std::string::npos) << recipient.error().what;
        EXPECT_EQ(recipient.error().what.find("qqqq"), std::string::npos) << recipient.error().what;
    }
    for (std::string_view text : {"AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQ", "AGE-SECRET-KEY-PQ-1QQQQQQQQ"}) {
        auto recipient = Recipient::parse(text);
        ASSERT_FALSE(recipient);
        EXPECT_NE(recipient.error().what.find("but an identity, which is secret"), std::string::npos);
    }
    // A letter of an X25519 key that was misread as a '1' makes no plugin.
    for (auto at : {12, 40}) {
        auto misread = std::string{a_recipient};
        misread[static_cast<std::size_t>(at)] = '1';
        EXPECT_EQ(Recipient::parse(misread).error().what.find("plugin"), std::string::npos);
    }
}

TEST(Recipient, RefusesWhatIsNotOne) {
    for (std::string text :
         {std::string{}, std::string{"age1"}, std::string{"ssh-ed25519 AAAA"}, std::string{a_recipient.substr(0, 61)},
          std::string{a_recipient} + " ", std::string{"AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P"},
          encode_bech32("age", "short"), encode_bech32("bge", std::string(32, 'x')),
          encode_bech32("age", std::string(32, '\0'))})
        EXPECT_FALSE(Recipient::parse(text)) << text;
    EXPECT_NE(Recipient::parse(encode_bech32("age", std::string(32, '\0'))).error().what.find("low order"),
              std::string::npos);
}

TEST(Recipients, AreOneALineWithCommentsAndNameTheLineThatIsWrong) {
    auto text = "# tenant acme\n\n" + std::string{a_recipient} + "\r\n" + std::string{a_recipient};
    auto recipients = parse_recipients(text);
    ASSERT_TRUE(recipients) << recipients.error().what;
    EXPECT_EQ(recipients->size(), 1U) << "the same recipient twice is one";
    auto wrong = parse_recipients("# one\nage1nonsense\n");
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(wrong.error().what.starts_with("line 2: ")) << wrong.error().what;

    std::string many;
    for (std::uint8_t i = 0; i <= recipients_max; ++i) {
        Key32 scalar{};
        scalar.fill(i);
        many += Recipient{x25519_public_key(scalar)}.str() + "\n";
    }
    EXPECT_FALSE(parse_recipients(many));
}

TEST(Hkdf, DerivesKeysAsRfc5869SaysWithAndWithoutSalt) {
    // RFC 5869, appendix A, test cases 1 and 3: the first 32 bytes.
    auto first = hkdf_sha256(std::string(22, '\x0b'), *from_hex("000102030405060708090a0b0c"),
                             *from_hex("f0f1f2f3f4f5f6f7f8f9"));
    EXPECT_EQ(to_hex(as_view(first)), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    auto third = hkdf_sha256(std::string(22, '\x0b'), "", "");
    EXPECT_EQ(to_hex(as_view(third)), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(X25519, GivesBothSidesTheSameSecretAndRefusesPointsOfLowOrder) {
    Key32 ours{}, theirs{}, one{}, other{};
    random_bytes(ours.data(), ours.size());
    random_bytes(theirs.data(), theirs.size());
    ASSERT_TRUE(x25519(ours, x25519_public_key(theirs), one));
    ASSERT_TRUE(x25519(theirs, x25519_public_key(ours), other));
    EXPECT_EQ(one, other);
    EXPECT_FALSE(x25519(ours, Key32{}, one));
    EXPECT_FALSE(x25519(ours, Key32{1}, one));
}

}  // namespace
}  // namespace boatswain::crypto
