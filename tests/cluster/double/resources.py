"""What an agent has to give, by role: scalars and ports; and the two ways in which Mesos writes that down.

An agent's resources are {role: {"cpus": f, "mem": f, "disk": f, "ports": [(first, last), ...]}}; role "*" is
unreserved.
"""
SCALARS = ("cpus", "gpus", "mem", "disk")


def unreserved(cpus=4, mem=8192, disk=100000, ports=((31000, 32000),), **more):
    return {"*": {"cpus": cpus, "mem": mem, "disk": disk, "ports": list(ports), **more}}


def total(by_role, name):
    return sum(have.get(name, 0) for have in by_role.values())


def ranges_text(ranges):
    return "[" + ", ".join(f"{first}-{last}" for first, last in ranges) + "]"


def flat(have):
    """One role's resources as /slaves writes them: scalars are numbers, ports a text."""
    written = {name: float(have.get(name, 0)) for name in SCALARS}
    if have.get("ports"):
        written["ports"] = ranges_text(have["ports"])
    return written


def flat_total(by_role):
    ports = sorted(range_ for have in by_role.values() for range_ in have.get("ports", ()))
    return flat({**{name: total(by_role, name) for name in SCALARS}, "ports": ports})


def full(by_role):
    """As the v1 API and the *_full lists write them: one object a resource, with its role."""
    written = []
    for role, have in by_role.items():
        reservation = {} if role == "*" else {"reservations": [{"role": role, "type": "STATIC"}]}
        for name in SCALARS:
            if have.get(name):
                written.append(
                    {
                        "name": name,
                        "type": "SCALAR",
                        "scalar": {"value": float(have[name])},
                        "role": role,
                        **reservation,
                    }
                )
        if have.get("ports"):
            ranges = {"range": [{"begin": first, "end": last} for first, last in have["ports"]]}
            written.append({"name": "ports", "type": "RANGES", "ranges": ranges, "role": role, **reservation})
    return written


def holds(ranges, port):
    return any(first <= port <= last for first, last in ranges)


def pick_ports(ranges, taken, wanted, fixed):
    """Host ports for `wanted` (0: any), or None. With `fixed`, a non-zero one must be had as it is (requirePorts)."""
    given = []
    for port in wanted:
        if port and fixed:
            if not holds(ranges, port) or port in taken or port in given:
                return None
            given.append(port)
            continue
        free = next(
            (one for first, last in ranges for one in range(first, last + 1) if one not in taken and one not in given),
            None,
        )
        if free is None:
            return None
        given.append(free)
    return given
