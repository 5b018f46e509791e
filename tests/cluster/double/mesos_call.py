"""A call of Mesos' v1 operator API, as masters and agents take it (docs/operator-http-api.md)."""
import json

from .web import Response


def read(request):
    """(the call, None), or (None, the refusal)."""
    if request.method != "POST":
        return None, Response(
            405, "Expecting one of { 'POST' }, but received '" + request.method + "'.", {"Allow": "POST"}
        )
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        return None, Response(415, "Expecting 'Content-Type' of application/json or application/x-protobuf")
    try:
        call = json.loads(request.body)
        call["type"]
    except (ValueError, KeyError, TypeError) as wrong:
        return None, Response(400, f"Failed to parse body into JSON: {wrong}")
    return call, None
