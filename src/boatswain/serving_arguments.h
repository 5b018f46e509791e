// The options of `boatswain serve` and `boatswain token`, for arguments.cc. What may come from the environment:
// BOATSWAIN_STORE.
#pragma once

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "boatswain/serving_commands.h"

namespace boatswain::tool {

struct ServingGiven {
    Serve serve;
    TokenNew token_new;
    TokenSign token_sign;
    std::string sign_expires = "10m";
    TokenList token_list;
    TokenRevoke token_revoke;
    std::string memory, footer_cache, read_max, timeout, range_max, log_format = "text", expires = "90d";
};

struct ServingCommands {
    CLI::App *serve, *token, *token_new, *token_sign, *token_list, *token_revoke;
};

ServingCommands add_serving(CLI::App& tool, ServingGiven& given);

// Checks what was given and completes it; an error is for the usage line.
Result<Serve> complete_serve(const ServingGiven& given);
Result<TokenNew> complete_token(const ServingGiven& given);
Result<TokenSign> complete_sign(const ServingGiven& given);

}  // namespace boatswain::tool
