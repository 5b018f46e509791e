// Several handlers behind one server: each takes some paths, and the last one the rest.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "http/server.h"

namespace boatswain::http {

struct Mount {
    std::function<bool(std::string_view path)> takes;  // a path as sent, without its query
    Handler handler;
};

// The first of `mounts` that takes the path answers; where none does, `rest`.
Handler mounted(std::vector<Mount> mounts, Handler rest);

}  // namespace boatswain::http
