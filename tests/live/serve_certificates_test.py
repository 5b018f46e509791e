#!/usr/bin/python3
"""`boatswain serve` and certificates of clients, as curl and openssl show them: those of its authority open the logs
that a file names, all others open nothing; and a new certificate of the server is shown without a restart."""
import sys

sys.dont_write_bytecode = True
from serving import *

OK, REFUSED = "200", "000"


class Certificates(Serving):
    def setUp(self):
        super().setUp()
        self.made = self.place / "ca"
        self.made.mkdir()
        self.port = self.ports[0]
        for ca in ("ours", "theirs"):
            words = ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", f"{ca}.key", "-out", f"{ca}.pem"]
            usage = "keyUsage=critical,keyCertSign,cRLSign"
            self.openssl(*words, "-subj", f"/CN={ca}", "-days", "10", "-addext", usage)
            (self.made / f"{ca}.index").touch()
            (self.made / f"{ca}.cnf").write_text(
                f"[ca]\ndefault_ca=c\n[c]\ndatabase={ca}.index\ndefault_md=default\ndefault_crl_days=10\n"
            )
        self.signed("server", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth")
        self.revoke()

    def openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], cwd=self.made, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def signed(self, name, extensions="extendedKeyUsage=clientAuth", ca="ours", days=5, subject=None):
        words = ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        self.openssl(*words, "-subj", subject or f"/CN={name}")
        (self.made / f"{name}.ext").write_text(extensions)
        words = ["x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-days", days]
        self.openssl(*words, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        return name

    def revoke(self, *names):
        words = ["ca", "-config", "ours.cnf", "-keyfile", "ours.key", "-cert", "ours.pem"]
        for name in names:
            self.openssl(*words, "-revoke", f"{name}.pem")
        self.openssl(*words, "-gencrl", "-out", "new.crl")
        os.replace(self.made / "new.crl", self.made / "ours.crl")

    def begin(self, *more):
        words = ["serve", "--store", f"dir:{self.store}", "--identities", self.place, "--tokens", self.place / "tokens"]
        words += ["--tls-certificate", self.made / "server.pem", "--tls-key", self.made / "server.key"]
        words += ["--client-ca", self.made / "ours.pem", "--client-crl", self.made / "ours.crl", *more]
        self.assertIn("clients by certificate", run(BUILD / "boatswain", *words, "--check").stdout.decode())
        with open(self.place / "serve.log", "ab") as log:
            self.server = subprocess.Popen(
                [BUILD / "boatswain", *words, "--listen", f"127.0.0.1:{self.port}"], stderr=log
            )
        self.running.append(self.server)
        wait_for(lambda: self.reaches(self.port), 20, self.said)

    def said(self):
        return (self.place / "serve.log").read_text()

    def curl(self, name=None, token=None, path="/loki/api/v1/label/app/values"):
        """The status; 000: the handshake failed. The body is kept."""
        words = ["curl", "-s", "--noproxy", "*", "--cacert", self.made / "ours.pem", "-w", "\n%{http_code}"]
        words += ["--cert", self.made / f"{name}.pem", "--key", self.made / f"{name}.key"] if name else []
        words += ["-H", f"Authorization: Bearer {token}"] if token else []
        done = run(*words, f"https://localhost:{self.port}{path}", check=False)
        self.body, _, status = done.stdout.decode().rpartition("\n")
        return status

    def test_open_the_logs_that_a_file_names(self):
        self.signed("reader", "extendedKeyUsage=clientAuth\nsubjectAltName=URI:spiffe://prod/ns/shop,DNS:r.example")
        self.signed("narrow")
        self.signed("twofold", "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:r.example,DNS:other.example")
        self.signed("unknown")
        self.signed("foreign", ca="theirs", subject="/CN=narrow")
        self.signed("expired", days=-1, subject="/CN=narrow")
        self.signed("revoked", subject="/CN=narrow")
        self.signed("for-servers", "extendedKeyUsage=serverAuth", subject="/CN=narrow")
        names = self.place / "names"
        names.write_text(
            "uri:spiffe://prod/ns/shop bench *\ncn:narrow bench nothing\n"
            "dns:other.example acme *\ndns:r.example bench *\n"
        )
        self.revoke("revoked")
        self.begin("--client-names", names, "--audit", self.place / "audit")

        self.assertEqual(self.curl("reader"), OK)
        self.assertIn('"bench"', self.body)
        self.assertIn('"token":"certificate:uri:spiffe://prod/ns/shop"', (self.place / "audit").read_text())
        self.assertEqual(self.curl("narrow"), OK)
        self.assertNotIn('"bench"', self.body, "an app that is not its own")
        for name in ("twofold", "unknown", None):
            self.assertEqual(self.curl(name), "401", name)
            self.assertEqual(self.curl(name, self.token), "401", "a token alone")
        for name in ("foreign", "expired", "revoked", "for-servers"):
            self.assertEqual(self.curl(name), REFUSED, name)
            self.assertEqual(self.curl(name, self.token), REFUSED, name)
        self.assertEqual(self.curl(path="/ready"), OK, "probes have none")

        # A token beside it has to be of the same tenant, and both say which apps.
        self.assertEqual(self.curl("reader", self.token), OK)
        self.assertEqual(self.curl("narrow", self.token), OK)
        self.assertNotIn('"bench"', self.body)
        self.assertEqual(self.curl("reader", "bst_" + "0" * 64), "401")
        make = ["token", "new", "other", "--tokens", self.place / "tokens"]
        other = run(BUILD / "boatswain", *make).stdout.decode().strip()
        self.assertEqual(self.curl("reader", other), "401", "the certificate is of another tenant")
        narrow = run(BUILD / "boatswain", *make[:2], "bench", *make[3:], "--app", "bench").stdout.decode().strip()
        self.assertEqual(self.curl("narrow", narrow), "401", "no app that both may read")

        # A name that is taken out of the file ends within two seconds.
        names.write_text("cn:somebody bench *\n")
        wait_for(lambda: self.curl("reader") == "401", 10, "a name that is gone")

    def test_are_needed_beside_tokens(self):
        self.signed("reader")
        self.begin()
        self.assertEqual(self.curl("reader", self.token), OK)
        self.assertEqual(self.curl("reader"), "401")
        self.assertEqual(self.curl(None, self.token), "401")

    def shown(self):
        words = ["s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "localhost"]
        done = subprocess.run(["openssl", *words], input=b"", capture_output=True, timeout=20)
        return run("openssl", "x509", "-noout", "-serial", stdin=done.stdout).stdout

    def test_are_read_again_without_a_restart(self):
        self.signed("reader")
        self.begin()
        self.assertEqual(self.curl("reader", self.token), OK)
        before = self.shown()
        for file in ("server.pem", "server.key"):
            shutil.copy(self.made / file, self.made / f"old-{file}")
        self.signed("next", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth")

        # Half of a pair: the old one is shown, and the log says so.
        os.replace(self.made / "next.pem", self.made / "server.pem")
        self.server.send_signal(signal.SIGHUP)
        wait_for(lambda: "certificate cannot be read" in self.said(), 10, self.said)
        self.assertEqual(self.shown(), before)
        self.assertEqual(self.curl("reader", self.token), OK)

        # Whole, with no signal: it is looked for.
        os.replace(self.made / "next.key", self.made / "server.key")
        wait_for(lambda: self.shown() != before, 20, self.said)
        self.assertEqual(self.curl("reader", self.token), OK)

        # A list of revoked ones, too.
        self.revoke("reader")
        self.server.send_signal(signal.SIGHUP)
        wait_for(lambda: self.curl("reader", self.token) == REFUSED, 10, self.said)
        self.assertIsNone(self.server.poll())


if __name__ == "__main__":
    unittest.main(verbosity=2)
