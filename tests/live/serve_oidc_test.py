#!/usr/bin/python3
"""Tokens of a login server open their tenant's logs and nothing else: npm's `jose` signs them and publishes its keys on
this machine, rotates them, and goes down. Each attack on tokens is tried on the running server."""
import sys

sys.dont_write_bytecode = True
from serving import *


class Issuer:
    """tests/live/oidc/issuer.mjs, told what to do."""

    def __init__(self, place):
        self.process = subprocess.Popen(["node", place / "issuer.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, what, **given):
        self.process.stdin.write(json.dumps({"what": what, **given}).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def token(self, kid, what="sign", **given):
        given["claims"] = {"tenant": "bench"} | given.get("claims", {})
        return self(what, kid=kid, **given)["token"]


class Oidc(Serving):
    def setUp(self):
        super().setUp()
        place = self.place / "oidc"
        shutil.copytree(HERE / "oidc", place, ignore=shutil.ignore_patterns("node_modules"))
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run("npm", "ci", *flags, "--prefix", place, timeout=90)
        self.issuer = Issuer(place)
        self.running.append(self.issuer.process)
        self.addCleanup(self.issuer.process.stdin.close)
        self.addCleanup(self.issuer.process.stdout.close)
        self.url = self.issuer("up")["issuer"]
        self.issuer("publish", list=[{"kid": "r1", "alg": "RS256"}, {"kid": "e1", "alg": "ES256"}])

    def begin(self, *more):
        settings = [f'issuer = "{self.url}"', 'audience = "boatswain"', *more]
        (self.place / "oidc.toml").write_text("\n".join(settings) + "\n")
        self.port = self.ports[0]
        words = ["serve", "--store", f"dir:{self.store}", "--identities", self.place, "--tokens", self.place / "tokens"]
        words += ["--oidc", self.place / "oidc.toml", "--audit", self.place / "audit"]
        checked = run(BUILD / "boatswain", *words, "--check").stdout.decode()
        self.assertIn(f"2 keys of {self.url}", checked)
        with open(self.place / "serve.log", "ab") as log:
            self.running.append(
                subprocess.Popen([BUILD / "boatswain", *words, "--listen", f"127.0.0.1:{self.port}"], stderr=log)
            )
        wait_for(lambda: self.status("/ready", "") == 200, 20, self.said)

    def said(self):
        return (self.place / "serve.log").read_text()

    def status(self, path, token):
        self.token = token
        try:
            self.answer = self.ask(path, {"since": "1h"}, self.port)
            return 200
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def reads(self, token):
        return self.status("/loki/api/v1/label/app/values", token)

    def test_opens_logs_by_keys_that_rotate(self):
        of_the_file = self.token
        self.begin('refetch_pause = "1s"', 'refresh = "2s"', 'keep_keys = "6s"')
        issuer = self.issuer
        old, ec = issuer.token("r1"), issuer.token("e1")
        self.assertEqual(self.reads(old), 200)
        self.assertIn(b'"bench"', self.answer)
        self.assertEqual(self.reads(ec), 200)
        self.assertEqual(self.reads(of_the_file), 200)
        self.assertIn('"token":"oidc:u7"', (self.place / "audit").read_text())

        # A new key is taken with the first token that names it, and a key that is gone ends its tokens.
        issuer("publish", list=[{"kid": "d1", "alg": "EdDSA"}, {"kid": "e1", "alg": "ES256"}])
        time.sleep(1.1)
        self.assertEqual(self.reads(issuer.token("d1")), 200)
        self.assertEqual(self.reads(old), 401)

        # The issuer is down: its keys are good for a while, then for nothing; tokens of the file are not concerned.
        issuer("down")
        time.sleep(3)
        self.assertEqual(self.reads(issuer.token("d1")), 200)
        wait_for(lambda: self.reads(issuer.token("d1")) == 401, 20, "keys that are too old")
        self.assertEqual(self.status("/ready", ""), 503)
        self.assertEqual(self.reads(of_the_file), 200)
        issuer("up")
        wait_for(lambda: self.reads(issuer.token("d1")) == 200, 20, self.said)
        self.assertNotIn("eyJ", self.said() + (self.place / "audit").read_text())

    def test_is_not_fooled(self):
        self.begin('refetch_pause = "10m"')
        issuer = self.issuer
        issuer("publish", list=[{"kid": "evil", "alg": "RS256"}, {"kid": "evil-ec", "alg": "ES256"}])
        before = issuer("asked")["asked"]
        hour = int(time.time())
        attacks = {
            "none": issuer("unsigned", claims={"tenant": "bench"})["token"],
            "the public key as an HMAC's": issuer.token("r1", "hmac"),
            "its own key in the head, and where it is": issuer.token("e1", "embedded"),
            "a foreign key": issuer.token("r1", by="evil"),
            "a key of another kind": issuer.token("r1", by="evil-ec"),
            "kid is a path": issuer.token("r1", head={"kid": "../../../etc/passwd"}),
            "kid is SQL": issuer.token("r1", head={"kid": "' UNION SELECT 'x"}),
            "another issuer": issuer.token("r1", claims={"iss": "http://127.0.0.1:1"}),
            "another audience": issuer.token("r1", claims={"aud": ["other", "boatswain "]}),
            "expired": issuer.token("r1", seconds=-61),
            "it lives for ever": issuer.token("r1", seconds=10**9),
            "not yet": issuer.token("r1", claims={"nbf": hour + 120}),
            "issued tomorrow": issuer.token("r1", claims={"iat": hour + 86400}),
            "a logout": issuer.token("r1", head={"typ": "logout+jwt"}),
            "events": issuer.token("r1", claims={"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
            "no tenant": issuer.token("r1", claims={"tenant": None}),
            "two tenants": issuer.token("r1", claims={"tenant": ["bench", "other"]}),
            "a tenant of ours": issuer.token("r1", claims={"tenant": "_unassigned"}),
            "a path for a tenant": issuer.token("r1", claims={"tenant": "../bench"}),
            "too long": issuer.token("r1", claims={"x": "y" * 9000}),
        }
        for name, token in attacks.items():
            with self.subTest(name):
                self.assertEqual(self.reads(token), 401)
        # Names that look alike are other tenants: this server has no key for them.
        for tenant in ("bench ", "BENCH", "b\u0435nch"):
            self.assertIn(self.reads(issuer.token("r1", claims={"tenant": tenant})), (401, 503), tenant)
        self.assertEqual(issuer("asked")["asked"], before, "tokens made the server ask")
        self.assertEqual(self.reads(issuer.token("r1")), 200, "the good one")

    def test_keeps_a_token_to_its_apps(self):
        self.begin('apps_claim = "apps"')
        lines = lambda token: self.status("/boatswain/api/v1/containers", token) == 200 and json.loads(self.answer)
        self.assertTrue(lines(self.issuer.token("r1", claims={"apps": ["bench"]}))["data"])
        self.assertEqual(lines(self.issuer.token("r1", claims={"apps": ["other"]}))["data"], [])
        self.assertTrue(lines(self.issuer.token("r1", claims={"apps": "*"}))["data"])
        self.assertEqual(self.reads(self.issuer.token("r1")), 401)
        self.assertEqual(self.reads(self.issuer.token("r1", claims={"apps": []})), 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
