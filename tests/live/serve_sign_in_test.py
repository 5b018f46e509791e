#!/usr/bin/python3
"""A reader of the web page signs in at a login server, npm's `oidc-provider` on this machine, in a real browser; and
attackers try to have him signed in as they like. page/sign_in.mjs looks."""
import sys

sys.dont_write_bytecode = True
from serving import *

WEB = HERE.parent.parent / "build" / "web"


class SignIn(Serving):
    def knows_its_issuer(self, port):
        try:
            return self.ask("/ready", {}, port) and self.ask("/sign-in.json", {}, port)
        except OSError:  # HTTPError is one
            return None

    def test_at_a_login_server(self):
        place = self.place / "oidc"
        shutil.copytree(HERE / "oidc", place, ignore=shutil.ignore_patterns("node_modules"))
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run("npm", "ci", *flags, "--prefix", place, timeout=90)
        port, issuer_port = self.ports[:2]
        url, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{issuer_port}"
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())
        beat = {"format": "boatswain-heartbeat-1", "host": "node-1", "time": now, "interval_seconds": 60}
        (self.store / "v1/fleet").mkdir(parents=True)
        (self.store / "v1/fleet/host=node-1.json").write_text(json.dumps(beat | {"lag_bytes": 2048}) + "\n")
        make = ["token", "new", "--operator", "--tokens", self.place / "tokens"]
        operator = run(BUILD / "boatswain", *make).stdout.decode().strip()
        with open(self.place / "provider.log", "wb") as log:
            words = ["node", place / "provider.mjs", str(issuer_port), f"{url}/"]
            self.running.append(subprocess.Popen(words, stdout=log, stderr=log))
        wait_for(lambda: self.reaches(issuer_port), 20, lambda: (self.place / "provider.log").read_text())
        (self.place / "oidc.toml").write_text(f'issuer = "{issuer}"\naudience = "boatswain"\nclient_id = "boatswain"\n')
        words = ["serve", "--store", f"dir:{self.store}", "--identities", self.place, "--tokens", self.place / "tokens"]
        words += ["--oidc", self.place / "oidc.toml", "--listen", f"127.0.0.1:{port}"]
        with open(self.place / "serve.log", "wb") as log:
            self.running.append(subprocess.Popen([BUILD / "boatswain", *words], stderr=log))
        wait_for(lambda: self.knows_its_issuer(port), 20, "serve")
        done = run(
            "node",
            "--test-reporter=spec",
            HERE / "page/sign_in.mjs",
            url,
            issuer,
            operator,
            self.token,
            check=False,
            env={**os.environ, "BOATSWAIN_WEB": str(WEB)},
            timeout=200,
        )
        print(done.stdout.decode())
        self.assertEqual(done.returncode, 0, (self.place / "serve.log").read_text()[-3000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
