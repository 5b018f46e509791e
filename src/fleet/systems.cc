#include "fleet/systems.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "fleet/marathon_json.h"
#include "fleet/mesos_json.h"

namespace boatswain::fleet {
namespace {

constexpr std::size_t app_id_bytes_max = 1000;
constexpr int ok = 200, not_found = 404, locked = 409;

std::unexpected<Error> unexpected_status(const Endpoint& endpoint, std::string_view doing,
                                         const http::HttpAnswer& answer) {
    auto message = parse_message(answer.body);
    return fail(answer.status >= 500 ? Remedy::back_off : Remedy::stop,
                fmt::format("{}: {}: HTTP status {}{}", endpoint.name(), doing, answer.status,
                            message.empty() ? "" : ": " + message));
}

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

// Source: Marathon's PathId: parts of lower-case letters, digits, '-' and '.', between '/'.
Result<std::string> Marathon::parse_app_id(std::string_view text) {
    while (text.starts_with('/')) text.remove_prefix(1);
    while (text.ends_with('/')) text.remove_suffix(1);
    bool plain = !text.empty() && text.size() <= app_id_bytes_max && text.find("//") == text.npos &&
                 std::ranges::all_of(text, [](char c) {
                     return is_lower_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '/';
                 });
    auto parts = "/" + std::string{text} + "/";
    if (!plain || parts.contains("/../") || parts.contains("/./"))
        return fail(Remedy::stop, "\"" + printable(text) + "\" is not the id of a Marathon app, like /infra/boatswain");
    return "/" + std::string{text};
}

Result<std::string> Marathon::text(const std::string& path, int also_accepted, int* status) {
    TRY(auto answer, endpoint_.ask(path));
    if (status != nullptr) *status = answer.status;
    if (answer.status != ok && answer.status != also_accepted)
        return unexpected_status(endpoint_, "GET " + path, answer);
    return std::move(answer.body);
}

Result<MarathonState> Marathon::look() {
    MarathonState state;
    TRY(auto info_text, text("/v2/info"));
    TRY(auto info, parse_info(info_text));
    state.role = std::move(info.role);
    state.version = std::move(info.version);
    state.mesos_url = std::move(info.mesos_url);

    // Deployments before and after the app: one that begins in between is seen either way.
    TRY(auto before_text, text("/v2/deployments"));
    TRY(auto before, parse_deployments(before_text, app_));
    int status = 0;
    TRY(auto app_text, text("/v2/apps" + app_, not_found, &status));
    if (status == not_found) return state;
    TRY(state.app, parse_app(app_text));
    if (state.app->id != app_)
        return fail(Remedy::quarantine, "Marathon was asked for " + app_ + " and answered with another app");
    TRY(auto after_text, text("/v2/deployments"));
    TRY(state.deployments, parse_deployments(after_text, app_));
    // One that has ended meanwhile is named by the app still.
    std::erase_if(state.app->deployments, [&](const std::string& id) {
        auto has = [&](const std::vector<Deployment>& list) {
            return std::ranges::find(list, id, &Deployment::id) != list.end();
        };
        return has(before) && !has(state.deployments);
    });
    TRY(auto queue_text, text("/v2/queue?embed=lastUnusedOffers"));
    TRY(state.queue, parse_queue(queue_text, app_));
    return state;
}

// Only when each deployment in the way was there when the plan was made, and is purely a scaling of our app still.
Result<bool> Marathon::may_break(std::string_view refusal, const std::vector<std::string>& over) {
    auto blocking = parse_blocking(refusal);
    if (blocking.empty()) return false;
    TRY(auto body, text("/v2/deployments"));
    TRY(auto now, parse_deployments(body, app_));
    for (const auto& deployment : now)
        if (!is_pure_scaling(deployment, app_)) return false;
    return std::ranges::all_of(blocking, [&](const std::string& id) {
        bool known = std::ranges::find(over, id) != over.end();
        bool there = std::ranges::find(now, id, &Deployment::id) != now.end();
        return known && there;
    });
}

Result<void> Marathon::write(const std::string& method, const std::string& path, const std::string& body,
                             const std::vector<std::string>& over) {
    TRY(auto answer, endpoint_.order(method, path, body));
    if (answer.status == locked) {
        TRY(bool may, may_break(answer.body, over));
        if (!may) return fail(Remedy::back_off, "Marathon: the app is locked by a deployment: waited for");
        auto forced = path + (path.contains('?') ? "&" : "?") + "force=true";
        TRY(answer, endpoint_.order(method, forced, body));
    }
    // Somebody was faster: another sync, or Marathon itself.
    if (is_success(answer.status) || answer.status == not_found) return {};
    return unexpected_status(endpoint_, method + " " + path, answer);
}

Result<void> Marathon::act(const Action& action) {
    if (const auto* scale = std::get_if<ScaleTo>(&action.what))
        return write("PUT", "/v2/apps" + app_, json_object().member("instances", scale->to).take(), scale->over);
    if (const auto* remove = std::get_if<RemoveInstances>(&action.what)) {
        return write("POST", "/v2/tasks/delete?scale=true", json_object().member("ids", remove->tasks).take(),
                     remove->over);
    }
    if (const auto* replace = std::get_if<ReplaceInstance>(&action.what))
        return write("DELETE", "/v2/apps" + app_ + "/tasks/" + percent_encode(replace->task), "", {});
    const auto& cancel = std::get<CancelDeployment>(action.what);
    return write("DELETE", "/v2/deployments/" + percent_encode(cancel.deployment) + "?force=true", "", {});
}

namespace {

// A v1 call; nothing when this master does not know it.
Result<std::optional<std::string>> call(Endpoint& endpoint, std::string_view type) {
    TRY(auto answer, endpoint.ask("/api/v1", json_object().member("type", type).take()));
    if (answer.status == ok) return std::optional{std::move(answer.body)};
    if (answer.status == not_found || answer.status == 400 || answer.status == 405 || answer.status == 501)
        return std::optional<std::string>{};
    return unexpected_status(endpoint, type, answer);
}

}  // namespace

Result<MesosState> look_at_mesos(Endpoint& endpoint, Timestamp now) {
    TRY(auto agents, call(endpoint, "GET_AGENTS"));
    if (!agents) {
        TRY(auto answer, endpoint.ask("/master/slaves"));
        if (answer.status == not_found) {
            TRY(answer, endpoint.ask("/slaves"));
        }
        if (answer.status != ok) return unexpected_status(endpoint, "GET /slaves", answer);
        return parse_slaves(answer.body);
    }
    TRY(auto mesos, parse_agents(*agents));
    agents.reset();
    TRY(auto status, call(endpoint, "GET_MAINTENANCE_STATUS"));
    if (status) {
        CHECK(add_maintenance(mesos, *status, "", now));
        if (!mesos.maybe_in_window.empty()) {
            TRY(auto schedule, call(endpoint, "GET_MAINTENANCE_SCHEDULE"));
            if (schedule) {
                mesos.maybe_in_window.clear();
                mesos.down.clear();
                CHECK(add_maintenance(mesos, *status, *schedule, now));
            }
        }
    }
    bool has_regions = std::ranges::any_of(mesos.agents, [](const Agent& agent) { return !agent.region.empty(); });
    if (has_regions) {
        TRY(auto master, call(endpoint, "GET_MASTER"));
        if (master) {
            TRY(mesos.region, parse_master_region(*master));
        }
    }
    return mesos;
}

}  // namespace boatswain::fleet
