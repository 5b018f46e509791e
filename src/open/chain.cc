#include "open/chain.h"

#include <charconv>

#include "base/bytes.h"
#include "segment/format.h"

namespace boatswain::open {
namespace {

using segment::Chain;

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, "chain stanza: " + std::move(why)); }

// A part of a key, in the one encoding it has.
std::optional<std::string> decode_part(const std::string& part) {
    auto decoded = percent_decode(part);
    return decoded && !decoded->empty() && percent_encode(*decoded) == part ? decoded : std::nullopt;
}

std::optional<std::uint64_t> decode_number(const std::string& text) {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool whole = error == std::errc{} && end == text.data() + text.size() && std::to_string(number) == text;
    return whole && number > 0 && number <= segment::sequence_max ? std::optional{number} : std::nullopt;
}

Result<Chain> parse_chain(const AgeStanza& stanza) {
    constexpr std::size_t words = 5;  // the type and four arguments; more are of later versions
    if (stanza.arguments.size() < words) return refuse("fewer than four arguments");
    auto host = decode_part(stanza.arguments[1]);
    auto epoch = decode_part(stanza.arguments[2]);
    auto sequence = decode_number(stanza.arguments[3]);
    const auto& previous = stanza.arguments[4];
    if (!host) return refuse("a host that is not of the form");
    if (!epoch) return refuse("an epoch that is not of the form");
    if (!sequence) return refuse("a number that is not one");
    if (previous != "-" && !segment::is_sha256_hex(previous)) return refuse("a predecessor that is no SHA-256");
    return Chain{.host = std::move(*host),
                 .epoch = std::move(*epoch),
                 .sequence = *sequence,
                 .previous_sha256 = previous == "-" ? std::string{} : previous};
}

}  // namespace

Result<std::optional<Chain>> chain_of(const AgeHeader& header) {
    std::optional<Chain> found;
    for (const auto& stanza : header.stanzas) {
        if (stanza.arguments.front() != segment::chain_stanza_type) continue;
        if (found) return refuse("there are two");
        TRY(found, parse_chain(stanza));
    }
    return found;
}

Result<std::optional<Chain>> chain_in(std::string_view object_start) {
    TRY(auto header, parse_age_header(object_start));
    if (!header) return fail(Remedy::quarantine, "age header: the object ends before it does");
    return chain_of(*header);
}

Result<void> check_chain(const Chain& chain, const Footer& footer) {
    auto differ = [](std::string_view what, const std::string& header, const std::string& said) {
        return refuse("it says " + std::string{what} + " \"" + printable(header, 64) + "\" where the footer says \"" +
                      printable(said, 64) + "\"");
    };
    if (chain.host != footer.host) return differ("host", chain.host, footer.host);
    if (chain.epoch != footer.epoch) return differ("epoch", chain.epoch, footer.epoch);
    if (chain.sequence != footer.sequence)
        return differ("number", std::to_string(chain.sequence), std::to_string(footer.sequence));
    if (chain.previous_sha256 != footer.previous_sha256)
        return differ("predecessor", chain.previous_sha256, footer.previous_sha256);
    return {};
}

}  // namespace boatswain::open
