// The paths of the API, and what answers each. One file for each family of routes; to add a route, add a line to the
// table in routes.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace boatswain::api {

class Asking;

// The body of the answer. An error is refused as Asking::refusal() says.
using Answerer = Result<http::Answer> (*)(Asking& asking);

struct Route {
    std::string_view path;  // below a prefix; '*' stands for one part of it
    Answerer answer = nullptr;
    bool takes_posts = true;  // with a form
    bool reads_store = true;  // it needs a worker, and the tenant's identity
    bool is_sealed = false;   // it needs no identity: what it gives is sealed
    bool streams = false;     // the answer goes to Asking::out(), while it is made
    bool follows = false;     // likewise, and for as long as somebody takes it
    bool is_socket = false;   // over a WebSocket: each line of it is a message
};

inline constexpr std::string_view loki_prefix = "/loki/api/v1/";
inline constexpr std::string_view own_prefix = "/boatswain/api/v1/";

struct Found {
    const Route& route;
    std::string name;  // what stands for '*', decoded
};
std::optional<Found> route_of(std::string_view path);
// The route whose `path` this is, as the table has it; nullptr: none.
const Route* route_named(std::string_view path);

// queries.cc: lines, and numbers made of them.
Result<http::Answer> query_range(Asking& asking);
Result<http::Answer> query_instant(Asking& asking);
Result<http::Answer> format_query(Asking& asking);

// lines.cc: records with exact bytes, gaps and ends.
Result<http::Answer> lines(Asking& asking);

// follow.cc: the same as they are printed.
Result<http::Answer> follow_lines(Asking& asking);
Result<http::Answer> tail(Asking& asking);

// containers.cc: what printed, from footers alone.
Result<http::Answer> containers(Asking& asking);

// labels.cc: who printed, from footers alone.
Result<http::Answer> labels(Asking& asking);
Result<http::Answer> label_values(Asking& asking);
Result<http::Answer> series(Asking& asking);
Result<http::Answer> index_stats(Asking& asking);
Result<http::Answer> detected_labels(Asking& asking);

// volumes.cc: how much each printed, from footers alone.
Result<http::Answer> volume(Asking& asking);
Result<http::Answer> volume_range(Asking& asking);

// fields.cc: what stands in a sample of lines.
Result<http::Answer> detected_fields(Asking& asking);
Result<http::Answer> detected_field_values(Asking& asking);

// sealed.cc: objects as they lie in the store, for readers who keep their identity.
Result<http::Answer> session(Asking& asking);
Result<http::Answer> objects(Asking& asking);
Result<http::Answer> object(Asking& asking);

// server_facts.cc: what needs no logs.
Result<http::Answer> build_info(Asking& asking);
Result<http::Answer> drilldown_limits(Asking& asking);
Result<http::Answer> patterns(Asking& asking);

}  // namespace boatswain::api
