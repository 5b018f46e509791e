#include "crypto/bech32.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "base/text.h"

namespace boatswain::crypto {
namespace {

constexpr std::string_view alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t checksum_characters = 6;

// The checksum of BIP 173, fed one 5-bit value at a time; a valid text leaves it at 1.
class Checksum {
  public:
    void add(std::uint32_t value) {
        static constexpr std::array<std::uint32_t, 5> generator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                                0x2a1462b3};
        std::uint32_t top = state_ >> 25;
        state_ = ((state_ & 0x1ffffff) << 5) ^ value;
        for (std::size_t i = 0; i < generator.size(); ++i)
            if ((top >> i) & 1) state_ ^= generator[i];
    }
    void add_prefix(std::string_view prefix) {
        for (unsigned char c : prefix) add(c >> 5);
        add(0);
        for (unsigned char c : prefix) add(c & 31);
    }
    std::uint32_t state() const { return state_; }

  private:
    std::uint32_t state_ = 1;
};

}  // namespace

Result<Bech32> decode_bech32(std::string_view text) {
    auto refuse = [](std::string why) { return fail(Remedy::stop, std::move(why)); };
    if (text.size() > bech32_characters_max) return refuse("it is too long");
    if (std::ranges::any_of(text, [](char c) { return c < 33 || c > 126; }))
        return refuse("it holds a space or a character that is not ASCII");
    if (std::ranges::any_of(text, is_upper_letter) && std::ranges::any_of(text, is_lower_letter))
        return refuse("it mixes upper and lower case");
    auto separator = text.rfind('1');
    if (separator == std::string_view::npos || separator == 0) return refuse("it has no prefix");
    auto data = text.substr(separator + 1);
    if (data.size() < checksum_characters) return refuse("it is too short");

    Bech32 decoded;
    Checksum checksum;
    for (char c : text.substr(0, separator)) decoded.prefix += lower_case(c);
    checksum.add_prefix(decoded.prefix);
    decoded.prefix = text.substr(0, separator);
    decoded.bytes.reserve(data.size() * 5 / 8);  // no regrowth: it may be a secret that the caller wipes

    std::uint32_t bits = 0;
    unsigned have = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
        auto value = alphabet.find(lower_case(data[i]));
        if (value == std::string_view::npos) return refuse("it holds a character that is not of the Bech32 alphabet");
        checksum.add(static_cast<std::uint32_t>(value));
        if (i >= data.size() - checksum_characters) continue;
        bits = (bits << 5) | static_cast<std::uint32_t>(value);
        have += 5;
        if (have >= 8) {
            have -= 8;
            decoded.bytes += static_cast<char>((bits >> have) & 255);
        }
    }
    std::uint32_t left_over = bits & ((1U << have) - 1);
    OPENSSL_cleanse(&bits, sizeof bits);
    if (checksum.state() != 1) return refuse("its checksum does not match: a character is wrong or missing");
    if (have >= 5 || left_over != 0) return refuse("its padding is not zero");
    return decoded;
}

std::string encode_bech32(std::string_view prefix, std::string_view bytes) {
    std::string text;
    text.reserve(prefix.size() + 1 + (bytes.size() * 8 + 4) / 5 + checksum_characters);
    text += prefix;
    text += '1';
    Checksum checksum;
    checksum.add_prefix(prefix);
    auto put = [&](std::uint32_t value) {
        checksum.add(value);
        text += alphabet[value];
    };
    std::uint32_t bits = 0;
    unsigned have = 0;
    for (unsigned char byte : bytes) {
        bits = (bits << 8) | byte;
        have += 8;
        while (have >= 5) {
            have -= 5;
            put((bits >> have) & 31);
        }
    }
    if (have > 0) put((bits << (5 - have)) & 31);
    OPENSSL_cleanse(&bits, sizeof bits);

    for (std::size_t i = 0; i < checksum_characters; ++i) checksum.add(0);
    std::uint32_t sum = checksum.state() ^ 1;
    for (std::size_t i = 0; i < checksum_characters; ++i) text += alphabet[(sum >> (5 * (5 - i))) & 31];
    return text;
}

}  // namespace boatswain::crypto
