#!/usr/bin/python3
"""The OpenAPI page says what `boatswain serve` takes and answers: npm's Prism stands before it as a proxy that lets
nothing through that the page does not say, in either direction."""
import sys

sys.dont_write_bytecode = True
from serving import *

PAGE = HERE.parent.parent / "docs/reading/openapi.yaml"
LOKI, OWN = "/loki/api/v1/", "/boatswain/api/v1/"
APP = '{app="bench"}'
HOUR = {"since": "1h"}
ASKED = [
    ("/ready", {}),
    (LOKI + "query_range", {"query": APP, "limit": 3, "direction": "BACKWARD", **HOUR}),
    (LOKI + "query_range", {"query": f"sum by (app) (rate({APP}[1m]))", "step": "60s", **HOUR}),
    (LOKI + "query", {"query": "vector(1)+vector(1)"}),
    (LOKI + "query", {"query": f"count_over_time({APP}[1h])"}),
    (LOKI + "query", {"query": "1 + 1"}),
    (LOKI + "labels", HOUR),
    (LOKI + "label", HOUR),
    (LOKI + "label/app/values", HOUR),
    (LOKI + "label/nothing/values", HOUR),
    (LOKI + "series", {"match[]": APP, **HOUR}),
    (LOKI + "index/stats", {"query": APP, **HOUR}),
    (LOKI + "index/volume", {"query": APP, **HOUR}),
    (LOKI + "index/volume_range", {"query": APP, "step": "60", "aggregateBy": "labels", **HOUR}),
    (LOKI + "detected_labels", HOUR),
    (LOKI + "detected_fields", {"query": APP, **HOUR}),
    (LOKI + "detected_field/level/values", {"query": APP, **HOUR}),
    (LOKI + "format_query", {"query": APP}),
    (LOKI + "patterns", {"query": APP}),
    (LOKI + "drilldown-limits", {}),
    (LOKI + "status/buildinfo", {}),
    (OWN + "lines", {"query": APP, "limit": 3, **HOUR}),
    (OWN + "containers", HOUR),
    (OWN + "session", {}),
    (OWN + "objects", {"limit": 2, **HOUR}),
]
# What the page does not say is refused by the proxy.
REFUSED = [
    (LOKI + "query_range", {"query": APP, "start": "yesterday"}),
    (LOKI + "detected_fields", {"query": APP, "line_limit": 9999}),
    (OWN + "lines", {"query": APP, "format": "xml"}),
    (OWN + "objects", {"limit": 10_001, **HOUR}),
    (OWN + "object", {}),
    (LOKI + "nothing", {}),
]


class OpenApi(Serving):
    def test_page_and_server_agree(self):
        place = self.place / "prism"
        shutil.copytree(HERE / "openapi", place)
        run(
            "npm",
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--prefix",
            place,
            timeout=120,
        )
        server, proxy = self.ports[:2]
        self.serve(server)
        wait_for(lambda: self.reaches(server), 20, "serve")
        words = ["proxy", PAGE, f"http://127.0.0.1:{server}", "--errors", "-p", str(proxy)]
        with open(self.place / "prism.log", "wb") as log:
            self.running.append(
                subprocess.Popen(["node", place / "node_modules/.bin/prism", *words], stdout=log, stderr=log)
            )
        wait_for(lambda: self.reaches(proxy), 30, "Prism")
        for path, given in ASKED:
            with self.subTest(path=path, **given):
                try:
                    self.ask(path, given, proxy)
                except urllib.error.HTTPError as error:
                    self.fail(f"{error.code}: {error.read().decode()[:2000]}")
        found = json.loads(self.ask(OWN + "objects", HOUR, proxy))["data"]["objects"][0]
        sealed = (self.store / found["key"]).read_bytes()
        self.assertEqual(self.ask(OWN + "object", {"key": found["key"]}, proxy, "bytes=0-20"), sealed[:21])
        for path, given in REFUSED:
            with self.subTest(path=path, **given), self.assertRaises(urllib.error.HTTPError) as refused:
                self.ask(path, given, proxy)
            self.assertIn("stoplight.io/prism/errors", refused.exception.read().decode())

    def test_every_route_stands_on_the_page(self):
        routes = (HERE.parent.parent / "src/api/routes.cc").read_text()
        loki, own = routes.split("own_routes{", 1)
        paths = re.findall(r"^  (/\S+):$", PAGE.read_text(), re.M)
        for prefix, table in ((LOKI, loki), (OWN, own)):
            for path in re.findall(r'Route\{\.path = "([^"]+)"', table):
                if path not in ("tail", "follow"):
                    self.assertIn(prefix + path.replace("*", "{name}"), paths)


if __name__ == "__main__":
    unittest.main(verbosity=2)
