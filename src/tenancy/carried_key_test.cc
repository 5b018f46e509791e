#include "tenancy/carried_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace boatswain::tenancy {
namespace {

using testing::HasSubstr;
using testing::Not;
using Is = CarriedMeaning::Is;

const std::string recipient = "age1fpyfqxmn5d9ssc4j7h76ce2luvcx5dag4m894q4jczxke66ps9gqzynxl4";

CarriedMeaning plain(const std::string& text) {
    return read_carried({.text = text, .secret = false, .rule = "env:KEY"});
}
CarriedMeaning secret(const std::string& text) {
    return read_carried({.text = text, .secret = true, .rule = "secret:env:KEY"});
}

TEST(CarriedKey, TakesARecipientWhateverTheRuleSays) {
    for (const auto& text : {recipient, " " + recipient + "\r\n", "\"" + recipient + "\"", "'" + recipient + "'",
                             " \" " + recipient + " \"\n", "\"" + recipient})
        for (const auto& meaning : {plain(text), secret(text)}) {
            ASSERT_EQ(meaning.is, Is::recipient) << text << ": " << meaning.why;
            EXPECT_EQ(meaning.recipient->str(), recipient);
        }
}

// Each of these was a secret once: whoever knows the text could open the lines.
TEST(CarriedKey, NeverTakesPublicTextForASecret) {
    auto upper = recipient;
    for (auto& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    auto mixed = recipient, broken = recipient;
    mixed[10] = static_cast<char>(mixed[10] - 'a' + 'A');
    broken.back() = broken.back() == 'q' ? 'p' : 'q';
    std::vector<std::pair<std::string, std::string>> cases{
        {upper, "upper-case letters"},
        {"\"" + upper + "\"", "upper-case letters"},
        {mixed, "upper-case letters"},
        {broken, "a character is wrong or missing"},
        {"\"" + broken, "a character is wrong or missing"},
        {"KEY=" + recipient, "text around an age recipient"},
        {recipient + "," + recipient, "an age plugin"},
        {"command=\"date\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW", "an SSH key"},
        {"AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW", "an SSH key"},
        {"age1", "a character is wrong or missing"},
        {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "an age plugin"},
        {"age1pq1" + std::string(1900, 'q'), "post-quantum"},
        {"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQ", "an age identity (a private key)"},
        {"age-secret-key-1qqqqqqqqqqqqqqq", "an age identity (a private key)"},
        {"AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQ", "age plugin"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN", "an SSH key"},
        {"\"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ me@here\"", "an SSH key"},
        {"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t", "an SSH key"},
        {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY", "an SSH key"},
        {"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA", "a PEM block"},
        {"${KEY_OF_ACME}", "a placeholder"},
        {"prefix-${KEY_OF_ACME}", "a placeholder"},
        {"$KEY_OF_ACME", "a placeholder"},
        {"$(cat /run/secrets/key)", "a placeholder"},
        {"{{ key_of_acme }}", "a placeholder"},
        {"<key of acme>", "a placeholder"},
        {"%KEY_OF_ACME%", "a placeholder"},
        {"https://keys.example/acme", "a URL"},
        {"op://vault/acme/key", "a URL"},
        {"arn:aws:secretsmanager:eu-central-1:123456789012:secret:acme", "a reference to a secret"},
        {"secret:env:KEY_OF_ACME", "a rule of tenancy.recipient"},
        {"\"\"", "nothing but white space or quotes"},
        {"   ", "nothing but white space or quotes"},
        {"\x01too long", "longer than what is kept"},
        {"\x01not known", "could not be asked for"},
        {"pod-label:key", "a rule of tenancy.recipient"},
    };
    for (const auto& [text, why] : cases) {
        EXPECT_EQ(plain(text).is, Is::refused) << text;
        auto meaning = secret(text);
        EXPECT_EQ(meaning.is, Is::refused) << text;
        EXPECT_THAT(meaning.why, HasSubstr(why)) << text;
        EXPECT_FALSE(meaning.perhaps_a_secret);
        if (text.size() > 16) EXPECT_THAT(meaning.why, Not(HasSubstr(text.substr(text.size() - 10)))) << "the text";
    }
}

TEST(CarriedKey, TakesASecretOnlyWhereTheRuleSaysSo) {
    for (const std::string text :
         {"correct horse battery staple", "Zm9v/yaEgsT4=", "$2y$10$abcdefgh", "pass%word%", "1234"}) {
        EXPECT_EQ(secret(text).is, Is::secret) << text;
        auto meaning = plain(text);
        ASSERT_EQ(meaning.is, Is::refused) << text;
        EXPECT_TRUE(meaning.perhaps_a_secret);
        EXPECT_THAT(meaning.why, HasSubstr("\"secret:env:KEY\"")) << "what to write";
        EXPECT_THAT(meaning.why, Not(HasSubstr(text)));
    }
}

TEST(CarriedKey, SaysWhetherTextIsInQuotes) {
    EXPECT_TRUE(is_in_quotes("\"abc\""));
    EXPECT_TRUE(is_in_quotes(" 'abc' \n"));
    for (const auto* text : {"", "\"", "abc", "\"abc", "\"abc'"}) EXPECT_FALSE(is_in_quotes(text)) << text;
}

}  // namespace
}  // namespace boatswain::tenancy
