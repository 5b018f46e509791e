#!/usr/bin/python3
"""The page's end-to-end mode in a real browser: a server without any key, a real agent and engine. page/sealed.mjs
looks. All that the browser sends and gets passes a recorder: neither key nor line, nor what is looked for, is in it."""
import sys

sys.dont_write_bytecode = True
from harness import *
from page_test import serving
import base64
import threading
import urllib.parse

# Names and words that are nowhere in the page itself.
APP, OTHER = "warehouse", "turbine"
NUMBERS = 2500
TICKS = 6  # each in a segment of its own
PHRASE = "plover xyzzy"
PASSPHRASE = "correct horse zither"
ODD = b"caf\xc3\xa9 PLOVER XYZZY \xff\xfe odd\n<img src=x onerror=alert(1)> plover xyzzy\nwithout newline"


class Recorder:
    """A TCP proxy that keeps every byte of both directions."""

    def __init__(self, port):
        self.to = port
        self.sent, self.got = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            for source, target, kept in ((client, server, self.sent), (server, client, self.got)):
                threading.Thread(target=self.pass_on, args=(source, target, kept), daemon=True).start()

    @staticmethod
    def pass_on(source, target, kept):
        record = bytearray()
        kept.append(record)
        try:
            while data := source.recv(1 << 16):
                record += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def forms(text):
    """How a text could travel: as it is, quoted, in hex, in base64 at each of three places."""
    raw = text if isinstance(text, bytes) else text.encode()
    found = {raw, urllib.parse.quote(raw).encode(), urllib.parse.quote_plus(raw).encode(), raw.hex().encode()}
    for shift in range(3):
        packed = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]
        found |= {packed, packed.replace(b"+", b"-").replace(b"/", b"_")}
    return {one.lower() for one in found if len(one) >= 8}


def bech32_bytes(identity):
    """The 32 bytes of AGE-SECRET-KEY-1..."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    number = 0
    for letter in identity.lower().split("1", 1)[1][:-6]:
        number = number << 5 | letters.index(letter)
    return (number >> 4).to_bytes(32, "big")


class Sealed(unittest.TestCase):
    def test_neither_key_nor_line_leaves_the_browser(self):
        engine = Engine()
        agent = Agent(engine, tenants=("red", "green"), tenancy__app=["env:APP"], tenancy__tenant=["env:TENANT"])
        agent.start()
        numbers = "".join(
            f"quantity {i} of red level={'error' if i % 50 == 49 else 'info'} {'.' * 40}\n" for i in range(NUMBERS)
        )
        more = f"for i in $(seq {TICKS}); do echo red tick $i; sleep 1.3; done; "
        more += "while [ ! -e /volume/more ]; do sleep 0.2; done; echo one more zeppelin; sleep 1000"
        engine.shell(f"cat {engine.put('n', numbers.encode())}; {more}", name=APP, env={"TENANT": "red", "APP": APP})
        engine.shell(f"cat {engine.put('o', ODD)}; exit 3", name=OTHER, env={"TENANT": "red", "APP": OTHER})
        engine.shell("echo green secret", name="other", env={"TENANT": "green", "APP": "other"})
        for tenant, least in (("red", NUMBERS + TICKS + 3), ("green", 1)):
            wait_for(lambda: len(self.logs(agent, tenant)) >= least, 60, f"lines of {tenant}")
        run(BUILD / "boatswain", "rollup", "--store", agent.store, "--identity", agent.keys / "red.key")
        engine.docker("rm", OTHER)
        try:
            with serving(agent, holds_keys=False) as (url, token):
                recorder = Recorder(int(url.rpartition(":")[2]))
                self.damage(agent)
                self.browse(engine, agent, f"http://127.0.0.1:{recorder.port}", token)
                recorder.close()
            self.judge(agent, recorder)
        finally:
            agent.close()
            engine.close()

    def logs(self, agent, tenant):
        words = ["--store", agent.store, "--tenant", tenant, "--identity", agent.keys / f"{tenant}.key"]
        said = run(BUILD / "boatswain", "logs", *words, "--output", "json", check=False).stdout
        return [json.loads(line) for line in said.splitlines()]

    def damage(self, agent):
        """Objects that a reader must name and leave out, beside those that are whole."""
        segments = sorted(agent.store_dir.glob("v1/tenant=red/hour=*/host=*/*.age"))
        green = sorted(agent.store_dir.glob("v1/tenant=green/hour=*/host=*/*.age"))[0]
        place = segments[0].parent
        # A copy under another number: its footer says so. One with a bit turned. One that is another tenant's. And
        # somebody's file.
        whole = segments[0].read_bytes()
        (place / "20200101T000000Z-dead.0000000007.age").write_bytes(whole)
        (place / "20200101T000000Z-dead.0000000008.age").write_bytes(
            whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:]
        )
        (place / "20200101T000000Z-dead.0000000009.age").write_bytes(green.read_bytes())
        (place / "20200101T000000Z-dead.0000000010.age").write_bytes(b"no age file\n")
        (place / "notes.txt").write_bytes(b"somebody's")

    def browse(self, engine, agent, url, token):
        pictures = pathlib.Path(os.environ.get("BOATSWAIN_PICTURES", agent.place))
        expected = agent.place / "expected.json"
        texts = {
            app: [one["message"] for one in self.logs(agent, "red") if one.get("app") == app] for app in (APP, OTHER)
        }
        expected.write_text(
            json.dumps({"texts": texts, "numbers": NUMBERS, "passphrase": PASSPHRASE, "phrase": PHRASE})
        )
        environment = {**os.environ, "BOATSWAIN_WEB": str(HERE.parent.parent / "build" / "web"), "NO_COLOR": "1"}
        browser = subprocess.Popen(
            ["node", HERE / "page" / "sealed.mjs", url, pictures, token, agent.keys, expected],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = []
        for line in browser.stdout:
            said.append(line.decode(errors="replace"))
            if line.strip() == b"MORE":
                engine.put("more", b"")
        self.assertEqual(browser.wait(30), 0, "".join(said))

    def judge(self, agent, recorder):
        sent = b"\n".join(map(bytes, recorder.sent)).lower()
        got = b"\n".join(map(bytes, recorder.got)).lower()
        # The recorder saw the traffic: else it would prove nothing.
        self.assertIn(b"get /boatswain/api/v1/objects?", sent)
        self.assertGreater(sent.count(b"\r\nrange: bytes="), 3)
        self.assertIn(b"age-encryption.org/v1\n-> ", got)
        self.assertRegex(sent, rb"get /boatswain/api/v1/object\?key=v1%2ftenant%3dred%2frollup%3d")
        identity = re.search(r"AGE-SECRET-KEY-1\w+", (agent.keys / "red.key").read_text())[0]
        kept = [identity, identity[16:40], bech32_bytes(identity), PASSPHRASE, PHRASE, "zeppelin", "quantity"]
        kept += [APP, OTHER, "green secret", "caf\u00e9 plover"]
        for text in kept:
            for form in forms(text):
                self.assertNotIn(form, sent, f"sent: {text}")
                self.assertNotIn(form, got, f"got: {text}")
        paths = set(re.findall(rb"(?:get|post) (/[^ ?]*)", sent))
        for path in paths:
            allowed = (
                rb"/|/assets/.*|/boatswain\.svg|/loki/api/v1/status/buildinfo|/boatswain/api/v1/(session|objects?)"
            )
            self.assertRegex(path, b"^(" + allowed + b")$")


def figures(text_bytes=100_000_000):
    """Prints how fast so much text is searched: page/sealed_figures.mjs. The benchmark's pipeline seals the lines."""
    place = scratch()
    recipient = run(BUILD / "boatswain", "keys", "new", "red", "--out", place).stdout.decode().split()[0]
    log, store, state = place / "log", place / "store", place / "state"
    state.mkdir()
    words = ["--bytes", text_bytes, "--seed", 1, "--format", "json-file"]
    minute = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(time.time() - 300)).encode()
    log.write_bytes(run(BUILD / "boatswain_corpus", *words).stdout.replace(b"2026-11-22T10:00:", minute))
    words = ["--json-file", log, "--store", f"dir:{store}", "--state-dir", state, "--recipient", recipient]
    run(BUILD / "bench_pipeline", *words)
    listed = run(BUILD / "boatswain", "ls", "--store", f"dir:{store}").stdout.decode().split()
    print(f"store: {sum(path.stat().st_size for path in store.rglob('*.age')) / 1e6:.1f} MB sealed; {' '.join(listed)}")
    tokens = place / "tokens"
    token = run(BUILD / "boatswain", "token", "new", "bench", "--tokens", tokens).stdout.decode().strip()
    address = f"127.0.0.1:{free_port()}"
    words = ["serve", "--store", f"dir:{store}", "--end-to-end", "--tokens", tokens, "--listen", address]
    server = subprocess.Popen([BUILD / "boatswain", *words], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))), 20, "serve")
        web = HERE.parent.parent / "build" / "web"
        words = ["node", HERE / "page" / "sealed_figures.mjs", f"http://{address}", token, place / "red.key"]
        subprocess.run(words, env={**os.environ, "BOATSWAIN_WEB": str(web)}, check=True)
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    if "--figures" in sys.argv:
        figures()
    else:
        main()
