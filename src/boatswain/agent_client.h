// Asks the running agent over its unix socket (boatswaind/control.h).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace boatswain::tool {

inline constexpr const char* agent_socket_default = "/var/lib/boatswain/agent.sock";
// An answer that is longer is none of an agent's.
inline constexpr std::size_t agent_answer_bytes_max = 256U << 20;

struct AgentAnswer {
    int status = 0;  // of HTTP
    std::string body;
};

// GET `path` ("/v1/status"). An error says what to check when nobody answers.
Result<AgentAnswer> ask_agent(const std::string& socket, const std::string& path);
// POST `path`, without a body.
Result<AgentAnswer> tell_agent(const std::string& socket, const std::string& path);

}  // namespace boatswain::tool
