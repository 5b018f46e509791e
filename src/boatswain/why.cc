// why, status and spool: what the running agent says, and what it is asked to do.
#include "base/bytes.h"
#include "base/text.h"
#include "boatswain/agent_client.h"
#include "boatswain/commands.h"
#include "boatswain/why_text.h"

namespace boatswain::tool {

namespace {

constexpr int http_ok = 200, http_not_found = 404, http_conflict = 409;

// The agent's answer; nothing after saying why there is none.
std::optional<AgentAnswer> ask(const std::string& socket, const std::string& path, Console& console) {
    auto answer = ask_agent(socket, path);
    if (answer) return std::move(*answer);
    console.complain(answer.error().what);
    return std::nullopt;
}

int not_understood(Console& console, std::string_view what) {
    console.complain(what);
    return exit_unreachable;
}

int list(const Why& request, Console& console) {
    auto answer = ask(request.socket, "/v1/containers", console);
    if (!answer) return exit_unreachable;
    if (answer->status != http_ok)
        return not_understood(console,
                              "the agent's answer is not understood: HTTP status " + std::to_string(answer->status));
    if (request.json) {
        auto lines = containers_as_lines(answer->body);
        if (!lines) return not_understood(console, lines.error().what);
        console.out.write(*lines);
        return exit_ok;
    }
    auto listed = list_containers(answer->body, console.clock.now(), console);
    return listed ? exit_ok : not_understood(console, listed.error().what);
}

}  // namespace

int run(const Why& request, Console& console) {
    if (request.container.empty()) return list(request, console);
    auto answer = ask(request.socket, "/v1/containers/" + percent_encode(request.container), console);
    if (!answer) return exit_unreachable;
    if (answer->status == http_not_found || answer->status == http_conflict) {
        console.complain(refusal_text(answer->body) +
                         (answer->status == http_not_found
                              ? "; `boatswain why` lists those it knows, `docker ps --all` those that are there"
                              : ""));
        return exit_error;
    }
    auto explained = explain_container(answer->body, console.clock.now());
    if (answer->status != http_ok || !explained)
        return not_understood(
            console, explained ? "the agent's answer is not understood: HTTP status " + std::to_string(answer->status)
                               : explained.error().what);
    console.out.write(request.json ? answer->body : explained->text);
    return explained->collected ? exit_ok : exit_error;
}

int run(const Status& request, Console& console) {
    auto answer = ask(request.socket, "/v1/status", console);
    if (!answer) return exit_unreachable;
    auto status = explain_status(answer->body, console.clock.now());
    if (answer->status != http_ok || !status) return not_understood(console, "the agent's answer is not understood");
    console.out.write(request.json ? answer->body : status->text);
    return status->healthy ? exit_ok : exit_error;
}

int run(const SpoolList& request, Console& console) {
    auto answer = ask(request.socket, "/v1/spool", console);
    if (!answer) return exit_unreachable;
    auto spool = explain_spool(answer->body, console.clock.now());
    if (answer->status != http_ok || !spool) return not_understood(console, "the agent's answer is not understood");
    console.out.write(request.json ? answer->body : spool->text);
    return spool->clean ? exit_ok : exit_error;
}

namespace {

int order(const std::string& socket, const std::string& path, std::string_view name, std::string_view noun,
          std::string_view done, Console& console) {
    auto answer = tell_agent(socket, path);
    if (!answer) {
        console.complain(answer.error().what);
        return exit_unreachable;
    }
    auto number = number_of(answer->body, name);
    if (answer->status != http_ok || !number) return not_understood(console, "the agent's answer is not understood");
    console.out.write(counted(*number, std::string{noun}) + " " + std::string{done} + "\n");
    return exit_ok;
}

}  // namespace

int run(const Flush& request, Console& console) {
    return order(request.socket, "/v1/flush", "batches", "batch", "of lines on the way to the store", console);
}

int run(const SpoolRetry& request, Console& console) {
    return order(request.socket, "/v1/spool/retry", "offered", "segment", "offered to the store again", console);
}

int run(const SpoolAcknowledge& request, Console& console) {
    return order(request.socket, "/v1/spool/acknowledge", "acknowledged", "tenant",
                 "with taken keys: acknowledged; it is no reason against being ready any more", console);
}

}  // namespace boatswain::tool
