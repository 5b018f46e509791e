#include "boatswaind/control.h"

#include "base/bytes.h"
#include "base/log.h"
#include "tenancy/forgery.h"

namespace boatswain::boatswaind {
namespace {

using intake::Description;
using intake::Verdict;

// Writes one JSON object, member by member.
class Object {
  public:
    Object& raw(std::string_view name, std::string_view json) {
        text_ += (text_.size() > 1 ? "," : "") + json_quote(name) + ":";
        text_ += json;
        return *this;
    }
    Object& add(std::string_view name, std::string_view value) { return raw(name, json_quote(value)); }
    Object& add(std::string_view name, const char* value) { return add(name, std::string_view{value}); }
    Object& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
    Object& add(std::string_view name, std::uint64_t value) { return raw(name, std::to_string(value)); }
    // A time that was never is null.
    Object& add(std::string_view name, std::optional<Timestamp> time) {
        return time && *time != Timestamp{} ? add(name, to_text(*time)) : raw(name, "null");
    }
    Object& add_seconds(std::string_view name, std::optional<Nanoseconds> time) {
        if (!time) return raw(name, "null");
        auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*time).count();
        auto rest = std::to_string(milliseconds % 1000);
        return raw(name, std::to_string(milliseconds / 1000) + "." + std::string(3 - rest.size(), '0') + rest);
    }
    std::string str() const { return text_ + "}"; }

  private:
    std::string text_ = "{";
};

std::string array_of(const std::vector<std::string>& elements) {
    std::string text;
    for (const auto& element : elements) text += (text.empty() ? "[" : ",") + element;
    return text.empty() ? "[]" : text + "]";
}

std::string array_of_texts(const std::vector<std::string>& texts) {
    std::vector<std::string> quoted;
    for (const auto& text : texts) quoted.push_back(json_quote(text));
    return array_of(quoted);
}

std::string_view state_of(const Description& container) {
    if (container.removed) return "removed";
    return container.running ? "running" : "exited";
}

std::string position_of(const Description& container) {
    Object position;
    if (const auto& file = container.file) {
        position.add("file", file->path).add("offset", file->offset);
        if (file->size)
            position.add("size", *file->size);
        else
            position.raw("size", "null");
        position.add("lag_bytes", file->lag_bytes).add("rotated_files_held", std::uint64_t{file->files_held});
    } else if (const auto& times = container.last_times) {
        position.add("last_stdout", std::optional{times->out}).add("last_stderr", std::optional{times->err});
    } else {
        return "null";
    }
    return position.str();
}

std::string json_of(const spool::Conflict& conflict) {
    return Object{}
        .add("tenant", conflict.tenant)
        .add("key", conflict.key)
        .add("noticed", std::optional{conflict.noticed})
        .add("times", conflict.count)
        .str();
}

http::Answer json_answer(int status, std::string body) {
    return {.status = status, .content_type = "application/json", .body = std::move(body) + "\n"};
}

http::Answer answer_all(const ControlSources& sources) {
    auto troubles = sources.troubles();
    std::vector<std::string> containers;
    for (const auto& one : sources.all())
        containers.push_back(to_json(
            one, one.whose ? sources.tenant(one.whose->tenant.str()) : spool::Spool::TenantStanding{}, troubles));
    return json_answer(200, Object{}.raw("containers", array_of(containers)).str());
}

http::Answer answer_one(const ControlSources& sources, std::string_view path) {
    auto wanted = percent_decode(path.substr(path.rfind('/') + 1)).value_or("");
    auto found = sources.find(wanted);
    std::vector<std::string> troubles;
    for (const auto& trouble : sources.troubles()) troubles.push_back(json_quote(trouble));
    if (found.empty())
        return json_answer(404, Object{}
                                    .add("error", "this agent knows no container \"" + printable(wanted, 80) + "\"")
                                    .raw("agent_troubles", array_of(troubles))
                                    .str());
    if (found.size() > 1) {
        std::vector<std::string> candidates;
        for (const auto& one : found) candidates.push_back(Object{}.add("id", one.id).add("name", one.name).str());
        return json_answer(409, Object{}
                                    .add("error", "\"" + printable(wanted, 80) + "\" may be any of several containers")
                                    .raw("candidates", array_of(candidates))
                                    .str());
    }
    const auto& one = found.front();
    return json_answer(
        200, to_json(one, one.whose ? sources.tenant(one.whose->tenant.str()) : spool::Spool::TenantStanding{},
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

std::string to_json(const Description& container, const spool::Spool::TenantStanding& tenant,
                    const std::vector<std::string>& troubles) {
    Object told;
    told.add("id", container.id)
        .add("name", container.name)
        .raw("former_names", array_of_texts(container.former_names))
        .add("image", container.image)
        .add("state", state_of(container))
        .add("created", std::optional{container.created})
        .add("log_driver", container.log_driver)
        .add("collected", is_collected(container.verdict))
        .add("verdict", to_string(container.verdict))
        .add("reason", container.reason)
        .add("advice", advice_for(container));
    if (const auto& whose = container.whose)
        told.add("tenant", whose->tenant.str())
            .add("app", whose->app)
            .add("component", whose->component)
            .add("instance", whose->instance)
            .add("rule", whose->tenant_rule);
    else
        for (const char* unknown : {"tenant", "app", "component", "instance", "rule"}) told.raw(unknown, "null");
    told.add("reader", container.reader)
        .add("reader_reason", container.reader_reason)
        .raw("position", position_of(container))
        .add("lines_read", container.lines_read)
        .add("last_line", container.last_line)
        .add("waits_for_room", container.waits_for_room);
    told.raw("held_back", Object{}
                              .add("lines", container.lines_unsealed)
                              .add("open_frame_bytes", container.open_frame_bytes)
                              .add("batch_lines", container.batch_lines)
                              .add("batch_bytes", container.batch_bytes)
                              .add_seconds("batch_age_seconds", container.batch_age)
                              .str());
    bool sealed = !tenant.last_key.empty();
    told.raw("last_segment",
             sealed ? Object{}.add("key", tenant.last_key).add("sealed", std::optional{tenant.last_added}).str()
                    : std::string{"null"});
    told.raw("spooled",
             Object{}.add("segments", std::uint64_t{tenant.waiting}).add("bytes", tenant.waiting_bytes).str());
    told.raw("set_aside",
             tenant.aside > 0
                 ? Object{}.add("segments", std::uint64_t{tenant.aside}).add("reason", tenant.aside_reason).str()
                 : std::string{"null"});
    told.raw("key_taken", tenant.conflict ? json_of(*tenant.conflict) : std::string{"null"});
    const auto& error = container.last_error;
    told.raw("last_error", error ? Object{}.add("time", std::optional{error->when}).add("what", error->what).str()
                                 : std::string{"null"});
    told.add("ended", container.ended);
    return told.raw("agent_troubles", array_of_texts(troubles)).str();
}

std::string to_json(const AgentStatus& status) {
    Object detail;
    for (const auto& [name, value] : status.health.detail) detail.add(name, value);
    return Object{}
        .add("healthy", status.health.ok())
        .raw("reasons", serve::to_json(status.health.reasons))
        .raw("notes", serve::to_json(status.health.notes))
        .add("version", status.version)
        .add("host", status.host)
        .add("epoch", status.epoch)
        .add("store", status.store)
        .add("started", std::optional{status.started})
        .add_seconds("uptime_seconds", status.uptime)
        .raw("memory", Object{}
                           .add("bytes", status.memory_bytes)
                           .add("bytes_max", status.memory_bytes_max)
                           .add("waiting_tenants", status.memory_waiting_tenants)
                           .str())
        .raw("spool", Object{}
                          .add("segments", std::uint64_t{status.spool_segments})
                          .add("bytes", status.spool_bytes)
                          .add("bytes_max", status.spool_bytes_max)
                          .add("oldest", status.spool_oldest)
                          .str())
        .raw("detail", detail.str())
        .str();
}

std::string to_json(const SpoolStatus& status) {
    std::vector<std::string> aside, conflicts;
    for (const auto& segment : status.aside)
        aside.push_back(Object{}
                            .add("key", segment.key)
                            .add("tenant", segment.tenant)
                            .add("bytes", segment.size)
                            .add("sealed", std::optional{segment.added})
                            .add("kind", segment.damaged ? "damaged" : "refused")
                            .add("reason", segment.reason)
                            .str());
    for (const auto& conflict : status.conflicts) conflicts.push_back(json_of(conflict));
    const auto& totals = status.totals;
    return Object{}
        .add("refused", std::uint64_t{totals.refused})
        .add("damaged", std::uint64_t{totals.damaged})
        .add("unnamed_files", std::uint64_t{totals.unnamed})
        .add("bytes", totals.bytes)
        .add("bytes_max", status.bytes_max)
        .raw("aside", array_of(aside))
        .raw("keys_taken", array_of(conflicts))
        .str();
}

http::Routes control_routes(ControlSources sources) {
    http::Routes routes;
    routes["/v1/containers"] = [sources](const http::Request&) { return answer_all(sources); };
    routes["/v1/containers/"] = [sources](const http::Request& request) { return answer_one(sources, request.path); };
    routes["/v1/status"] = [sources](const http::Request&) { return json_answer(200, to_json(sources.status())); };
    routes["/v1/spool"] = [sources](const http::Request&) { return json_answer(200, to_json(sources.spool())); };
    routes["POST /v1/flush"] = [sources](const http::Request&) {
        return json_answer(200, Object{}.add("batches", std::uint64_t{sources.flush()}).str());
    };
    routes["POST /v1/spool/retry"] = [sources](const http::Request&) {
        return json_answer(200, Object{}.add("offered", std::uint64_t{sources.retry()}).str());
    };
    routes["POST /v1/spool/acknowledge"] = [sources](const http::Request&) {
        return json_answer(200, Object{}.add("acknowledged", std::uint64_t{sources.acknowledge()}).str());
    };
    return routes;
}

}  // namespace boatswain::boatswaind
