#include "api/tokens.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace boatswain::api {
namespace {

constexpr std::string_view token_prefix = "bst_";
constexpr std::string_view operator_word = "_operator";  // no tenant is called so
constexpr std::size_t secret_bytes = 32, id_bytes = 4, hash_bytes = 32;
constexpr unsigned file_mode = 0600;
constexpr std::string_view heading =
    "# Tokens of `boatswain serve`: ID SHA256 TENANT EXPIRES APPS. `boatswain token` writes this file.\n";

// Another file, or another content, has another stamp. Empty when there is none.
std::string stamp_of(const Path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return {};
    return std::to_string(found.st_dev) + " " + std::to_string(found.st_ino) + " " + std::to_string(found.st_size) +
           " " + std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec);
}

std::string random_hex(std::size_t bytes) {
    std::array<char, secret_bytes> random{};
    WipeAtEnd wiped{random};
    crypto::random_bytes(random.data(), bytes);
    return to_hex({random.data(), bytes});
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto end = text.find(by);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<Token> parse_token(std::string_view line) {
    auto words = split(line, ' ');
    if (words.size() != 5) return std::nullopt;
    auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (words[0].size() != 2 * id_bytes || !std::ranges::all_of(words[0], is_hex)) return std::nullopt;
    auto hash = from_hex(words[1]);
    auto name = percent_decode(words[2]);
    if (!hash || hash->size() != hash_bytes || !name) return std::nullopt;
    bool is_operator = words[2] == operator_word;
    auto tenant = is_operator ? Result<TenantId>{TenantId::canary()} : TenantId::parse(*name);
    if (!tenant || (is_operator && words[4] != "*")) return std::nullopt;
    Token token{.id = std::string{words[0]},
                .sha256 = *hash,
                .tenant = *tenant,
                .expires = {},
                .apps = {},
                .is_operator = is_operator};
    if (words[3] != "never") {
        token.expires = parse_time(words[3]);
        if (!token.expires) return std::nullopt;
    }
    if (words[4] == "*") return token;
    for (auto part : split(words[4], ',')) {
        auto app = percent_decode(part);
        if (!app || app->empty() || token.apps.size() == token_apps_max) return std::nullopt;
        token.apps.push_back(std::move(*app));
    }
    return token;
}

}  // namespace

NewToken make_token(TenantId tenant, std::optional<Timestamp> expires, std::vector<std::string> apps) {
    auto text = std::string{token_prefix} + random_hex(secret_bytes);
    WipeAtEnd wiped{text};
    return {.token = {.id = random_hex(id_bytes),
                      .sha256 = crypto::sha256(text),
                      .tenant = std::move(tenant),
                      .expires = expires,
                      .apps = std::move(apps)},
            .text = Secret{text}};
}

NewToken make_operator_token(std::optional<Timestamp> expires) {
    auto made = make_token(TenantId::canary(), expires, {});
    made.token.is_operator = true;
    return made;
}

Result<std::vector<Token>> parse_tokens(std::string_view text) {
    std::vector<Token> tokens;
    std::size_t number = 0;
    for (auto line : split(text, '\n')) {
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        auto token = parse_token(line);
        if (!token) return fail(Remedy::stop, "line " + std::to_string(number) + " is no token");
        if (tokens.size() == tokens_max)
            return fail(Remedy::stop, "more than " + std::to_string(tokens_max) + " tokens");
        tokens.push_back(std::move(*token));
    }
    return tokens;
}

std::string to_file(const std::vector<Token>& tokens) {
    std::string text{heading};
    for (const auto& token : tokens) {
        text += token.id + " " + to_hex(token.sha256) + " " +
                (token.is_operator ? std::string{operator_word} : percent_encode(token.tenant.str())) + " " +
                (token.expires ? to_text(*token.expires) : "never") + " ";
        for (const char* comma = ""; const auto& app : token.apps)
            text += std::exchange(comma, ",") + percent_encode(app);
        text += token.apps.empty() ? "*\n" : "\n";
    }
    return text;
}

Result<std::vector<Token>> read_tokens(const Path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0)
        return fail_errno(errno == ENOENT ? Remedy::re_resolve : Remedy::stop, "read " + file.string());
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Remedy::stop, file.string() + " may be written to by others than its owner (chmod 600)");
    TRY(auto text, read_file(file, tokens_file_bytes_max));
    auto tokens = parse_tokens(text);
    if (!tokens) return std::unexpected(std::move(tokens).error().within(file.string()));
    return tokens;
}

Result<void> change_tokens(const Path& file, const std::function<Result<void>(std::vector<Token>&)>& change) {
    auto beside = file.string() + ".lock";
    Fd lock{::open(beside.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, file_mode)};
    if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return fail_errno(Remedy::stop, "lock " + beside);
    auto tokens = read_tokens(file);
    if (!tokens && tokens.error().remedy != Remedy::re_resolve) return std::unexpected(std::move(tokens).error());
    auto all = tokens ? std::move(*tokens) : std::vector<Token>{};
    CHECK(change(all));
    if (all.size() > tokens_max)
        return fail(Remedy::stop,
                    file.string() + " holds " + std::to_string(tokens_max) + " tokens, and no more may be");
    return write_file_durably(file, to_file(all), file_mode);
}

std::string_view bearer_of(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (!starts_in_any_case(authorization, scheme)) return {};
    return authorization.substr(scheme.size());
}

void TokenFile::look() {
    if (looked_ && clock_.steady() - *looked_ < tokens_look_every) return;
    read();
}

void TokenFile::read() {
    looked_ = clock_.steady();
    // Before reading: what is written meanwhile makes another stamp.
    stamp_ = stamp_of(file_);
    auto read = read_tokens(file_);
    trouble_ = read ? std::optional<Error>{} : std::optional{std::move(read).error()};
    tokens_ = trouble_ ? std::vector<Token>{} : std::move(*read);
}

const Token* TokenFile::known(std::string_view hash) const {
    const Token* found = nullptr;
    for (const auto& token : tokens_)
        if (crypto::equal_in_constant_time(token.sha256, hash)) found = &token;
    return found;
}

std::optional<Token> TokenFile::find(std::string_view text) {
    auto found = find_any(text);
    return found && !found->is_operator ? found : std::nullopt;
}

std::optional<OperatorToken> TokenFile::find_operator(std::string_view text) {
    auto found = find_any(text);
    if (!found || !found->is_operator) return std::nullopt;
    return OperatorToken{.id = std::move(found->id), .expires = found->expires};
}

std::optional<Token> TokenFile::find_any(std::string_view text) {
    auto hash = crypto::sha256(text);
    std::lock_guard lock{mutex_};
    look();
    const auto* found = known(hash);
    if (found == nullptr && text.starts_with(token_prefix) && stamp_of(file_) != stamp_) {
        read();
        found = known(hash);
    }
    if (found == nullptr || text.empty() || (found->expires && *found->expires <= clock_.now())) return std::nullopt;
    return *found;
}

std::optional<Error> TokenFile::trouble() {
    std::lock_guard lock{mutex_};
    look();
    return trouble_;
}

}  // namespace boatswain::api
