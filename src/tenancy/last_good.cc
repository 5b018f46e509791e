#include "tenancy/last_good.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace boatswain::tenancy {
namespace {

constexpr std::string_view first_line = "boatswain keyring 1";
constexpr unsigned for_us_and_our_group = 0640;

// Takes the text up to `end` off `rest`; all of it without one.
std::string_view take(std::string_view& rest, char end) {
    auto at = std::min(rest.find(end), rest.size());
    auto taken = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return taken;
}

Result<std::string> take_name(std::string_view& rest, const LastGood& known) {
    auto name = percent_decode(take(rest, ' '));
    if (!name || name->empty()) return fail(Remedy::quarantine, "a name is no percent-encoded text");
    if (known.files.contains(*name) || known.removed.contains(*name))
        return fail(Remedy::quarantine, "a name stands there twice");
    return std::move(*name);
}

Result<void> take_key(std::string_view rest, LastGood& known) {
    TRY(auto name, take_name(rest, known));
    std::vector<crypto::Recipient> recipients;
    while (!rest.empty()) {
        TRY(auto recipient, crypto::Recipient::parse(take(rest, ' ')));
        if (recipients.size() >= crypto::recipients_max) return fail(Remedy::quarantine, "too many recipients");
        recipients.push_back(recipient);
    }
    if (recipients.empty()) return fail(Remedy::quarantine, "a name without a recipient");
    known.files.emplace(std::move(name), std::move(recipients));
    return {};
}

Result<void> take_removed(std::string_view rest, LastGood& known) {
    TRY(auto name, take_name(rest, known));
    std::int64_t since = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), since);
    if (error != std::errc{} || end != rest.data() + rest.size())
        return fail(Remedy::quarantine, "a removed name without its time");
    known.removed.emplace(std::move(name), Timestamp{Nanoseconds{since}});
    return {};
}

}  // namespace

std::string format_last_good(const Path& keyring, const LastGood& known) {
    std::string text{first_line};
    text += "\nkeyring " + percent_encode(keyring.string()) + "\n";
    for (const auto& [name, recipients] : known.files) {
        text += "key " + percent_encode(name);
        for (const auto& recipient : recipients) text += " " + recipient.str();
        text += '\n';
    }
    for (const auto& [name, since] : known.removed)
        text += "removed " + percent_encode(name) + " " + std::to_string(since.time_since_epoch().count()) + "\n";
    return text + "end " + std::to_string(known.files.size() + known.removed.size()) + "\n";
}

Result<LastGood> parse_last_good(std::string_view text, const Path& keyring) {
    if (take(text, '\n') != first_line) return fail(Remedy::quarantine, "line 1: not the beginning of such a file");
    auto of = take(text, '\n');
    if (of != "keyring " + percent_encode(keyring.string())) return LastGood{};
    LastGood known;
    for (std::size_t number = 3; !text.empty(); ++number) {
        auto line = take(text, '\n');
        auto where = "line " + std::to_string(number);
        auto word = take(line, ' ');
        if (word == "end") {
            if (line != std::to_string(known.files.size() + known.removed.size()) || !text.empty())
                return fail(Remedy::quarantine, where + ": the end does not fit");
            return known;
        }
        if (auto taken = word == "key"       ? take_key(line, known)
                         : word == "removed" ? take_removed(line, known)
                                             : fail(Remedy::quarantine, "neither a key nor the end");
            !taken)
            return fail(Remedy::quarantine, where + ": " + taken.error().what);
    }
    return fail(Remedy::quarantine, "the end is missing");
}

Result<LastGood> read_last_good(const Path& file, const Path& keyring) {
    auto text = read_file(file, last_good_bytes_max);
    if (!text && text.error().remedy == Remedy::re_resolve) return LastGood{};
    if (!text) return std::unexpected(std::move(text).error());
    auto files = parse_last_good(*text, keyring);
    if (!files) return std::unexpected(std::move(files).error().within(file.string()));
    return files;
}

Result<void> write_last_good(const Path& file, const Path& keyring, const LastGood& known) {
    auto text = format_last_good(keyring, known);
    if (text.size() > last_good_bytes_max)
        return fail(Remedy::stop, file.string() + ": the keyring's recipients are more than can be kept");
    return write_file_durably(file, text, for_us_and_our_group);
}

}  // namespace boatswain::tenancy
