#!/usr/bin/python3
"""A password that somebody put into a URL is in nothing that the programs print, however it was written."""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", ROOT / "build/release"))
PASSWORD = "hunter2"
NOBODY = "127.0.0.1:1"  # nobody listens there

# As people write it; `encoded` stands within a parameter of another URL.
WRITTEN = [
    f"AKID:{PASSWORD}@",
    f"{PASSWORD}@",
    f"AKID:x/{PASSWORD}@",
    f"AKID:x?{PASSWORD}@",
    f"AKID%3A{PASSWORD}%40",
    f"AKID%253A{PASSWORD}%2540",
]


def encoded(text):
    return text.replace("%", "%25").replace(":", "%3A").replace("/", "%2F").replace("@", "%40").replace("?", "%3F")


class Urls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="bwu."))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)

    def run_alone(self, program, *words, environment=None):
        known = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "AWS_EC2_METADATA_DISABLED": "true",
            **(environment or {}),
        }
        return subprocess.run(
            [BUILD / program, *words], capture_output=True, text=True, env=known, timeout=200, stdin=subprocess.DEVNULL
        )

    def silent(self, program, *words, environment=None, config=None, codes=(1, 2)):
        """Runs it: what it prints says something, and not the password."""
        if config is not None:
            (self.place / "boatswain.toml").write_text(config)
            words = (*words, "--config", self.place / "boatswain.toml")
        words = [str(word) for word in words]
        with self.subTest(program=program, words=words, environment=environment, config=config):
            ran = self.run_alone(program, *words, environment=environment)
            self.assertIn(ran.returncode, codes, ran.stderr)
            self.assertNotEqual(ran.stdout + ran.stderr, "")
            self.assertNotIn(PASSWORD, ran.stdout + ran.stderr)
            return ran.stdout + ran.stderr

    def stores(self):
        for written in WRITTEN:
            yield f"s3://{written}logs/prod?region=x"
            yield f"s3://logs/prod?endpoint=http://{written}{NOBODY}"
            yield f"s3://logs/prod?endpoint={encoded(f'http://{written}{NOBODY}')}&region=x"
            yield f"https://{written}{NOBODY}/logs"
            yield f"{written}{NOBODY}/logs"
        yield f"s3://logs/prod?region=x&secret_key={PASSWORD}"
        yield f"s3://logs/prod?region=x&endpont=http://AKID:{PASSWORD}@{NOBODY}"

    def test_of_a_store(self):
        for store in self.stores():
            self.silent("boatswain", "ls", "--store", store)
            self.silent("boatswain", "logs", environment={"BOATSWAIN_STORE": store})
            self.silent("boatswain", "ls", store)
            self.silent("boatswaind", "check", config=f'[store]\nurl = "{store}"\n', codes=(0, 1))
            self.silent(
                "boatswaind", "check", "--config", os.devnull, environment={"BOATSWAIN_STORE_URL": store}, codes=(0, 1)
            )
            self.silent(
                "boatswaind",
                "agent",
                "--config",
                os.devnull,
                "--state-dir",
                self.place / "state",
                "--listen",
                "off",
                "--store-url",
                store,
            )
            self.silent("boatswaind", "check", store)
            self.silent("boatswaind", store)
        said = self.silent("boatswain", "ls", "--store", f"s3://AKID:{PASSWORD}@logs/prod")
        self.assertIn("AWS_ACCESS_KEY_ID", said, "where it belongs is said")

    def test_of_an_engine_and_what_is_listened_at(self):
        for written in WRITTEN:
            for setting in (
                "engine.socket",
                "guard.engine",
                "guard.listen",
                "listen",
                "health.listen",
                "guard.metrics",
            ):
                section, _, name = setting.rpartition(".")
                for url in (f"tcp://{written}{NOBODY}", f"{written}{NOBODY}"):
                    # A path may hold anything.
                    heading = f"[{section}]\n" if section else ""
                    self.silent("boatswaind", "check", config=heading + f'{name} = "{url}"\n')
                    self.silent("boatswaind", "check", "--config", os.devnull, f"--{setting.replace('.', '-')}", url)

    def test_of_marathon_and_mesos_and_their_proxy(self):
        place = ["--app", "/infra/boatswain", "--timeout", "1s"]
        for written in WRITTEN:
            url = f"http://{written}{NOBODY}"
            for verb in (["sync", "--once", "--dry-run"], ["status"]):
                self.silent("boatswain", "fleet", *verb, *place, "--marathon", url)
                self.silent("boatswain", "fleet", *verb, *place, "--marathon", f"http://{NOBODY}", "--mesos", url)
                self.silent("boatswain", "fleet", *verb, *place, "--marathon", f"http://{NOBODY}", "--proxy", url)
                self.silent("boatswain", "fleet", *verb, *place, environment={"BOATSWAIN_MARATHON": url})

    def test_of_what_the_environment_names(self):
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        store = ["ls", "--store", f"s3://logs/prod?endpoint=http://{NOBODY}"]
        token = self.place / "token"
        token.write_text("a-token")
        # A store that is not reached is asked for most of a minute: all at once.
        proxies = [f"{scheme}://{written}{NOBODY}" for written in WRITTEN for scheme in ("http", "bogus")]
        with concurrent.futures.ThreadPoolExecutor(len(proxies)) as pool:
            said = pool.map(
                lambda proxy: self.run_alone("boatswain", *store, environment={**keys, "http_proxy": proxy}), proxies
            )
            for proxy, ran in zip(proxies, said):
                with self.subTest(proxy=proxy):
                    self.assertEqual(ran.returncode, 1)
                    self.assertIn("no usable answer", ran.stderr)
                    self.assertNotIn(PASSWORD, ran.stdout + ran.stderr)
        for written in WRITTEN:
            self.silent(
                "boatswain",
                *store,
                environment={
                    "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                    "AWS_ROLE_ARN": "role",
                    "AWS_ENDPOINT_URL_STS": f"http://{written}{NOBODY}",
                },
            )
            self.silent(
                "boatswain",
                *store,
                environment={
                    "AWS_EC2_METADATA_DISABLED": "",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{written}{NOBODY}",
                },
            )


if __name__ == "__main__":
    unittest.main()
