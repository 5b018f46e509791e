#include "api/client_names.h"

#include <sys/stat.h>

#include "api/tokens.h"
#include "base/bytes.h"
#include "base/text.h"

namespace boatswain::api {
namespace {

// How old what was read of the file may be.
constexpr std::chrono::milliseconds look_every{1000};

std::string_view take_word(std::string_view& line, std::string_view by = " ") {
    auto word = line.substr(0, line.find(by));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    return word;
}

bool is_kind(std::string_view name) {
    for (std::string_view kind : {"uri:", "dns:", "cn:"})
        if (name.starts_with(kind) && name.size() > kind.size()) return true;
    return false;
}

std::optional<CertifiedClient> parse_line(std::string_view line) {
    auto name = percent_decode(take_word(line)), whose = percent_decode(take_word(line));
    auto apps = take_word(line);
    if (!name || !is_kind(*name) || !whose || apps.empty() || !line.empty()) return std::nullopt;
    auto tenant = TenantId::parse(*whose);
    if (!tenant) return std::nullopt;
    CertifiedClient client{.tenant = std::move(*tenant), .apps = {}, .name = std::move(*name)};
    while (apps != "*" && !apps.empty()) {
        auto app = percent_decode(take_word(apps, ","));
        if (!app || app->empty() || client.apps.size() == token_apps_max) return std::nullopt;
        client.apps.push_back(std::move(*app));
    }
    return client;
}

Result<ClientNames> read_names(const Path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return fail_errno(Remedy::stop, "read " + file.string());
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Remedy::stop, file.string() + " may be written to by others than its owner (chmod 644)");
    TRY(auto text, read_file(file, client_names_bytes_max));
    auto names = parse_client_names(text);
    if (!names) return std::unexpected(std::move(names).error().within(file.string()));
    return names;
}

}  // namespace

Result<ClientNames> parse_client_names(std::string_view text) {
    ClientNames names;
    for (std::size_t number = 1; !text.empty(); ++number) {
        auto line = take_word(text, "\n");
        if (line.empty() || line.starts_with('#')) continue;
        auto refuse = [&](const std::string& what) {
            return fail(Remedy::stop, "line " + std::to_string(number) + " " + what);
        };
        auto client = parse_line(line);
        if (!client) return refuse("is not uri:URI, dns:NAME or cn:NAME, a tenant, and apps (* for all)");
        if (names.size() == client_names_max) return refuse("is one name too many");
        auto name = client->name;
        if (!names.emplace(std::move(name), std::move(*client)).second)
            return refuse("has a name that is there already");
    }
    return names;
}

void ClientNamesFile::look() {
    if (looked_ && clock_.steady() - *looked_ < look_every) return;
    looked_ = clock_.steady();
    auto read = read_names(file_);
    trouble_ = read ? std::optional<Error>{} : std::optional{std::move(read).error()};
    names_ = trouble_ ? ClientNames{} : std::move(*read);
}

std::optional<CertifiedClient> ClientNamesFile::find(const std::vector<std::string>& names) {
    std::lock_guard lock{mutex_};
    look();
    std::optional<CertifiedClient> found;
    for (const auto& name : names) {
        auto known = names_.find(name);
        if (known == names_.end()) continue;
        if (found && !found->reads_the_same(known->second)) return std::nullopt;
        if (!found) found = known->second;
    }
    return found;
}

std::optional<Error> ClientNamesFile::trouble() {
    std::lock_guard lock{mutex_};
    look();
    return trouble_;
}

}  // namespace boatswain::api
