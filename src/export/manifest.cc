#include "export/manifest.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "crypto/digest.h"

namespace boatswain::exporting {

namespace {

constexpr std::string_view format_name = "boatswain-export-1";
constexpr std::size_t digest_digits = 32;

std::unexpected<Error> not_one(std::string_view why) {
    return fail(Remedy::quarantine, "not the manifest of an export: " + std::string{why});
}

}  // namespace

std::string digest_of(const segment::ObjectKey& key) {
    return to_hex(crypto::sha256(key.str())).substr(0, digest_digits);
}

std::string Manifest::json() const {
    return json_object()
        .member("format", format_name)
        .member("question", question)
        .member("segments", segments)
        .member("parts", parts)
        .member("lines", lines)
        .member("gaps", gaps)
        .member("bytes", bytes)
        .member("damaged", damaged)
        .take_line();
}

Result<Manifest> parse_manifest(std::string_view text) {
    json::parser parser;
    TRY(auto parsed, json::parse_object(parser, text, "the manifest"));
    std::optional<json::object> fields = parsed;
    if (json::view_of(fields, "format") != format_name) return not_one("its format is another");
    Manifest manifest{.question = json::text_of(fields, "question"), .segments = {}};
    bool all_whole = true;
    auto number = [&](std::string_view name) {
        auto value = json::get<std::uint64_t>(fields, name);
        all_whole = all_whole && value;
        return value.value_or(0);
    };
    manifest.parts = number("parts");
    manifest.lines = number("lines");
    manifest.gaps = number("gaps");
    manifest.bytes = number("bytes");
    manifest.damaged = number("damaged");
    json::for_each_text(fields, "segments", [&](std::string_view digest) {
        all_whole = all_whole && digest.size() == digest_digits;
        manifest.segments.emplace(digest);
    });
    if (!all_whole) return not_one("a member is missing or wrong");
    return manifest;
}

}  // namespace boatswain::exporting
