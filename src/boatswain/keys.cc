// keys new, keys show, keys derive: the keys that tenants hold.
#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>

#include "base/bytes.h"
#include "base/file.h"
#include "boatswain/commands.h"
#include "boatswain/reading.h"
#include "crypto/recipient.h"
#include "open/identity.h"
#include "query/selection.h"
#include "tenancy/derive.h"
#include "tenancy/keyring.h"

namespace boatswain::tool {

namespace {

constexpr std::uint64_t key_file_bytes_max = 1U << 20;
constexpr unsigned only_for_the_owner = 0600;
constexpr unsigned for_everyone = 0644;

// As age-keygen writes it, with the tenant's name on top.
std::string identity_text(std::string_view tenant, const open::Identity& identity, Timestamp now) {
    constexpr std::size_t to_seconds = 19;
    return fmt::format("# tenant: {}\n# created: {}Z\n# public key: {}\n{}\n", tenant,
                       to_text(now).substr(0, to_seconds), identity.recipient().str(), identity.str());
}

// A tenant's name, or one of the two that the operator has in the keyring.
Result<std::string> key_name(const std::string& tenant) {
    if (tenant == tenancy::break_glass_name) return tenant;
    TRY(auto id, query::parse_tenant(tenant));
    return id.str();
}

Result<void> write_new(const Path& path, std::string_view bytes, unsigned mode) {
    TRY(bool created, create_file_durably(path, bytes, mode));
    if (created) return {};
    return fail(Remedy::stop, path.string() +
                                  " is already there, and a key is never overwritten: lines that it opens would be "
                                  "lost. Move it away, or write elsewhere with --out DIR");
}

Result<void> refuse_existing(const Path& path) {
    std::error_code trouble;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, trouble))) return {};
    return fail(Remedy::stop, path.string() +
                                  " is already there and is not overwritten. Move it away, or write elsewhere with "
                                  "--out DIR. (A second key for a tenant is one more line in its .pub file)");
}

std::string_view what_it_opens(std::string_view name) {
    if (name == tenancy::break_glass_name)
        return "opens every line of every tenant that is sealed while _break-glass.pub is in the keyring. It is the\n"
               "               operator's, for emergencies: lock it away.";
    if (name == TenantId::unassigned().str())
        return "opens the lines of containers without a tenant, or without a key. It is the operator's.";
    return "opens the tenant's lines. It belongs to the tenant.";
}

// Where hosts keep public keys by default: an identity made there is on a host, and keeps the agent from starting.
constexpr std::string_view keyring_of_hosts = "/etc/boatswain/keys";

Result<void> refuse_keyring(const Path& directory) {
    std::error_code unknown;
    auto place = std::filesystem::weakly_canonical(directory.empty() ? "." : directory, unknown);
    if (!unknown && !place.has_filename()) place = place.parent_path();
    if (place != keyring_of_hosts) return {};
    return fail(Remedy::stop, std::string{keyring_of_hosts} +
                                  " is the keyring of a host, and a host keeps public keys only. Make keys on a safe "
                                  "machine, write elsewhere with --out DIR, and copy the .pub file alone to hosts");
}

Result<void> make_keys(const KeysNew& request, Console& console) {
    TRY(auto name, key_name(request.tenant));
    Path directory = request.directory;
    CHECK(refuse_keyring(directory));
    if (!directory.empty()) CHECK(make_directories(directory));
    auto secret = directory / (name + ".key");
    auto shown = directory / (name + ".pub");
    CHECK(refuse_existing(secret));
    CHECK(refuse_existing(shown));

    auto identity = open::Identity::generate();
    auto recipient = identity.recipient().str();
    CHECK(write_new(secret, identity_text(name, identity, console.clock.now()), only_for_the_owner));
    CHECK(write_new(shown, fmt::format("# tenant: {}\n{}\n", name, recipient), for_everyone));
    auto out_secret = terminal_safe(secret.string());
    auto out_shown = terminal_safe(shown.string());
    auto below = [](std::string_view above) { return std::string(above.size(), ' '); };
    console.out.write(fmt::format(
        "{}\n\n"
        "{}  {}\n"
        "{}  Keep it off the hosts, and keep a copy; without it nobody can read what is sealed from now on.\n"
        "{}  seals. Put it into the keyring directory of every host (tenancy.keyring, by default\n"
        "{}  /etc/boatswain/keys); boatswaind takes it up by itself.\n\n"
        "Read with it:  boatswain logs --store URL {}--identity {}\n",
        recipient, out_secret, what_it_opens(name), below(out_secret), out_shown, below(out_shown),
        name == tenancy::break_glass_name ? "--tenant TENANT " : "", out_secret));
    return {};
}

Result<std::vector<crypto::Recipient>> recipients_of(const std::string& file) {
    TRY(auto text, read_file(file, key_file_bytes_max));
    if (text.find("AGE-SECRET-KEY-") == text.npos) return crypto::parse_recipients(text);
    TRY(auto identities, open::parse_identities(text));
    std::vector<crypto::Recipient> recipients;
    for (const auto& identity : identities) recipients.push_back(identity.recipient());
    return recipients;
}

// Switches a terminal's echo off while it lives.
class NoEcho {
  public:
    explicit NoEcho(int fd) : fd_(fd) {
        if (::tcgetattr(fd_, &before_) != 0) return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        active_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;
    ~NoEcho() {
        if (active_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }

  private:
    int fd_;
    termios before_{};
    bool active_ = false;
};

// One byte more than may be is read, so that what is too long is refused and not cut.
constexpr std::size_t secret_read_max = tenancy::secret_bytes_max + 3;

Result<std::string> read_secret(int fd, bool only_one_line) {
    std::string secret(secret_read_max, '\0');
    std::size_t used = 0;
    while (used < secret.size()) {
        auto got = ::read(fd, secret.data() + used, secret.size() - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(Remedy::stop, "read the secret");
        used += static_cast<std::size_t>(got);
        if (got == 0 || (only_one_line && secret[used - 1] == '\n')) break;
    }
    secret.resize(used);
    return secret;
}

Result<std::string> ask_for_secret(const KeysDerive& request, Console& console) {
    if (request.secret_file) {
        Fd file{::open(request.secret_file->c_str(), O_RDONLY | O_CLOEXEC)};
        if (!file) return fail_errno(Remedy::stop, "open " + *request.secret_file);
        return read_secret(file.get(), false);
    }
    if (::isatty(console.in) == 0) return read_secret(console.in, false);
    console.err.write(fmt::format("The secret of {} (it is not shown): ", terminal_safe(request.tenant)));
    console.err.flush();
    NoEcho silence{console.in};
    auto secret = read_secret(console.in, true);
    console.err.write("\n");
    return secret;
}

void drop_newline(std::string& secret) {
    if (secret.ends_with('\n')) secret.pop_back();
    if (secret.ends_with('\r')) secret.pop_back();
}

Result<void> derive(const KeysDerive& request, Console& console) {
    TRY(auto tenant, query::parse_tenant(request.tenant));
    TRY(auto secret, ask_for_secret(request, console));
    if (!request.keep_newline) drop_newline(secret);
    auto scalar = tenancy::derive_scalar(tenant, secret);
    ::explicit_bzero(secret.data(), secret.size());
    if (!scalar) return std::unexpected(std::move(scalar).error());
    auto identity = open::Identity::from_scalar(*scalar);
    ::explicit_bzero(scalar->data(), scalar->size());
    console.out.write(identity_text(tenant.str(), identity, console.clock.now()));
    return {};
}

}  // namespace

int run(const KeysNew& request, Console& console) {
    auto made = make_keys(request, console);
    return made ? exit_ok : failed(console, made.error());
}

int run(const KeysShow& request, Console& console) {
    auto recipients = recipients_of(request.file);
    if (!recipients) return failed(console, std::move(recipients).error().within(printable(request.file)));
    if (recipients->empty())
        return failed(console,
                      {.what = printable(request.file) + ": there is no key in this file (lines \"age1...\" or "
                                                         "\"AGE-SECRET-KEY-1...\")"});
    for (const auto& recipient : *recipients) console.out.write(recipient.str() + "\n");
    return exit_ok;
}

int run(const KeysDerive& request, Console& console) {
    auto derived = derive(request, console);
    return derived ? exit_ok : failed(console, derived.error());
}

}  // namespace boatswain::tool
