#include "tenancy/carried_key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "record/source_facts.h"
#include "tenancy/pod_words.h"

namespace boatswain::tenancy {
namespace {

constexpr std::string_view blanks_and_quotes = " \t\r\n\"'";

// Texts that begin so are no secret and no recipient.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> public_kinds{{
    {word_too_long, "a text that is longer than a word of a container may be"},
    {"age-secret-key-", "an age identity (a private key) is carried where a recipient or a secret is meant"},
    {"age-plugin-", "the identity of an age plugin is carried where a recipient or a secret is meant"},
    {"ssh-", "an SSH key, which is no age recipient and no secret"},
    {"sk-ssh-", "an SSH key, which is no age recipient and no secret"},
    {"ecdsa-sha2-", "an SSH key, which is no age recipient and no secret"},
    {"sk-ecdsa-sha2-", "an SSH key, which is no age recipient and no secret"},
    {"-----begin", "a PEM block, which is no age recipient and no secret"},
    {"arn:", "a reference to a secret, which nobody has resolved"},
    {"vault:", "a reference to a secret, which nobody has resolved"},
    {"secret:", "a rule of tenancy.recipient, and not what it answers with"},
    {"env:", "a rule of tenancy.recipient, and not what it answers with"},
    {"label:", "a rule of tenancy.recipient, and not what it answers with"},
    {"pod-label:", "a rule of tenancy.recipient, and not what it answers with"},
    {"pod-annotation:", "a rule of tenancy.recipient, and not what it answers with"},
}};

bool holds(std::string_view text, std::string_view open, std::string_view close) {
    auto at = text.find(open);
    return at != std::string_view::npos && text.find(close, at + open.size()) != std::string_view::npos;
}

// "$NAME" and nothing else.
bool is_a_variable(std::string_view text) {
    auto is_word = [](char c) { return c == '_' || is_letter_or_digit(c); };
    return text.size() > 1 && text.front() == '$' && !is_digit(text[1]) && std::ranges::all_of(text.substr(1), is_word);
}

// What a template left behind: the same on every host, and often in a public repository.
bool is_a_placeholder(std::string_view text) {
    bool in_brackets =
        text.size() > 1 && ((text.front() == '<' && text.back() == '>') || (text.front() == '%' && text.back() == '%'));
    return in_brackets || is_a_variable(text) || holds(text, "${", "}") || holds(text, "$(", ")") ||
           holds(text, "{{", "}}");
}

// Wherever it stands: options may be before it, and its type may be missing. (Base64 of the length and name of its
// type.)
bool holds_an_ssh_key(std::string_view text) {
    return std::ranges::any_of(std::array<std::string_view, 5>{"AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh",
                                                               "AAAAGnNrLXNzaC", "AAAAInNrLWVjZHNh"},
                               [&](std::string_view blob) { return text.contains(blob); });
}

// "KEY=age1...", two of them, a file's line with its comment.
bool holds_a_recipient(std::string_view text) {
    constexpr std::size_t telling = 50;  // characters of the 58 behind "age1"
    auto small = lower_case(text);
    for (auto at = small.find("age1"); at != std::string::npos; at = small.find("age1", at + 1)) {
        auto rest = std::string_view{small}.substr(at + 4);
        auto end = rest.find_first_not_of("qpzry9x8gf2tvdw0s3jn54khce6mua7l");
        if (std::min(end, rest.size()) >= telling) return true;
    }
    return false;
}

bool is_a_url(std::string_view text) {
    auto end = text.find("://");
    if (end == std::string_view::npos || end == 0) return false;
    return std::ranges::all_of(text.substr(0, end),
                               [](char c) { return is_letter_or_digit(c) || c == '+' || c == '.' || c == '-'; });
}

CarriedMeaning refused(std::string why) { return {.is = CarriedMeaning::Is::refused, .recipient = {}, .why = why}; }

// Of a text that begins with "age1", in whatever case.
CarriedMeaning read_recipient(std::string_view text) {
    if (auto recipient = crypto::Recipient::parse(text))
        return {.is = CarriedMeaning::Is::recipient, .recipient = *recipient, .why = {}};
    auto small = lower_case(text);
    // Bech32 allows upper case; age does not (its specification has lower case only, and the tool refuses it).
    if (crypto::Recipient::parse(small))
        return refused("an age recipient with upper-case letters, which age does not take: write it in lower case");
    // "age1yubikey1...", "age1pq1...": Bech32's separator is the last '1', and its alphabet has none.
    if (small.find('1', 4) != std::string::npos)
        return refused(
            "begins like the recipient of an age plugin or a post-quantum one (age1NAME1...); only X25519 "
            "recipients are taken");
    return refused("begins with \"age1\" but is not an age recipient: a character is wrong or missing");
}

}  // namespace

bool is_in_quotes(std::string_view text) {
    text = trim(text);
    return text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

CarriedMeaning read_carried(const CarriedText& carried) {
    // What stands in place of a word that is too long to be kept is the same everywhere: never a secret.
    if (carried.text == word_not_known) return refused("could not be asked for");
    if (carried.text.starts_with('\x01')) return refused("longer than what is kept of a container's words");
    auto text = trim(carried.text, blanks_and_quotes);
    if (text.empty()) return refused("holds nothing but white space or quotes");
    if (starts_in_any_case(text, "age1")) return read_recipient(text);
    for (const auto& [beginning, kind] : public_kinds)
        if (starts_in_any_case(text, beginning)) return refused(std::string{kind});
    if (holds_an_ssh_key(text)) return refused("an SSH key, which is no age recipient and no secret");
    if (holds_a_recipient(text)) return refused("text around an age recipient: give the recipient alone");
    if (is_a_placeholder(text)) return refused("a placeholder that nobody has filled in");
    if (is_a_url(text)) return refused("a URL, which is no age recipient and no secret");
    if (carried.secret) return {.is = CarriedMeaning::Is::secret, .recipient = {}, .why = {}};
    auto meaning = refused(
        "text that is no age recipient (if it is a secret to derive a key from, tenancy.recipient has to say so: "
        "\"secret:" +
        carried.rule + "\")");
    meaning.perhaps_a_secret = true;
    return meaning;
}

}  // namespace boatswain::tenancy
