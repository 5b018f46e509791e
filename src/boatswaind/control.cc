#include "boatswaind/control.h"

#include "base/bytes.h"
#include "base/json_writer.h"
#include "tenancy/forgery.h"

namespace boatswain::boatswaind {
namespace {

using intake::Description;
using intake::Verdict;

// A time that never was is null.
std::optional<Timestamp> if_ever(std::optional<Timestamp> time) { return time == Timestamp{} ? std::nullopt : time; }

// Seconds with milliseconds; null for nothing.
std::string seconds_json(std::optional<Nanoseconds> time) {
    if (!time) return "null";
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*time).count();
    auto rest = std::to_string(milliseconds % 1000);
    return std::to_string(milliseconds / 1000) + "." + std::string(3 - rest.size(), '0') + rest;
}

std::string_view state_of(const Description& container) {
    if (container.removed) return "removed";
    return container.running ? "running" : "exited";
}

void write_position(JsonWriter& json, const Description& container) {
    json.name("position");
    if (const auto& file = container.file)
        json.object()
            .member("file", file->path)
            .member("offset", file->offset)
            .member("size", file->size)
            .member("lag_bytes", file->lag_bytes)
            .member("rotated_files_held", file->files_held)
            .end();
    else if (const auto& times = container.last_times)
        json.object().member("last_stdout", if_ever(times->out)).member("last_stderr", if_ever(times->err)).end();
    else
        json.value(nullptr);
}

void write_conflict(JsonWriter& json, const spool::Conflict& conflict) {
    json.object()
        .member("tenant", conflict.tenant)
        .member("key", conflict.key)
        .member("noticed", if_ever(conflict.noticed))
        .member("times", conflict.count)
        .end();
}

http::Answer json_answer(int status, std::string body) {
    return {.status = status, .content_type = "application/json", .body = std::move(body) + "\n"};
}

http::Answer answer_all(const ControlSources& sources) {
    auto troubles = sources.troubles();
    auto json = json_object();
    json.array("containers");
    for (const auto& one : sources.all())
        json.raw(
            to_json(one, one.whose ? sources.tenant(one.whose->tenant.str()) : spool::TenantSpoolStatus{}, troubles));
    return json_answer(200, json.take());
}

http::Answer answer_one(const ControlSources& sources, std::string_view path) {
    auto wanted = percent_decode(path.substr(path.rfind('/') + 1)).value_or("");
    auto found = sources.find(wanted);
    if (found.empty())
        return json_answer(404, json_object()
                                    .member("error", "this agent knows no container \"" + printable(wanted, 80) + "\"")
                                    .member("agent_troubles", sources.troubles())
                                    .take());
    if (found.size() > 1) {
        auto json = json_object();
        json.member("error", "\"" + printable(wanted, 80) + "\" may be any of several containers").array("candidates");
        for (const auto& one : found) json.object().member("id", one.id).member("name", one.name).end();
        return json_answer(409, json.take());
    }
    const auto& one = found.front();
    return json_answer(200,
                       to_json(one, one.whose ? sources.tenant(one.whose->tenant.str()) : spool::TenantSpoolStatus{},
                               sources.troubles()));
}

}  // namespace

std::string advice_for(const Description& container) {
    switch (container.verdict) {
        case Verdict::collected:
        case Verdict::deriving: return "";
        case Verdict::quarantined:
            if (container.whose && container.whose->tenant_rule.starts_with(tenancy::forged_rule))
                return "find out who submitted the task: its own env (or a label of its parameters) names another task "
                       "than the Mesos agent does; tenancy.forged says what becomes of such containers";
            if (container.lack == tenancy::Lack::key)
                return "put the TENANT.pub of the tenant that it names into the keyring; what is sealed until then "
                       "opens "
                       "with the operator's key";
            return "name a tenant (BOATSWAIN_TENANT in its environment) and put that tenant's TENANT.pub into the "
                   "keyring; "
                   "what is sealed until then opens with the operator's key";
        case Verdict::dropped:
            if (container.lack == tenancy::Lack::removed_key)
                return "put the tenant's TENANT.pub back into the keyring; what its log still holds is read then";
            return "name a tenant (BOATSWAIN_TENANT in its environment) and put that tenant's TENANT.pub into the "
                   "keyring, or "
                   "set tenancy.unassigned = \"quarantine\" to keep such lines for the operator";
        case Verdict::held:
            if (container.lack == tenancy::Lack::removed_key)
                return "put the tenant's TENANT.pub back into the keyring: reading goes on where it stopped. If it is "
                       "gone "
                       "on purpose, say so: rename it, there, to TENANT.gone";
            return "put the tenant's TENANT.pub, or the operator's _unassigned.pub, into the keyring: reading starts "
                   "within a second, from "
                   "the first line that the engine still has";
        case Verdict::excluded:
            return "change docker.include or docker.exclude, or run the container without the label "
                   "boatswain.exclude=true; then restart the agent";
        case Verdict::own:
            return "nothing to do: an agent that ships its own log never comes to rest; read it where it is started";
        case Verdict::unreadable:
            return "use a log driver that can be read (json-file), or let the agent attach: label "
                   "boatswain.attach=true, or docker.attach = true";
        case Verdict::not_inspected:
            return "see whether `docker inspect` answers for it; the agent asks again when it next connects to the "
                   "engine";
    }
    return "";
}

std::string to_json(const Description& container, const spool::TenantSpoolStatus& tenant,
                    const std::vector<std::string>& troubles) {
    auto json = json_object();
    json.member("id", container.id)
        .member("name", container.name)
        .member("former_names", container.former_names)
        .member("image", container.image)
        .member("state", state_of(container))
        .member("created", if_ever(container.created))
        .member("log_driver", container.log_driver)
        .member("collected", is_collected(container.verdict))
        .member("verdict", to_string(container.verdict))
        .member("reason", container.reason)
        .member("advice", advice_for(container));
    if (const auto& whose = container.whose)
        json.member("tenant", whose->tenant.str())
            .member("app", whose->app)
            .member("component", whose->component)
            .member("instance", whose->instance)
            .member("rule", whose->tenant_rule);
    else
        for (const char* unknown : {"tenant", "app", "component", "instance", "rule"}) json.member(unknown, nullptr);
    json.member("reader", container.reader).member("reader_reason", container.reader_reason);
    write_position(json, container);
    json.member("lines_read", container.lines_read)
        .member("last_line", if_ever(container.last_line))
        .member("waits_for_room", container.waits_for_room)
        .object("held_back")
        .member("lines", container.lines_unsealed)
        .member("open_frame_bytes", container.open_frame_bytes)
        .member("batch_lines", container.batch_lines)
        .member("batch_bytes", container.batch_bytes)
        .raw_member("batch_age_seconds", seconds_json(container.batch_age))
        .end();
    if (tenant.last_key.empty())
        json.member("last_segment", nullptr);
    else
        json.object("last_segment").member("key", tenant.last_key).member("sealed", if_ever(tenant.last_added)).end();
    json.object("spooled").member("segments", tenant.waiting).member("bytes", tenant.waiting_bytes).end();
    if (tenant.aside == 0)
        json.member("set_aside", nullptr);
    else
        json.object("set_aside").member("segments", tenant.aside).member("reason", tenant.aside_reason).end();
    json.name("key_taken");
    if (tenant.conflict)
        write_conflict(json, *tenant.conflict);
    else
        json.value(nullptr);
    if (const auto& error = container.last_error)
        json.object("last_error").member("time", if_ever(error->when)).member("what", error->what).end();
    else
        json.member("last_error", nullptr);
    return json.member("ended", if_ever(container.ended)).member("agent_troubles", troubles).take();
}

std::string to_json(const AgentStatus& status) {
    return json_object()
        .member("healthy", status.health.ok())
        .raw_member("reasons", serve::to_json(status.health.reasons))
        .raw_member("notes", serve::to_json(status.health.notes))
        .member("version", status.version)
        .member("host", status.host)
        .member("epoch", status.epoch)
        .member("store", status.store)
        .member("started", if_ever(status.started))
        .raw_member("uptime_seconds", seconds_json(status.uptime))
        .object("memory")
        .member("bytes", status.memory_bytes)
        .member("bytes_max", status.memory_bytes_max)
        .member("waiting_tenants", status.memory_waiting_tenants)
        .end()
        .object("spool")
        .member("segments", status.spool_segments)
        .member("bytes", status.spool_bytes)
        .member("bytes_max", status.spool_bytes_max)
        .member("oldest", if_ever(status.spool_oldest))
        .end()
        .member("detail", status.health.detail)
        .take();
}

std::string to_json(const SpoolStatus& status) {
    const auto& totals = status.totals;
    auto json = json_object();
    json.member("refused", totals.refused)
        .member("damaged", totals.damaged)
        .member("unnamed_files", totals.unnamed)
        .member("bytes", totals.bytes)
        .member("bytes_max", status.bytes_max)
        .array("aside");
    for (const auto& segment : status.aside)
        json.object()
            .member("key", segment.key)
            .member("tenant", segment.tenant)
            .member("bytes", segment.size)
            .member("sealed", if_ever(segment.added))
            .member("kind", segment.damaged ? "damaged" : "refused")
            .member("reason", segment.reason)
            .end();
    json.end().array("keys_taken");
    for (const auto& conflict : status.conflicts) write_conflict(json, conflict);
    return json.take();
}

http::Routes control_routes(ControlSources sources) {
    http::Routes routes;
    routes["/v1/containers"] = [sources](const http::Request&) { return answer_all(sources); };
    routes["/v1/containers/"] = [sources](const http::Request& request) { return answer_one(sources, request.path); };
    routes["/v1/status"] = [sources](const http::Request&) { return json_answer(200, to_json(sources.status())); };
    routes["/v1/spool"] = [sources](const http::Request&) { return json_answer(200, to_json(sources.spool())); };
    routes["POST /v1/flush"] = [sources](const http::Request&) {
        return json_answer(200, json_object().member("batches", std::uint64_t{sources.flush()}).take());
    };
    routes["POST /v1/spool/retry"] = [sources](const http::Request&) {
        return json_answer(200, json_object().member("offered", sources.retry()).take());
    };
    routes["POST /v1/spool/acknowledge"] = [sources](const http::Request&) {
        return json_answer(200, json_object().member("acknowledged", sources.acknowledge()).take());
    };
    return routes;
}

}  // namespace boatswain::boatswaind
