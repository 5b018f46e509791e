// The web page over HTTP: its files lie in this executable, so that serving them needs neither Node nor a folder.
//
// They hold nobody's data and are given to anybody. What the page shows, it asks for with its reader's token.
#pragma once

#include <string_view>

#include "http/message.h"
#include "http/mounts.h"

namespace boatswain::page {

// "/" and every file of the page; and all below its own folder, /assets/.
bool takes(std::string_view path);

// The answer to a request for a path that it takes.
http::Answer answer(const http::Request& request);

http::Mount mount();

}  // namespace boatswain::page
