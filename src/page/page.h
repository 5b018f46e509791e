// The web page over HTTP: its files lie in this executable, so that serving them needs neither Node nor a folder.
//
// They hold nobody's data and are given to anybody. What the page shows, it asks for with its reader's token.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/mounts.h"

namespace boatswain::page {

// An origin that may show the page in a frame of its own: "https://platform.example", with a port or without one.
Result<void> check_origin(std::string_view origin);

// Where the page sends its reader to sign in (OpenID Connect). URLs were checked: https, and nothing that ends a header.
struct LoginServer {
    std::string issuer, authorization_endpoint, token_endpoint, client_id, scope;
    bool names_itself = false;  // its answers carry `iss` (RFC 9207)
};
// Nothing: there is none, or it is not known yet. Asked on the I/O thread.
using FindLoginServer = std::function<std::optional<LoginServer>()>;

class Page {
  public:
    // `embedders`: origins that passed check_origin(). Without one nobody may show /embed in a frame.
    explicit Page(std::span<const std::string> embedders, FindLoginServer login = {});

    // "/", "/embed", "/fleet" (for operators), "/sign-in.json" (the login server, for the page) and every file of the page; and all below its own
    // folder, /assets/.
    static bool takes(std::string_view path);

    // The answer to a request for a path that it takes.
    http::Answer answer(const http::Request& request) const;

    // Borrows this.
    http::Mount mount() const;

  private:
    std::string policy_of(std::string_view path) const;

    std::string embedded_policy_;
    FindLoginServer login_;
};

}  // namespace boatswain::page
