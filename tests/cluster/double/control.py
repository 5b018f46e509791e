"""The control port, for tests that are not in this process: GET / is the truth, GET /journal what was done, POST /VERB
a fault."""
import inspect
import json

from .faults import Faults
from .web import Response, Site


class ControlSite(Site):
    def __init__(self, cluster, port=0):
        self.cluster = cluster
        super().__init__(self.route, "control", port)

    def route(self, request):
        name = request.path.strip("/")
        with self.cluster.lock:
            if request.method == "GET" and name == "":
                return Response(200, self.cluster.truth())
            if request.method == "GET" and name == "journal":
                journal = self.cluster.journal
                return Response(200, {"writes": journal.writes, "kills": journal.kills, "notes": journal.notes})
            if request.method == "GET" and name == "verbs":
                return Response(
                    200,
                    {
                        verb: str(inspect.signature(method))
                        for verb, method in inspect.getmembers(Faults, inspect.isfunction)
                        if not verb.startswith("_")
                    },
                )
            if request.method == "POST" and not name.startswith("_") and hasattr(Faults, name):
                try:
                    return Response(
                        200, {"result": getattr(self.cluster.faults, name)(**json.loads(request.body or b"{}"))}
                    )
                except Exception as wrong:  # whatever it is, the test that asked wants to read it
                    return Response(400, {"message": f"{type(wrong).__name__}: {wrong}"})
        return Response(404, {"message": "GET /, /journal, /verbs; POST /VERB"})
