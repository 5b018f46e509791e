#include "tenancy/identity.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace boatswain::tenancy {
namespace {

constexpr std::string_view suffix = ".key";
constexpr std::array<std::string_view, 3> marks{"age-secret-key-", "age-plugin-", "private key-----"};
constexpr std::size_t names_told_max = 4;

bool is_same_letter(char text, char mark) { return lower_case(text) == mark; }

}  // namespace

bool is_named_as_identity(std::string_view name) {
    return name.size() >= suffix.size() && equal_in_any_case(name.substr(name.size() - suffix.size()), suffix);
}

bool is_identity_text(std::string_view text) {
    return std::ranges::any_of(
        marks, [&](std::string_view mark) { return !std::ranges::search(text, mark, is_same_letter).empty(); });
}

std::string identities_refused(const Path& directory, const std::vector<std::string>& names) {
    std::string told;
    for (std::size_t i = 0; i < std::min(names.size(), names_told_max); ++i)
        told += (i > 0 ? ", " : "") + printable(names[i]);
    if (names.size() > names_told_max) told += " and " + std::to_string(names.size() - names_told_max) + " more";
    bool one = names.size() == 1;
    return "the keyring " + directory.string() + " holds " + (one ? "a private key" : "private keys") + ": " + told +
           ". A host keeps public keys (*.pub) only. Move " + (one ? "it" : "them") +
           " to a safe machine, and delete " + (one ? "it" : "them") +
           " here; if others could read this host or its backups, take " + (one ? "it" : "each") +
           " for leaked and make a new key";
}

}  // namespace boatswain::tenancy
