// The shared credentials file and the shared configuration file, and what one profile gets from the two.
#include "base/bytes.h"
#include "base/file.h"
#include "store/credential_process.h"
#include "store/credential_sources.h"
#include "store/shared_profile.h"

namespace boatswain::store {
namespace {

constexpr std::uint64_t shared_file_bytes_max = 1 << 20;

// One of the two files, and what it says of the profile.
struct Place {
    Path path;
    bool named = false;  // by a variable, and not by habit
    bool there = false;
    SharedProfile profile{};
};

std::optional<Place> place_of(const Environment& environment, std::string_view variable, std::string_view name) {
    if (auto file = setting(environment, {variable})) return Place{.path = *file, .named = true};
    auto home = setting(environment, {"HOME"});
    if (!home) return std::nullopt;
    return Place{.path = Path{*home} / ".aws" / name};
}

// A file that is not there is no error yet.
Result<void> read(Place& place, std::string_view profile, SharedFile kind) {
    auto text = read_file(place.path, shared_file_bytes_max);
    if (!text && text.error().remedy == Remedy::re_resolve) return {};
    if (!text) return fail(Remedy::stop, "credentials: " + text.error().what);
    WipeAtEnd wiped{*text};
    auto parsed = parse_profile(*text, profile, kind);
    if (!parsed)
        return std::unexpected(
            std::move(parsed).error().within("profile \"" + printable(profile) + "\" of " + place.path.string()));
    place.there = true;
    place.profile = std::move(*parsed);
    return {};
}

std::string where(const Place& place, std::string_view profile) {
    return "profile \"" + printable(profile) + "\" of " + place.path.string();
}

// What the profile gives by itself; nothing when it does not.
MaybeCredentials from_place(Place& place, std::string_view profile, const CredentialOptions& options) {
    auto& [found, credentials, process, region, unsupported] = place.profile;
    if (place.profile.has_keys()) {
        if (auto problem = tidy(credentials)) return fail(Remedy::stop, where(place, profile) + ": " + *problem);
        credentials.source = where(place, profile);
        credentials.renewable = true;
        return std::move(credentials);
    }
    if (!process.empty()) return from_process(process, where(place, profile), options.no_programs_because);
    if (!unsupported.empty())
        return fail(Remedy::stop, where(place, profile) + ": " + unsupported +
                                      " is not supported: give aws_access_key_id and aws_secret_access_key, or a "
                                      "credential_process");
    return std::nullopt;
}

}  // namespace

std::optional<std::string> region_of_shared_files(const Environment& environment,
                                                  const std::optional<std::string>& named) {
    auto asked_for = named ? named : setting(environment, {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"});
    auto profile = asked_for.value_or("default");
    auto config = place_of(environment, "AWS_CONFIG_FILE", "config");
    auto credentials = place_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    // What is wrong with a file is reported where credentials are looked for in it.
    if (config && read(*config, profile, SharedFile::config) && !config->profile.region.empty())
        return config->profile.region;
    if (credentials && read(*credentials, profile, SharedFile::credentials) && !credentials->profile.region.empty())
        return credentials->profile.region;
    return std::nullopt;
}

MaybeCredentials from_shared_files(const Environment& environment, const CredentialOptions& options) {
    auto asked_for = options.profile ? options.profile : setting(environment, {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"});
    auto profile = asked_for.value_or("default");
    // The SDKs take AWS_PROFILE=default for what holds anyway.
    bool must_be_there = options.profile || profile != "default";

    auto credentials = place_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    auto config = place_of(environment, "AWS_CONFIG_FILE", "config");
    if (credentials) CHECK(read(*credentials, profile, SharedFile::credentials));
    if (credentials && credentials->named && !credentials->there)
        return fail(Remedy::stop,
                    "credentials: there is no file " + credentials->path.string() + " (AWS_SHARED_CREDENTIALS_FILE)");
    if (config) CHECK(read(*config, profile, SharedFile::config));

    std::string files;
    bool found = false;
    for (auto* place : {credentials ? &*credentials : nullptr, config ? &*config : nullptr}) {
        if (place == nullptr) continue;
        TRY(auto got, from_place(*place, profile, options));
        if (got) return got;
        found |= place->profile.found;
        files += (files.empty() ? "" : " or ") + place->path.string();
    }
    must_be_there = must_be_there || (credentials && (credentials->named || credentials->profile.found));
    if (!must_be_there) return std::nullopt;
    auto whose =
        "profile \"" + printable(profile) + "\" of " + (files.empty() ? "a shared file (HOME is not set)" : files);
    if (found) return fail(Remedy::stop, whose + ": the access key is missing");
    return fail(Remedy::stop, "there is no " + whose);
}

}  // namespace boatswain::store
