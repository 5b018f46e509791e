// The web page over HTTP: its files lie in this executable, so that serving them needs neither Node nor a folder.
//
// They hold nobody's data and are given to anybody. What the page shows, it asks for with its reader's token.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/mounts.h"

namespace boatswain::page {

// An origin that may show the page in a frame of its own: "https://platform.example", with a port or without one.
Result<void> check_origin(std::string_view origin);

class Page {
  public:
    // `embedders`: origins that passed check_origin(). Without one nobody may show /embed in a frame.
    explicit Page(std::span<const std::string> embedders);

    // "/", "/embed" and every file of the page; and all below its own folder, /assets/.
    static bool takes(std::string_view path);

    // The answer to a request for a path that it takes.
    http::Answer answer(const http::Request& request) const;

    // Borrows this.
    http::Mount mount() const;

  private:
    std::string policy_, embedded_policy_;
};

}  // namespace boatswain::page
