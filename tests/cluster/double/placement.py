"""One offer against one app: host ports to use, or the reasons why not, named and ordered as /v2/queue names them."""
from . import constraints, resources

REASONS = (
    "UnfulfilledRole",
    "UnfulfilledConstraint",
    "NoCorrespondingReservationFound",
    "AgentMaintenance",
    "InsufficientCpus",
    "InsufficientMemory",
    "InsufficientDisk",
    "InsufficientGpus",
    "InsufficientPorts",
    "DeclinedScarceResources",
)


def accepted_roles(app):
    return app.get("acceptedResourceRoles") or ["*", app.get("role") or "*"]


def wanted_ports(app):
    if app.get("portDefinitions"):
        return [definition.get("port", 0) for definition in app["portDefinitions"]]
    mappings = (app.get("container") or {}).get("portMappings") or []
    return [mapping.get("hostPort") or 0 for mapping in mappings]


def match(app, machine, others, in_maintenance):
    """(role, ports, []) when the app fits, else (None, None, reasons)."""
    reasons = []
    roles = [role for role in accepted_roles(app) if role in machine.resources]
    if not roles:
        reasons.append("UnfulfilledRole")
    if not all(constraints.met(constraint, machine, others) for constraint in app.get("constraints") or []):
        reasons.append("UnfulfilledConstraint")
    if in_maintenance:
        reasons.append("AgentMaintenance")
    if reasons:
        return None, None, reasons
    short = []
    for role in roles:
        lacking, ports = fits(app, machine, role)
        if not lacking:
            return role, ports, []
        short = short or lacking
    return None, None, short


def fits(app, machine, role):
    have = machine.resources[role]
    used = [process for process in machine.processes.values() if process.role == role]
    lacking = [
        reason
        for reason, name in (("InsufficientCpus", "cpus"), ("InsufficientMemory", "mem"), ("InsufficientDisk", "disk"))
        if have.get(name, 0) - sum(getattr(process, name) for process in used) + 1e-9 < app.get(name, 0)
    ]
    ports = resources.pick_ports(
        have.get("ports", []), machine.task_ports(), wanted_ports(app), app.get("requirePorts", False)
    )
    if ports is None:
        lacking.append("InsufficientPorts")
    return lacking, ports
