// Whatever the bytes: what would be sent to the engine is one request of the allow-list, as another parser reads it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "guard/allow.h"
#include "guard/request.h"
#include "http/request_reader.h"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

bool ends_with_call(std::string_view path) {
    static constexpr std::array<std::string_view, 5> plain{"/_ping", "/version", "/info", "/events",
                                                           "/containers/json"};
    if (path.starts_with("/v1.")) path.remove_prefix(path.find('/', 1));
    if (std::ranges::find(plain, path) != plain.end()) return true;
    if (!path.starts_with("/containers/") || std::ranges::count(path, '/') != 3) return false;
    return path.ends_with("/json") || path.ends_with("/logs") || path.ends_with("/attach");
}

// A container's name may hold dots anywhere but at its beginning: "web..1" is one, ".." is not.
bool climbs(std::string_view path) { return (std::string{path} + "/").contains("/.."); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    std::string_view head{reinterpret_cast<const char*>(data), size};
    auto request = guard::parse_request(head);
    if (!request) {
        demand(request.error().status >= 400);
        return 0;
    }
    for (bool attach : {false, true}) {
        auto allowed = guard::judge(*request, {.attach = attach});
        if (!allowed) continue;
        demand(!request->body);
        http::RequestReader reader;
        reader.feed(allowed->method + " " + allowed->target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        auto seen = reader.next();
        demand(seen.request && !reader.in_request());
        demand(seen.request->method == allowed->method && ends_with_call(seen.request->path));
        demand(seen.request->path.find_first_of("%\\") == std::string::npos && !climbs(seen.request->path));
        bool attaches = seen.request->path.ends_with("/attach");
        demand(attaches == (seen.request->method == "POST") && (!attaches || attach));
        demand(!attaches || seen.request->query.contains("stdin=0"));
        demand(!seen.request->query.contains("stdin=1") && !seen.request->query.contains("size=1") &&
               !seen.request->query.contains("details=1"));
    }
    return 0;
}
