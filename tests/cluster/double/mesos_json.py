"""How the master writes agents: the old way (/slaves, /state) and the v1 API's, with integers of 64 bits as numbers."""
from . import resources


def attributes(machine):
    """v1: TEXT for texts, SCALAR for numbers."""
    return [
        (
            {"name": name, "type": "TEXT", "text": {"value": value}}
            if isinstance(value, str)
            else {"name": name, "type": "SCALAR", "scalar": {"value": float(value)}}
        )
        for name, value in machine.attributes.items()
    ]


def domain(machine):
    if not machine.region and not machine.zone:
        return {}
    return {
        "domain": {
            "fault_domain": {"region": {"name": machine.region or "here"}, "zone": {"name": machine.zone or "here"}}
        }
    }


def used(machine):
    by_role = {}
    for process in machine.processes.values():
        have = by_role.setdefault(process.role, {"cpus": 0.0, "mem": 0.0, "disk": 0.0, "ports": []})
        for name in ("cpus", "mem", "disk"):
            have[name] += getattr(process, name)
        have["ports"] += [(port, port) for port in process.ports]
    return by_role


def offered(machine):
    """What is left, as an offer has it."""
    taken, left = used(machine), {}
    for role, have in machine.resources.items():
        gone = taken.get(role, {})
        left[role] = {name: value if name == "ports" else value - gone.get(name, 0) for name, value in have.items()}
    return resources.full(left)


def slave(machine):
    reserved = {role: resources.flat(have) for role, have in machine.resources.items() if role != "*"}
    told = {
        "id": machine.agent_id,
        "hostname": machine.hostname,
        "port": machine.port,
        "attributes": machine.attributes,
        **domain(machine),
        "pid": f"slave(1)@127.0.0.1:{machine.port}",
        "registered_time": machine.registered_at,
        "resources": resources.flat_total(machine.resources),
        "used_resources": resources.flat_total(used(machine)),
        "offered_resources": resources.flat({}),
        "reserved_resources": reserved,
        "unreserved_resources": resources.flat(machine.resources.get("*", {})),
        "active": machine.active,
        "deactivated": machine.deactivated,
        "version": "1.11.0",
        "capabilities": [
            "MULTI_ROLE",
            "HIERARCHICAL_ROLE",
            "RESERVATION_REFINEMENT",
            "RESOURCE_PROVIDER",
            "AGENT_DRAINING",
        ],
        "reserved_resources_full": {
            role: resources.full({role: have}) for role, have in machine.resources.items() if role != "*"
        },
        "unreserved_resources_full": resources.full({"*": machine.resources.get("*", {})}),
        "used_resources_full": resources.full(used(machine)),
        "offered_resources_full": [],
    }
    if machine.reregistered_at:
        told["reregistered_time"] = machine.reregistered_at
    if machine.drain:
        told["drain_info"] = drain_info(machine)
        told["estimated_drain_start_time_seconds"] = machine.drain["since"]
    return told


def drain_info(machine):
    grace = machine.drain["max_grace"]
    config = {"mark_gone": machine.drain["mark_gone"]}
    if grace is not None:
        config["max_grace_period"] = {"nanoseconds": int(grace * 1e9)}
    return {"state": machine.drain_state, "config": config}


def recovered_slave(machine):
    return {
        "id": machine.agent_id,
        "hostname": machine.hostname,
        "port": machine.port,
        "attributes": machine.attributes,
        **domain(machine),
    }


def agent_info(machine):
    told = {
        "hostname": machine.hostname,
        "id": {"value": machine.agent_id},
        "port": machine.port,
        "resources": resources.full(machine.resources),
        **domain(machine),
    }
    if machine.attributes:  # a repeated field that is empty is not there
        told["attributes"] = attributes(machine)
    return told


def agent(machine):
    told = {
        "agent_info": agent_info(machine),
        "active": machine.active,
        "deactivated": machine.deactivated,
        "version": "1.11.0",
        "pid": f"slave(1)@127.0.0.1:{machine.port}",
        "registered_time": {"nanoseconds": nanoseconds(machine.registered_at)},
        "total_resources": resources.full(machine.resources),
        "capabilities": [{"type": "MULTI_ROLE"}, {"type": "AGENT_DRAINING"}],
    }
    allocated = resources.full(used(machine))
    if allocated:
        told["allocated_resources"] = allocated
    if machine.reregistered_at:
        told["reregistered_time"] = {"nanoseconds": nanoseconds(machine.reregistered_at)}
    if machine.drain:
        told["drain_info"] = drain_info(machine)
        told["estimated_drain_start_time"] = {"nanoseconds": nanoseconds(machine.drain["since"])}
    return told


def nanoseconds(when):
    """Above 2**53 and odd: a client that keeps numbers as doubles changes it."""
    return int(when * 1e6) * 1000 + 1


def agents(master):
    told = {}
    listed, recovered = [agent(one) for one in master.listed()], [agent_info(one) for one in master.recovered()]
    if listed:
        told["agents"] = listed
    if recovered:
        told["recovered_agents"] = recovered
    return told
