// What the agent answered about containers and about itself, as text for people. The JSON is the agent's:
// docs/operate/why.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "boatswain/output.h"

namespace boatswain::tool {

// "3 s ago", "2 min ago", "5 h ago", "12 days ago"; "now" for less than a second and for times to come.
std::string ago(Timestamp time, Timestamp now);

struct Explained {
    std::string text;        // a sentence that answers, then details
    bool collected = false;  // its lines go on to the store
};
// GET /v1/containers/ID.
Result<Explained> explain_container(std::string_view json, Timestamp now);
// GET /v1/containers: a table, and what the whole agent has trouble with.
Result<void> list_containers(std::string_view json, Timestamp now, Console& console);
// GET /v1/containers: each as one line of JSON.
Result<std::string> containers_as_lines(std::string_view json);

// What a 404 or 409 says, with the candidates.
std::string refusal_text(std::string_view json);

struct StatusText {
    std::string text;
    bool healthy = false;
};
struct SpoolText {
    std::string text;
    bool clean = false;  // nothing stands aside, and no key was taken
};
// GET /v1/spool.
Result<SpoolText> explain_spool(std::string_view json, Timestamp now);
// The number `name` of what an order was answered with.
Result<std::uint64_t> number_of(std::string_view json, std::string_view name);

// GET /v1/status.
Result<StatusText> explain_status(std::string_view json, Timestamp now);

}  // namespace boatswain::tool
