// token: who may ask `boatswain serve`.
#include "api/signed_tokens.h"
#include "api/tokens.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"

namespace boatswain::tool {
namespace {

int failed_with(Console& console, const Error& error) {
    console.complain(error.what);
    return exit_error;
}

std::string expires_text(const api::Token& token) { return token.expires ? short_time(*token.expires) : "never"; }

}  // namespace

int run(const TokenNew& request, Console& console) {
    std::optional<Timestamp> expires;
    if (request.valid_for) expires = console.clock.now() + *request.valid_for;
    if (request.apps.size() > api::token_apps_max)
        return failed_with(console,
                           {.what = "a token is for at most " + std::to_string(api::token_apps_max) + " apps"});
    auto tenant = request.is_operator ? Result<TenantId>{TenantId::canary()} : TenantId::parse(request.tenant);
    if (!tenant) return failed_with(console, tenant.error());
    auto made =
        request.is_operator ? api::make_operator_token(expires) : api::make_token(*tenant, expires, request.apps);
    auto changed = api::change_tokens(request.file, [&](std::vector<api::Token>& tokens) -> Result<void> {
        tokens.push_back(made.token);
        return {};
    });
    if (!changed) return failed_with(console, changed.error());
    console.out.write(made.text.view());
    console.out.write("\n");
    console.note("token " + made.token.id +
                 (request.is_operator ? " shows how the fleet stands, and nobody's logs"
                                      : " reads the logs of " + terminal_safe(request.tenant)) +
                 (request.apps.empty() ? "" : ", of " + counted(request.apps.size(), "app") + " alone") +
                 "; it expires: " + expires_text(made.token) + ". It is shown this once");
    return exit_ok;
}

int run(const TokenSign& request, Console& console) {
    auto tenant = TenantId::parse(request.tenant);
    if (!tenant) return failed_with(console, tenant.error());
    if (request.apps.size() > api::token_apps_max)
        return failed_with(console,
                           {.what = "a token is for at most " + std::to_string(api::token_apps_max) + " apps"});
    auto keys = api::read_signing_keys(request.key);
    if (!keys) return failed_with(console, keys.error());
    auto token = api::sign_token(keys->front(), {.tenant = *tenant,
                                                 .apps = request.apps,
                                                 .subject = request.subject,
                                                 .expires = console.clock.now() + request.valid_for});
    // Behind '#': browsers send that to no server.
    auto address = request.link;
    if (!address.empty() && address.find('/', address.find("://") + 3) == address.npos) address += "/";
    console.out.write((address.empty() ? "" : address + "#token=") + token + "\n");
    return exit_ok;
}

int run(const TokenList& request, Console& console) {
    auto tokens = api::read_tokens(request.file);
    if (!tokens) return failed_with(console, tokens.error());
    Table table{{"ID", "TENANT", "EXPIRES", "APPS"}};
    auto now = console.clock.now();
    for (const auto& token : *tokens) {
        std::string apps;
        for (const auto& app : token.apps) apps += (apps.empty() ? "" : " ") + app;
        bool expired = token.expires && *token.expires <= now;
        if (request.json)
            console.out.write(json_object()
                                  .member("id", token.id)
                                  .member("tenant", token.is_operator ? std::string{} : token.tenant.str())
                                  .member("operator", token.is_operator)
                                  .member("expires", token.expires)
                                  .member("expired", expired)
                                  .member("apps", token.apps)
                                  .take_line());
        else
            table.add({token.id, token.is_operator ? "(operator)" : token.tenant.str(),
                       expires_text(token) + (expired ? " (expired)" : ""),
                       token.is_operator    ? "none"
                       : token.apps.empty() ? "all"
                                            : apps});
    }
    if (!request.json && !tokens->empty()) table.print(console.out);
    return exit_ok;
}

int run(const TokenRevoke& request, Console& console) {
    auto changed = api::change_tokens(request.file, [&](std::vector<api::Token>& tokens) -> Result<void> {
        auto removed = std::erase_if(tokens, [&](const api::Token& token) { return token.id == request.id; });
        if (removed == 0) return fail(Remedy::stop, "there is no token " + terminal_safe(request.id));
        return {};
    });
    if (!changed) return failed_with(console, changed.error());
    console.note("token " + request.id + " is revoked");
    return exit_ok;
}

}  // namespace boatswain::tool
