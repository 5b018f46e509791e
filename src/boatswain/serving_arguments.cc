#include "boatswain/serving_arguments.h"

#include <cstdlib>

#include "base/bytes.h"
#include "net/address.h"
#include "page/page.h"
#include "query/budget.h"
#include "record/source.h"

namespace boatswain::tool {
namespace {

const std::vector<std::string> log_formats{"text", "json"};

std::unexpected<Error> wrong(std::string_view option, std::string_view given, std::string_view wanted) {
    return fail(Remedy::stop, std::string{option} + ": \"" + printable(given, 40) + "\" is not " + std::string{wanted});
}

void add_serve(ServingCommands& commands, CLI::App& tool, ServingGiven& given) {
    auto& serve = given.serve;
    auto* command = commands.serve =
        tool.add_subcommand("serve", "Answers Loki's HTTP API: each token reads the logs of its tenant");
    command
        ->add_option("--listen", serve.listen, "Where to listen: ADDRESS:PORT or unix:PATH (default: 127.0.0.1:3100)")
        ->type_name("ADDRESS");
    command
        ->add_option("--store", serve.store,
                     "Where the segments are: dir:PATH, or s3://BUCKET/PREFIX (environment: BOATSWAIN_STORE)")
        ->type_name("URL");
    command
        ->add_option("--identities", serve.identities,
                     "The directory with a TENANT.key for each tenant whose lines this server opens")
        ->type_name("DIR");
    command->add_flag("--end-to-end", serve.end_to_end,
                      "In place of --identities: hold no key, give sealed objects out, and have readers' browsers open "
                      "them");
    command->add_option("--tokens", serve.tokens, "The file of tokens that `boatswain token` writes")
        ->type_name("FILE");
    command->add_option("--signing-keys", serve.signing_keys, "A file of keys: tokens signed with one are accepted")
        ->type_name("FILE");
    command->add_option("--oidc", serve.oidc, "A file that names an issuer (OpenID Connect) whose tokens are accepted")
        ->type_name("FILE");
    command->add_option("--limits", serve.limits, "A file of what each tenant may ask for")->type_name("FILE");
    command->add_option("--audit", serve.audit, "A file that gets a line for each read: who read what")
        ->type_name("FILE");
    command->add_option("--tls-certificate", serve.certificate, "The server's certificate with its chain, PEM")
        ->type_name("FILE");
    command->add_option("--tls-key", serve.key, "The certificate's key, PEM")->type_name("FILE");
    command
        ->add_option("--client-ca", serve.client_ca,
                     "Clients need a certificate that is signed by one of these authorities, PEM")
        ->type_name("FILE");
    command->add_option("--client-crl", serve.client_crl, "Lists of revoked certificates of clients, PEM")
        ->type_name("FILE");
    command
        ->add_option("--client-names", serve.client_names,
                     "A file that says of whose tenant a client's certificate is; then it needs no token")
        ->type_name("FILE");
    command
        ->add_option("--hub", serve.hub,
                     "Where agents connect, so that lines are seen as they are printed: ADDRESS:PORT (follow.hub of "
                     "the agents names it)")
        ->type_name("ADDRESS");
    command
        ->add_option("--fleet-key", serve.fleet_key,
                     "The fleet's key: by it agents and the hub prove themselves, and heartbeats are checked that an "
                     "operator sees (boatswain fleet key)")
        ->type_name("FILE");
    command->add_flag("--no-tls", serve.no_tls,
                      "Listen without TLS at an address that others reach: something in front must speak it");
    command
        ->add_option("--embed-in", serve.embed_in,
                     "An origin whose pages may show /embed in a frame, like https://platform.example; may be given "
                     "several times")
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("ORIGIN");
    command->add_option("--memory", given.memory, "What one query may take of memory (default: 128MiB)")
        ->type_name("SIZE");
    command
        ->add_option(
            "--footer-cache", given.footer_cache,
            "Memory for footers that queries have read, kept for the next ones, of all tenants; 0: none (default: "
            "128MiB)")
        ->type_name("SIZE");
    command->add_option("--read-max", given.read_max, "What one query may read of the store (default: 64GiB)")
        ->type_name("SIZE");
    command->add_option("--timeout", given.timeout, "What one query may take of time (default: 1m)")->type_name("TIME");
    command->add_option("--range-max", given.range_max, "The longest range of one query (default: 721h)")
        ->type_name("TIME");
    command
        ->add_option("--cells", serve.cells,
                     "Processes that read, each for one tenant, at a time; at least --queries (default: 16)")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1024}))
        ->type_name("N");
    command->add_option("--queries", serve.queries, "Queries that run at a time (default: 8)")
        ->check(CLI::Range(std::size_t{1}, std::size_t{256}))
        ->type_name("N");
    command
        ->add_option("--queries-per-tenant", serve.queries_per_tenant,
                     "Queries of one tenant that run at a time; 32 more wait (default: 4)")
        ->check(CLI::Range(std::size_t{1}, std::size_t{256}))
        ->type_name("N");
    command->add_option("--log-format", given.log_format, "text or json")
        ->check(CLI::IsMember(log_formats))
        ->type_name("FORMAT");
    command->add_flag("--check", serve.check, "Open store, tokens, keys and certificate, say how they stand, and end");
    command->footer(
        "What it answers: docs/reading/http.md. It ends with SIGTERM, after the queries under way.\n\n"
        "Examples:\n  boatswain serve --store dir:/var/lib/boatswain/store --identities keys --tokens tokens\n"
        "  boatswain serve --listen 0.0.0.0:3100 --tls-certificate cert.pem --tls-key key.pem \\\n"
        "      --store s3://logs/prod --identities /etc/boatswain-serve/keys --tokens /etc/boatswain-serve/tokens\n"
        "  boatswain serve --store s3://logs/prod --identities keys --tokens tokens --hub 127.0.0.1:3101 \\\n"
        "      --fleet-key fleet.key\n"
        "  boatswain serve --store s3://logs/prod --end-to-end --tokens tokens");
}

void add_token(ServingCommands& commands, CLI::App& tool, ServingGiven& given) {
    auto* token = commands.token = tool.add_subcommand("token", "Makes, lists and revokes tokens of `boatswain serve`");
    token->require_subcommand(1);
    token->footer(
        "Examples:\n  boatswain token new acme --tokens tokens\n  boatswain token list --tokens tokens\n"
        "  boatswain token revoke 3f9c2a1b --tokens tokens");
    auto add_file = [](CLI::App* command, std::string& file) {
        command->add_option("--tokens", file, "The file of tokens")->required()->type_name("FILE");
    };
    auto* fresh = commands.token_new = token->add_subcommand("new", "Makes a token for a tenant, and prints it once");
    fresh->add_option("TENANT", given.token_new.tenant, "The tenant whose logs it reads");
    fresh->add_flag("--operator", given.token_new.is_operator,
                    "For an operator: it shows how the fleet stands, and nobody's lines");
    add_file(fresh, given.token_new.file);
    fresh->add_option("--app", given.token_new.apps, "Only this app; may be given several times")
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("APP");
    fresh->add_option("--expires", given.expires, "For how long it is valid, like 12h or 90d; or never (default: 90d)")
        ->type_name("TIME");
    fresh->footer(
        "The file keeps a hash of it: what is printed cannot be printed again.\n\n"
        "Examples:\n  boatswain token new acme --tokens tokens\n"
        "  boatswain token new acme --tokens tokens --app shop/cart --expires 12h\n"
        "  boatswain token new --operator --tokens tokens");
    auto& sign = given.token_sign;
    auto* signs = commands.token_sign =
        token->add_subcommand("sign", "Signs a short-lived token that is in no file, and prints it");
    signs->add_option("TENANT", sign.tenant, "The tenant whose logs it reads")->required();
    signs->add_option("--key", sign.key, "The file of signing keys; its first one signs")
        ->required()
        ->type_name("FILE");
    signs->add_option("--app", sign.apps, "Only this app; may be given several times")
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("APP");
    signs->add_option("--subject", sign.subject, "Whom it is for: the audit log says it")->type_name("NAME");
    signs
        ->add_option("--link", sign.link,
                     "The page's address, like https://logs.example: prints a link that opens it, signed in")
        ->type_name("URL");
    signs->add_option("--expires", given.sign_expires, "For how long it is valid, up to 24h (default: 10m)")
        ->type_name("TIME");
    signs->footer(
        "It is a JWT, which a platform can sign by itself: docs/operate/serve.md.\n\n"
        "Example:\n  boatswain token sign acme --key signing.key --app shop/cart --expires 10m");
    auto* list = commands.token_list = token->add_subcommand("list", "Lists tokens, without what opens");
    add_file(list, given.token_list.file);
    list->add_flag("--json", given.token_list.json, "One JSON object a line");
    list->footer("Example:\n  boatswain token list --tokens tokens");
    auto* revoke = commands.token_revoke = token->add_subcommand("revoke", "Takes a token away");
    revoke->add_option("ID", given.token_revoke.id, "Its id, as `boatswain token list` shows it")->required();
    add_file(revoke, given.token_revoke.file);
    revoke->footer(
        "A running server refuses it within a second or two.\n\nExample:\n  boatswain token revoke 3f9c2a1b --tokens "
        "tokens");
}

bool is_local(const net::Address& address) {
    return address.is_unix() || address.host.starts_with("127.") || address.host == "::1";
}

Result<void> take_size(std::string_view option, const std::string& given, std::uint64_t least, std::uint64_t& size) {
    if (given.empty()) return {};
    auto parsed = parse_size(given);
    if (!parsed || *parsed < least) return wrong(option, given, "a size of at least " + size_to_text(least));
    size = *parsed;
    return {};
}

}  // namespace

ServingCommands add_serving(CLI::App& tool, ServingGiven& given) {
    ServingCommands commands{};
    add_serve(commands, tool, given);
    add_token(commands, tool, given);
    return commands;
}

Result<Serve> complete_serve(const ServingGiven& given) {
    auto serve = given.serve;
    if (const char* store = std::getenv("BOATSWAIN_STORE"); serve.store.empty() && store != nullptr)
        serve.store = store;
    if (serve.listen.empty()) serve.listen = "127.0.0.1:3100";
    if (serve.store.empty()) return fail(Remedy::stop, "which store? Give --store, or set BOATSWAIN_STORE");
    if (serve.identities.empty() && !serve.end_to_end)
        return fail(Remedy::stop,
                    "lines are sealed: give --identities DIR with a TENANT.key each, or --end-to-end where readers' "
                    "browsers open them");
    if (!serve.identities.empty() && serve.end_to_end)
        return fail(Remedy::stop,
                    "--end-to-end is a server without keys. With --identities, tenants that have no TENANT.key there "
                    "are read end to end");
    if (serve.tokens.empty()) return fail(Remedy::stop, "who may ask? Give --tokens FILE (boatswain token new)");
    auto address = net::parse_address(serve.listen);
    if (!address) return std::unexpected(std::move(address).error().within("--listen"));
    if (serve.certificate.empty() != serve.key.empty())
        return fail(Remedy::stop, "--tls-certificate and --tls-key belong together");
    if (!serve.client_ca.empty() && serve.certificate.empty())
        return fail(Remedy::stop,
                    "--client-ca: clients show certificates over TLS: give --tls-certificate and --tls-key");
    if (serve.client_ca.empty() && (!serve.client_crl.empty() || !serve.client_names.empty()))
        return fail(Remedy::stop, "--client-crl and --client-names say more of --client-ca: give it, too");
    if (serve.certificate.empty() && !serve.no_tls && !is_local(*address))
        return fail(Remedy::stop,
                    "tokens and lines would travel in clear: give --tls-certificate and --tls-key, or --no-tls where "
                    "something in front speaks TLS");
    if (!serve.hub.empty() && serve.fleet_key.empty())
        return fail(Remedy::stop, "--hub: agents prove themselves by the fleet's key: give --fleet-key");
    if (!serve.hub.empty()) {
        auto hub = net::parse_address(serve.hub);
        if (!hub) return std::unexpected(std::move(hub).error().within("--hub"));
        if (serve.certificate.empty() && !serve.no_tls && !is_local(*hub))
            return fail(Remedy::stop,
                        "--hub: who is between would see which tenants are followed, and could cut them off: give "
                        "--tls-certificate and --tls-key, or --no-tls where the network is trusted");
    }
    for (const auto& origin : serve.embed_in)
        if (auto checked = page::check_origin(origin); !checked)
            return std::unexpected(std::move(checked).error().within("--embed-in"));
    CHECK(take_size("--memory", given.memory, query::budget_bytes_min, serve.memory));
    CHECK(take_size("--footer-cache", given.footer_cache, 0, serve.footer_cache));
    CHECK(take_size("--read-max", given.read_max, 1U << 20, serve.read_max));
    if (!given.timeout.empty()) {
        auto timeout = parse_duration(given.timeout);
        if (!timeout || *timeout < std::chrono::seconds{1} || *timeout > std::chrono::hours{1})
            return wrong("--timeout", given.timeout, "a time from 1s to 1h");
        serve.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(*timeout);
    }
    if (!given.range_max.empty()) {
        auto range = parse_duration(given.range_max);
        if (!range || *range < std::chrono::minutes{1})
            return wrong("--range-max", given.range_max, "a time of at least 1m");
        serve.range_max = *range;
    }
    serve.log_format = given.log_format == "json" ? LogFormat::json : LogFormat::text;
    return serve;
}

Result<TokenNew> complete_token(const ServingGiven& given) {
    auto token = given.token_new;
    if (token.is_operator && (!token.tenant.empty() || !token.apps.empty()))
        return fail(Remedy::stop, "--operator: such a token reads no tenant's logs: leave TENANT and --app out");
    if (!token.is_operator)
        if (auto tenant = TenantId::parse(token.tenant); !tenant) return fail(Remedy::stop, tenant.error().what);
    for (const auto& app : token.apps)
        if (app.empty()) return fail(Remedy::stop, "--app: an app has a name");
    token.valid_for.reset();
    if (given.expires == "never") return token;
    auto valid_for = parse_duration(given.expires);
    constexpr std::chrono::hours longest{24 * 3660};
    if (!valid_for || *valid_for <= Nanoseconds{0} || *valid_for > longest)
        return wrong("--expires", given.expires, "a time like 12h or 90d, of at most ten years, or never");
    token.valid_for = *valid_for;
    return token;
}

Result<TokenSign> complete_sign(const ServingGiven& given) {
    auto sign = given.token_sign;
    auto tenant = TenantId::parse(sign.tenant);
    if (!tenant) return fail(Remedy::stop, tenant.error().what);
    for (const auto& app : sign.apps)
        if (app.empty()) return fail(Remedy::stop, "--app: an app has a name");
    auto valid_for = parse_duration(given.sign_expires);
    if (!valid_for || *valid_for <= Nanoseconds{0} || *valid_for > std::chrono::hours{24})
        return wrong("--expires", given.sign_expires, "a time like 10m, of at most 24h");
    sign.valid_for = *valid_for;
    bool is_address = sign.link.starts_with("https://") || sign.link.starts_with("http://");
    if (!sign.link.empty() && (!is_address || sign.link.find_first_of("#? \"<>\\\r\n\t") != sign.link.npos))
        return wrong("--link", sign.link, "the address of a page, like https://logs.example");
    return sign;
}

}  // namespace boatswain::tool
