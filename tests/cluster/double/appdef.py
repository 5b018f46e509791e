"""App definitions: what an update may hold, what is filled in, and what is refused with the bodies that Marathon sends.

Sources: docs/docs/rest-api/public/api/v2/types/app.raml, SC/marathon/api/MarathonExceptionMapper.scala.
"""
import copy
import re

OPERATORS = ("UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS")
NUMBERS = {"cpus": 0.1, "mem": 128.0, "disk": 0.0}
DEFAULTS = {
    "args": None,
    "cmd": None,
    "backoffFactor": 1.15,
    "backoffSeconds": 1,
    "constraints": [],
    "container": None,
    "dependencies": [],
    "env": {},
    "executor": "",
    "fetch": [],
    "gpus": 0,
    "healthChecks": [],
    "instances": 1,
    "killSelection": "YOUNGEST_FIRST",
    "labels": {},
    "maxLaunchDelaySeconds": 300,
    "networks": [{"mode": "host"}],
    "portDefinitions": None,
    "requirePorts": False,
    "acceptedResourceRoles": None,
    "role": "*",
    "secrets": {},
    "taskKillGracePeriodSeconds": None,
    "user": None,
    "unreachableStrategy": {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0},
    "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 1},
    **NUMBERS,
}
KEYS = set(DEFAULTS) | {
    "id",
    "version",
    "versionInfo",
    "ipAddress",
    "ports",
    "readinessChecks",
    "residency",
    "storeUrls",
    "uris",
    "tty",
    "resourceLimits",
}
PATH = re.compile(r"(/?((([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])))+")


class Refused(Exception):
    """An answer that is an error: status and body."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


def invalid(path, *errors):
    return Refused(422, {"message": "Object is not valid", "details": [{"path": path, "errors": list(errors)}]})


def mistyped(path, expected):
    return Refused(
        400, {"message": "Invalid JSON", "details": [{"path": path, "errors": [f"error.expected.{expected}"]}]}
    )


def check_types(update):
    if not isinstance(update, dict):
        raise mistyped("/", "jsobject")
    for name, kind in (
        ("instances", int),
        ("constraints", list),
        ("env", dict),
        ("labels", dict),
        ("healthChecks", list),
    ):
        value = update.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise mistyped(f"/{name}", {int: "jsnumber", list: "jsarray", dict: "jsobject"}[kind])
    for name in NUMBERS:
        if name in update and (not isinstance(update[name], (int, float)) or isinstance(update[name], bool)):
            raise mistyped(f"/{name}", "jsnumber")
    unknown = set(update) - KEYS
    if unknown:  # such as tasksRunning: what a client sends that echoes what it got
        name = sorted(unknown)[0]
        raise Refused(
            422, {"message": "Object is not valid", "details": [{"path": f"/{name}", "errors": ["is not allowed"]}]}
        )


def check_values(app):
    if not PATH.fullmatch(app["id"]):
        raise invalid("/id", "must fully match regular expression '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*'")
    if app["instances"] < 0:
        raise invalid("/instances", f"got {app['instances']}, expected 0 or more")
    for name in NUMBERS:
        if app[name] < 0:
            raise invalid(f"/{name}", f"got {app[name]}, expected 0.0 or more")
    for at, constraint in enumerate(app["constraints"]):
        if not isinstance(constraint, list) or not 2 <= len(constraint) <= 3 or constraint[1] not in OPERATORS:
            raise invalid(f"/constraints({at})", "Each constraint must have either 2 or 3 fields, and a known operator")
        if constraint[1] == "UNIQUE" and len(constraint) > 2 and constraint[2]:
            raise invalid(f"/constraints({at})", "Value specified but not used")
        if constraint[1] == "MAX_PER" and not (len(constraint) > 2 and constraint[2].isdigit()):
            raise invalid(f"/constraints({at})", "Value was not specified or is not an integer")
    roles = app["acceptedResourceRoles"]
    if roles is not None and not roles:
        raise invalid("/acceptedResourceRoles", "must not be empty")
    strategy = app["unreachableStrategy"]
    if isinstance(strategy, dict) and strategy["inactiveAfterSeconds"] > strategy["expungeAfterSeconds"]:
        raise invalid("/unreachableStrategy", "inactiveAfterSeconds must be less or equal to expungeAfterSeconds")
    if not any((app["cmd"], app["args"], app["container"])):
        raise invalid("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")


HEALTH_CHECK = {
    "gracePeriodSeconds": 300,
    "intervalSeconds": 60,
    "timeoutSeconds": 20,
    "maxConsecutiveFailures": 3,
    "delaySeconds": 15,
    "path": "/",
    "portIndex": 0,
    "protocol": "HTTP",
    "ignoreHttp1xx": False,
}


def fill_in(app):
    app["healthChecks"] = [{**HEALTH_CHECK, **check} for check in app["healthChecks"]]
    return app


def create(update):
    check_types(update)
    app = copy.deepcopy(DEFAULTS)
    app.update({key: copy.deepcopy(value) for key, value in update.items() if key not in ("version", "versionInfo")})
    if not isinstance(app.get("id"), str):
        raise mistyped("/id", "jsstring")
    app["id"] = "/" + app["id"].strip("/")
    check_values(app)
    return fill_in(app)


def updated(app, update, partial=True):
    """A new definition, of `app` and what `update` says."""
    check_types(update)
    update = {key: value for key, value in update.items() if key not in ("version", "versionInfo", "id")}
    if not partial:
        return create({**update, "id": app["id"]})
    merged = copy.deepcopy(app)
    merged.update(copy.deepcopy(update))
    check_values(merged)
    return fill_in(merged)


NOT_CONFIGURATION = ("instances", "version", "versionInfo")


def same_configuration(left, right):
    """Whether the two differ in nothing but scale: then running instances are not restarted."""

    def strip(app):
        return {key: value for key, value in app.items() if key not in NOT_CONFIGURATION}

    return strip(left) == strip(right)
