#include "fleet/mesos_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_reader.h"

namespace boatswain::fleet {
namespace {

constexpr std::size_t ranges_max = 10'000;
constexpr std::int64_t port_max = 65535;

std::unexpected<Error> too_many(std::string_view what) {
    return fail(Remedy::quarantine, "Mesos' answer holds more " + std::string{what} + " than this program takes");
}

std::string join_sorted(std::vector<std::string> items, char open, char close) {
    std::ranges::sort(items);
    std::string text{open};
    for (const auto& item : items) text += (text.size() > 1 ? "," : "") + item;
    return text + close;
}

// "slave(1)@10.0.0.1:5051", "slave(1)@[::1]:5051"
std::string address_of(std::string_view pid) {
    auto at = pid.rfind('@');
    auto colon = pid.rfind(':');
    if (at == pid.npos || colon == pid.npos || colon < at) return {};
    auto address = pid.substr(at + 1, colon - at - 1);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    return std::string{address};
}

// A v1 attribute's value, as Marathon compares it.
std::string attribute_text(const json::object& attribute) {
    if (auto text = json::object_of(attribute, "text")) return json::text_of(text, "value");
    if (auto scalar = json::object_of(attribute, "scalar")) return scalar_text(json::number_of(scalar, "value"));
    if (auto set = json::object_of(attribute, "set")) {
        std::vector<std::string> items;
        json::for_each(set, "item", attributes_max, [&](const json::element& item) {
            if (auto text = json::as_text(item)) items.emplace_back(*text);
        });
        return join_sorted(std::move(items), '{', '}');
    }
    std::string text;
    json::for_each(json::object_of(attribute, "ranges"), "range", attributes_max, [&](const json::element& range) {
        auto fields = json::as_object(range);
        text += fmt::format("{}{}-{}", text.empty() ? "" : ",", json::integer_of(fields, "begin"),
                            json::integer_of(fields, "end"));
    });
    return "[" + text + "]";
}

void add_port_range(std::vector<PortRange>& ports, std::int64_t first, std::int64_t last) {
    if (first < 0 || last < first || last > port_max || ports.size() >= ranges_max) return;
    ports.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)});
}

// Whose a resource is: of its last reservation (refined form), of `role` (before), or unreserved.
std::string role_of(const std::optional<json::object>& resource) {
    std::string role;
    json::for_each(resource, "reservations", resources_max, [&](const json::element& reservation) {
        role = json::text_of(json::as_object(reservation), "role");
    });
    if (role.empty()) role = json::text_of(resource, "role");
    return role.empty() ? "*" : role;
}

void add_resource(ResourcesByRole& resources, const json::element& value) {
    auto fields = json::as_object(value);
    auto name = json::text_of(fields, "name");
    auto& of_role = resources[role_of(fields)];
    auto scalar = json::number_of(json::object_of(fields, "scalar"), "value");
    if (!std::isfinite(scalar)) return;
    if (name == "cpus") of_role.cpus += scalar;
    if (name == "mem") of_role.mem += scalar;
    if (name == "gpus") of_role.gpus += scalar;
    // A disk of its own (MOUNT, PATH) is not what an app's `disk` is taken from.
    if (name == "disk" && !json::object_of(json::object_of(fields, "disk"), "source")) of_role.disk += scalar;
    if (name == "ports")
        json::for_each(json::object_of(fields, "ranges"), "range", ranges_max, [&](const json::element& range) {
            auto ends = json::as_object(range);
            add_port_range(of_role.ports, json::integer_of(ends, "begin"), json::integer_of(ends, "end"));
        });
}

std::optional<ResourcesByRole> resource_list(const std::optional<json::object>& fields, std::string_view key) {
    if (!json::get<json::array>(fields, key)) return std::nullopt;
    ResourcesByRole resources;
    json::for_each(fields, key, resources_max, [&](const json::element& one) { add_resource(resources, one); });
    return resources;
}

// {"cpus": 4, "mem": 1024, "ports": "[31000-32000]"}
Resources resource_map(const std::optional<json::object>& fields) {
    return {.cpus = json::number_of(fields, "cpus"),
            .mem = json::number_of(fields, "mem"),
            .disk = json::number_of(fields, "disk"),
            .gpus = json::number_of(fields, "gpus"),
            .ports = parse_ranges(json::text_of(fields, "ports"))};
}

void read_domain(Agent& agent, const std::optional<json::object>& of) {
    auto fault = json::object_of(json::object_of(of, "domain"), "fault_domain");
    agent.region = json::text_of(json::object_of(fault, "region"), "name");
    agent.zone = json::text_of(json::object_of(fault, "zone"), "name");
}

void read_flags(Agent& agent, const json::object& fields) {
    agent.version = json::text_of(fields, "version");
    agent.address = address_of(json::text_of(fields, "pid"));
    agent.active = json::get<bool>(fields, "active").value_or(true);
    agent.deactivated = json::flag_of(fields, "deactivated");
    agent.draining = json::object_of(fields, "drain_info").has_value();
}

std::string value_of(const std::optional<json::object>& fields, std::string_view key) {
    return json::text_of(json::object_of(fields, key), "value");
}

std::optional<Agent> agent_of(const json::element& value) {
    auto fields = json::as_object(value);
    auto info = json::object_of(fields, "agent_info");
    Agent agent{.id = value_of(info, "id"), .hostname = json::text_of(info, "hostname")};
    if (agent.id.empty() || agent.hostname.empty()) return std::nullopt;
    json::for_each(info, "attributes", attributes_max, [&](const json::element& one) {
        if (auto attribute = json::as_object(one))
            agent.attributes.emplace(json::text_of(attribute, "name"), attribute_text(*attribute));
    });
    auto total = resource_list(fields, "total_resources");
    agent.total = std::move(total).value_or(ResourcesByRole{});
    // An empty list may be left out: nothing is used.
    agent.used = resource_list(fields, "allocated_resources").value_or(ResourcesByRole{});
    read_domain(agent, info);
    read_flags(agent, *fields);
    return agent;
}

// "[1-2, 4-5]" and "{b, a}" in the form in which Marathon compares them.
std::string normalised(std::string_view text) {
    bool ranges = text.starts_with('[') && text.ends_with(']');
    bool set = text.starts_with('{') && text.ends_with('}');
    if (!ranges && !set) return std::string{text};
    std::vector<std::string> items(1);
    for (char c : text.substr(1, text.size() - 2)) {
        if (c == ',')
            items.emplace_back();
        else if (c != ' ')
            items.back() += c;
    }
    if (set) return join_sorted(std::move(items), '{', '}');
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ",") + item;
    return "[" + out + "]";
}

std::optional<Agent> slave_of(const json::element& value) {
    auto fields = json::as_object(value);
    Agent agent{.id = json::text_of(fields, "id"), .hostname = json::text_of(fields, "hostname")};
    if (agent.id.empty() || agent.hostname.empty()) return std::nullopt;
    if (auto attributes = json::object_of(fields, "attributes")) {
        for (auto [name, attribute] : *attributes) {
            if (agent.attributes.size() >= attributes_max) break;
            double number = 0;
            if (auto text = json::as_text(attribute))
                agent.attributes.emplace(name, normalised(*text));
            else if (!attribute.get(number))
                agent.attributes.emplace(name, scalar_text(number));
        }
    }
    auto reserved = json::object_of(fields, "reserved_resources");
    bool any_reserved = false;
    if (reserved)
        for (auto [role, resources] : *reserved) {
            any_reserved = true;
            agent.total[std::string{role}] = resource_map(json::as_object(resources));
        }
    auto unreserved = json::object_of(fields, "unreserved_resources");
    agent.total["*"] = resource_map(unreserved ? unreserved : json::object_of(fields, "resources"));
    agent.used = resource_list(fields, "used_resources_full");
    if (!agent.used && !any_reserved)
        agent.used = ResourcesByRole{{"*", resource_map(json::object_of(fields, "used_resources"))}};
    read_domain(agent, fields);
    read_flags(agent, *fields);
    return agent;
}

std::string machine_name(const std::optional<json::object>& id) {
    auto hostname = json::text_of(id, "hostname");
    return hostname.empty() ? json::text_of(id, "ip") : hostname;
}

Timestamp time_of(const std::optional<json::object>& fields, std::string_view key) {
    return Timestamp{
        Nanoseconds{std::max<std::int64_t>(0, json::integer_of(json::object_of(fields, key), "nanoseconds"))}};
}

// Whether a window has begun, or is so near that Marathon starts nothing there any more.
bool is_open(const std::optional<json::object>& unavailability, Timestamp now) {
    auto start = time_of(unavailability, "start");
    if (now + drain_margin < start) return false;
    auto duration = json::object_of(unavailability, "duration");
    if (!duration) return true;
    auto length = Nanoseconds{json::integer_of(duration, "nanoseconds")};
    return now - start < length;
}

}  // namespace

std::string scalar_text(double value) {
    auto text = fmt::format("{:.3f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text == "-0" ? "0" : text;
}

std::vector<PortRange> parse_ranges(std::string_view text) {
    std::vector<PortRange> ranges;
    if (!text.starts_with('[') || !text.ends_with(']')) return ranges;
    text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
        auto part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        while (part.starts_with(' ')) part.remove_prefix(1);
        std::int64_t first = 0, last = 0;
        const auto* end = part.data() + part.size();
        auto [middle, error] = std::from_chars(part.data(), end, first);
        if (error != std::errc{} || middle == end || *middle != '-') continue;
        if (auto [rest, bad] = std::from_chars(middle + 1, end, last); bad != std::errc{} || rest != end) continue;
        add_port_range(ranges, first, last);
    }
    return ranges;
}

Result<MesosState> parse_agents(std::string_view body) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Mesos' answer to GET_AGENTS"));
    auto answer = json::object_of(root, "get_agents");
    if (!answer) return fail(Remedy::quarantine, "Mesos' answer to GET_AGENTS holds no get_agents");
    MesosState mesos;
    bool all = json::for_each(answer, "agents", agents_max, [&](const json::element& one) {
        if (auto agent = agent_of(one)) mesos.agents.push_back(std::move(*agent));
    });
    all = json::for_each(answer, "recovered_agents", agents_max,
                         [&](const json::element& one) {
                             auto fields = json::as_object(one);
                             if (auto info = json::object_of(fields, "agent_info")) fields = info;
                             mesos.recovered.push_back({value_of(fields, "id"), json::text_of(fields, "hostname")});
                         }) &&
          all;
    if (!all) return too_many("agents");
    return mesos;
}

Result<MesosState> parse_slaves(std::string_view body) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Mesos' answer to /slaves"));
    if (!json::get<json::array>(root, "slaves"))
        return fail(Remedy::quarantine, "Mesos' answer to /slaves holds no slaves");
    MesosState mesos;
    bool all = json::for_each(root, "slaves", agents_max, [&](const json::element& one) {
        if (auto agent = slave_of(one)) mesos.agents.push_back(std::move(*agent));
    });
    all =
        json::for_each(root, "recovered_slaves", agents_max,
                       [&](const json::element& one) {
                           auto fields = json::as_object(one);
                           mesos.recovered.push_back({json::text_of(fields, "id"), json::text_of(fields, "hostname")});
                       }) &&
        all;
    if (!all) return too_many("agents");
    return mesos;
}

Result<void> add_maintenance(MesosState& mesos, std::string_view status, std::string_view schedule, Timestamp now) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, status, "Mesos' answer to GET_MAINTENANCE_STATUS"));
    auto answer = json::object_of(json::object_of(root, "get_maintenance_status"), "status");
    std::set<std::string> scheduled;
    bool all = json::for_each(answer, "down_machines", machines_max, [&](const json::element& one) {
        auto fields = json::as_object(one);
        auto id = json::object_of(fields, "id");
        mesos.down.insert(machine_name(id ? id : fields));
    });
    all = json::for_each(answer, "draining_machines", machines_max,
                         [&](const json::element& one) {
                             scheduled.insert(machine_name(json::object_of(json::as_object(one), "id")));
                         }) &&
          all;
    if (!all) return too_many("machines in maintenance");
    if (schedule.empty()) {
        mesos.maybe_in_window = std::move(scheduled);
        return {};
    }
    json::parser second;
    TRY(auto other, json::parse_object(second, schedule, "Mesos' answer to GET_MAINTENANCE_SCHEDULE"));
    auto plan = json::object_of(json::object_of(other, "get_maintenance_schedule"), "schedule");
    all = json::for_each(plan, "windows", machines_max, [&](const json::element& one) {
        auto window = json::as_object(one);
        bool open = is_open(json::object_of(window, "unavailability"), now);
        json::for_each(window, "machine_ids", machines_max, [&](const json::element& id) {
            auto name = machine_name(json::as_object(id));
            if (open && scheduled.contains(name)) mesos.in_window.insert(name);
        });
    });
    if (!all) return too_many("maintenance windows");
    return {};
}

Result<std::string> parse_master_region(std::string_view body) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Mesos' answer to GET_MASTER"));
    Agent master;
    read_domain(master, json::object_of(json::object_of(root, "get_master"), "master_info"));
    return master.region;
}

}  // namespace boatswain::fleet
