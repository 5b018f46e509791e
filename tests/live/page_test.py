#!/usr/bin/python3
"""The web page in a real browser: `boatswain serve` on what a real agent read of a real engine. page/page.mjs looks."""
import sys

sys.dont_write_bytecode = True
from harness import *
import contextlib
import urllib.request

ODD = b"<img src=x onerror=alert(1)>\n</script><script>alert(2)</script>\n\x1b[1;32mgreen apple\x1b[0m \x07 bell\n"
TRACE = (
    b"starting red\njava.lang.IllegalStateException: no stock\n\tat shop.Order.take(Order.java:1)\n"
    b"\tat shop.Main.run(Main.java:2)\nCaused by: java.io.IOException: gone\n\tat shop.Main.main(Main.java:3)\n"
)
# How many lines the browser finds: page.mjs.
NUMBERS = 3000
API_LINES = 100


def api_lines():
    for i in range(API_LINES):
        level, status = ("error", 503) if i % 10 == 9 else ("info", 200)
        yield json.dumps({"level": level, "msg": "done", "path": f"/items/{i % 7}", "status": status}) + "\n"


@contextlib.contextmanager
def serving(agent, *options, holds_keys=True):
    """`boatswain serve` on the agent's store: its address, and a token of the tenant red."""
    tokens = agent.place / "tokens"
    token = run(BUILD / "boatswain", "token", "new", "red", "--tokens", tokens).stdout.decode().strip()
    address = f"127.0.0.1:{free_port()}"
    if agent.settings["follow"]:
        hub = agent.settings["follow"]["hub"][0].removeprefix("http://")
        options += ("--hub", hub, "--fleet-key", agent.settings["fleet"]["key"])
    words = ["serve", "--store", agent.store, "--tokens", tokens, "--listen", address]
    words += ["--identities", agent.keys] if holds_keys else ["--end-to-end"]
    log_path = agent.place / "serve.log"
    with open(log_path, "wb") as log:
        server = subprocess.Popen([BUILD / "boatswain", *words, *options], stderr=log)
    try:
        wait_for(lambda: b"serving" in log_path.read_bytes(), 10, "serve")
        yield f"http://{address}", token
    finally:
        server.terminate()
        server.wait(30)


def ask_containers(url, token):
    asking = urllib.request.Request(f"{url}/boatswain/api/v1/containers")
    asking.add_header("Authorization", f"Bearer {token}")
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asking).read()


class Page(unittest.TestCase):
    def test_shows_a_tenant_its_own_logs(self):
        engine = Engine()
        fleet_key = scratch() / "fleet.key"
        run(BUILD / "boatswain", "fleet", "key", "new", "--out", fleet_key)
        agent = Agent(
            engine,
            tenants=("red", "green"),
            tenancy__app=["env:APP"],
            tenancy__tenant=["env:TENANT"],
            fleet__key=str(fleet_key),
            follow__hub=[f"http://127.0.0.1:{free_port()}"],
        )
        agent.start()
        numbers = "".join(f"line {i} of red {'.' * 40}\n" for i in range(NUMBERS))
        more = "while :; do [ ! -e /volume/more$i ] || { echo line $i of red; i=$((i+1)); }; sleep 0.1; done"
        for app, text, then in (
            ("numbers", numbers.encode(), f"i={NUMBERS}; {more}"),
            ("api", "".join(api_lines()).encode(), "true"),
            ("odd", ODD, "true"),
            ("trace", TRACE, "exit 3"),
        ):
            engine.shell(f"cat {engine.put(app, text)}; {then}", name=app, env={"TENANT": "red", "APP": app})
        engine.shell("echo green secret", name="other", env={"TENANT": "green", "APP": "other"})
        for tenant, least in (("red", NUMBERS + API_LINES + 9), ("green", 1)):
            logs = [BUILD / "boatswain", "logs", "--store", agent.store, "--tenant", tenant]
            logs += ["--identity", agent.keys / f"{tenant}.key", "--output", "json"]
            wait_for(lambda: run(*logs, check=False).stdout.count(b"\n") >= least, 60, f"lines of {tenant}")

        platform = f"http://127.0.0.1:{free_port()}"
        try:
            with serving(agent, "--embed-in", platform) as (url, token):
                engine.docker("rm", "trace")
                wait_for(lambda: b'"exit_code":3' in ask_containers(url, token), 30, "the end of a container")
                self.browse(engine, url, agent, token, platform)
                self.assertNotIn(token.encode(), (agent.place / "serve.log").read_bytes())
        finally:
            agent.close()
            engine.close()

    def browse(self, engine, url, agent, token, platform):
        """Runs page.mjs, and has a container print a line whenever it asks for one."""
        pictures = pathlib.Path(os.environ.get("BOATSWAIN_PICTURES", agent.place))
        web = HERE.parent.parent / "build" / "web"
        environment = {**os.environ, "BOATSWAIN_WEB": str(web), "NO_COLOR": "1"}
        shown = {"LOGS": url, "TENANT": "red", "APP": "numbers", "TOKENS": str(agent.place / "tokens")}
        shown |= {"BOATSWAIN": str(BUILD / "boatswain"), "PORT": platform.rpartition(":")[2]}
        example = HERE.parent.parent / "examples" / "platform" / "platform.mjs"
        with subprocess.Popen(["node", example], env={**os.environ, **shown}, stdout=subprocess.PIPE) as page:
            try:
                page.stdout.readline()  # it says where it listens
                self.look(engine, [url, pictures, token, platform], environment)
            finally:
                page.terminate()

    def look(self, engine, words, environment):
        browser = subprocess.Popen(
            ["node", HERE / "page" / "page.mjs", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = []
        asked = NUMBERS
        for line in browser.stdout:
            said.append(line.decode(errors="replace"))
            if line.strip() == b"MORE":
                engine.put(f"more{asked}", b"")
                asked += 1
        self.assertEqual(browser.wait(30), 0, "".join(said))


def figures(lines=100_000):
    """Prints how fast the page is: see page/figures.mjs."""
    engine = Engine()
    agent = Agent(engine, tenants=("red",), tenancy__app=["env:APP"], tenancy__tenant=["env:TENANT"])
    agent.start()
    text = "".join(f"line {i} of red {'.' * 60}\n" for i in range(lines))
    engine.shell(f"cat {engine.put('text', text.encode())}", name="numbers", env={"TENANT": "red", "APP": "numbers"})
    with serving(agent) as (url, token):
        wait_for(lambda: f'"lines":{lines}'.encode() in ask_containers(url, token), 60, "lines")
        web = HERE.parent.parent / "build" / "web"
        words = ["node", HERE / "page" / "figures.mjs", url, token, str(lines)]
        subprocess.run(words, env={**os.environ, "BOATSWAIN_WEB": str(web)}, check=True)
    packed = sum(len(path.read_bytes()) for path in (web / "dist").rglob("*.gz"))
    print(f"the page, packed: {packed / 1000:.0f} kB")
    agent.close()
    engine.close()


if __name__ == "__main__":
    if "--figures" in sys.argv:
        figures()
    else:
        main()
