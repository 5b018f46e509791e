#!/usr/bin/python3
"""Whose lines they are, and who may read them: keys, keyless tenants, hostile names, secrets, selection - on a real
engine."""
import sys

sys.dont_write_bytecode = True
from harness import *


class Keys(LiveTest):
    def test_a_tenant_without_a_key_is_held_and_read_from_its_beginning_when_the_key_appears(self):
        agent = self.agent(tenants=("red",), operator=False)
        first = self.engine.shell("seq 1 100; sleep 1000", env={"BOATSWAIN_TENANT": "late"})
        exited = self.engine.shell("seq 1 100", env={"BOATSWAIN_TENANT": "late"}, options=["--log-driver", "local"])
        nobodys = self.engine.shell("seq 1 100; sleep 1000")
        other = self.engine.shell("echo mine", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 1)
        # First it waits for what its image says, then for a key.
        agent.wait_logged("container found", container=first[:12], reason="has no key")
        self.assertEqual(agent.metric("boatswain_containers_by_action", action="hold"), 3)
        agent.add_key("late")
        self.wait_stored(agent.reader(), 201)
        agent.add_key("_unassigned")
        self.wait_stored(agent.reader(), 301)
        self.assertEqual(agent.stop(), 0)
        reader, numbers = agent.reader(), [b"%d" % i for i in range(1, 101)]
        for container, tenant in ((first, "late"), (exited, "late"), (nobodys, "_unassigned")):
            self.assertEqual((reader.of(container).tenant, reader.of(container).messages()), (tenant, numbers))
        self.assertEqual(reader.of(other).messages(), [b"mine"])

    def test_lines_that_no_tenant_can_have_are_quarantined_for_the_operator(self):
        agent = self.agent(tenants=("red",))
        keyless = self.engine.shell("echo keyless", env={"BOATSWAIN_TENANT": "stranger"})
        nobodys = self.engine.shell("echo nobody")
        self.wait_stored(agent.reader(), 2)
        self.assertEqual(agent.stop(), 0)
        reader = agent.reader()
        self.assertEqual(reader.of(keyless).tenant, "_unassigned")
        self.assertEqual(reader.of(nobodys).tenant, "_unassigned")
        self.assertEqual(agent.raw(keyless, tenants=("_unassigned",)), b"keyless\n")
        # Whose it said it was, the operator can see; the tenants see nothing.
        self.assertIn("stranger", agent.logged("container found", container=keyless[:12])[-1]["reason"])
        refused = agent.tool("logs", "--container", keyless, "--output", "raw", tenants=("red",), check=False)
        self.assertEqual((refused.returncode, refused.stdout), (1, b""))

    def test_dropping_what_has_no_tenant_drops_it_and_counts_it(self):
        agent = self.agent(tenants=("red",), tenancy__unassigned="drop")
        nobodys = self.engine.shell("echo nobody")
        self.engine.shell("echo mine", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.metric("boatswain_containers_by_action", action="drop"), 1)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(nobodys).lines, [])

    def test_a_key_file_that_becomes_garbage_keeps_the_old_key_and_is_named(self):
        agent = self.agent(tenants=("red",))
        (agent.keyring / "red.pub").write_text("not a recipient\n")
        self.assertIn("red.pub", agent.wait_logged("key file not understood")[0]["problem"])
        container = self.engine.shell("echo still sealed", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.reader().of(container).tenant, "red")
        self.assertGreaterEqual(agent.metric("boatswain_keyring_problems_total"), 1)

    def test_a_key_that_changes_amid_output_loses_and_doubles_nothing(self):
        agent = self.agent(tenants=("red",), batch__flush_after="300ms")
        container = self.engine.shell(
            "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); usleep 3000; done",
            env={"BOATSWAIN_TENANT": "red"},
        )
        local = self.engine.shell(
            "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); usleep 3000; done",
            env={"BOATSWAIN_TENANT": "red"},
            options=["--log-driver", "local"],
        )
        for i in range(4):
            time.sleep(0.6)
            (agent.keys / "red.pub").unlink()
            (agent.keys / "red.key").rename(agent.keys / f"old{i}.key")
            agent.add_key("red")
        self.engine.wait(container, local)
        time.sleep(2)
        self.assertEqual(agent.stop(), 0)
        (agent.keys / "red.key").write_bytes(
            b"".join(path.read_bytes() for path in sorted(agent.keys.glob("*.key")) if path.stem != "_unassigned")
        )
        for one in (container, local):
            self.assert_numbers(agent.reader().of(one), 1000)

    def test_hostile_tenant_names_are_quarantined_and_named(self):
        agent = self.agent(tenants=("red",))
        names = [
            "a/b",
            "..",
            "../../etc/cron.d/x",
            "new\nline",
            "x" * 10_000,
            "_unassigned",
            "_break-glass",
            "\x1b[31m",
            "back\\slash",
            ".hidden",
        ]
        containers = [
            self.engine.run("echo", f"hostile {number}", env={"BOATSWAIN_TENANT": name})
            for number, name in enumerate(names)
        ]
        polite = self.engine.run("echo", "polite", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), len(names) + 1)
        self.assertEqual(agent.health()[0], 200)
        self.assertEqual(agent.stop(), 0)
        reader = agent.reader()
        for number, container in enumerate(containers):
            self.assertEqual(
                (reader.of(container).tenant, reader.of(container).messages()),
                ("_unassigned", [b"hostile %d" % number]),
            )
            found = agent.logged("container found", container=container[:12])[-1]
            self.assertEqual(found["action"], "quarantine")
            self.assertIn("BOATSWAIN_TENANT", found["reason"])
        self.assertEqual(reader.of(polite).tenant, "red")
        # Nothing outside of where it belongs, and no line of the log that a name could forge.
        self.assertEqual({path.split("/")[1] for path in reader.objects()}, {"tenant=_unassigned", "tenant=red"})
        self.assertTrue(all(entry["level"] != "unparsed" for entry in agent.log()))

    def test_a_secret_or_recipient_that_the_container_carries_seals_for_whoever_has_it(self):
        agent = self.agent(tenants=("red",), tenancy__recipient=["secret:env:BOATSWAIN_RECIPIENT", "env:PLAIN_KEY"])
        agent.make_key("carrier")
        recipient = [line for line in (agent.keys / "carrier.pub").read_text().splitlines() if line.startswith("age1")][
            0
        ]
        secret = "correct horse battery staple"
        by_secret = self.engine.shell(
            "echo by secret; sleep 1000", env={"BOATSWAIN_TENANT": "frugal", "BOATSWAIN_RECIPIENT": secret}
        )
        short = [
            self.engine.shell(
                "echo short", env={"BOATSWAIN_TENANT": "frugal", "BOATSWAIN_RECIPIENT": secret}, options=["--rm"]
            )
            for _ in range(3)
        ]
        by_recipient = self.engine.shell(
            "echo by recipient", env={"BOATSWAIN_TENANT": "carrier", "BOATSWAIN_RECIPIENT": recipient}
        )
        keyring_wins = self.engine.shell("echo keyring", env={"BOATSWAIN_TENANT": "red", "BOATSWAIN_RECIPIENT": secret})
        weak = self.engine.shell("echo weak", env={"BOATSWAIN_TENANT": "weakling", "BOATSWAIN_RECIPIENT": "1234"})
        identity = self.engine.shell(
            "echo identity", env={"BOATSWAIN_TENANT": "careless", "BOATSWAIN_RECIPIENT": "AGE-SECRET-KEY-1QQQQ"}
        )
        # Public text: whoever knows it must not be able to read.
        public = [
            self.engine.shell("echo public", env={"BOATSWAIN_TENANT": "public", key: text})
            for key, text in (
                ("BOATSWAIN_RECIPIENT", recipient.upper()),
                ("BOATSWAIN_RECIPIENT", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsK"),
                ("BOATSWAIN_RECIPIENT", "${KEY_OF_PUBLIC}"),
                ("PLAIN_KEY", secret),
            )
        ]
        quoted = self.engine.shell(
            "echo by recipient", env={"BOATSWAIN_TENANT": "carrier", "PLAIN_KEY": f'"{recipient}"'}
        )
        (agent.place / "secret").write_text(secret + "\n")
        derived = run(BUILD / "boatswain", "keys", "derive", "frugal", "--secret-file", agent.place / "secret").stdout
        (agent.keys / "frugal.key").write_bytes(derived)
        self.wait_stored(agent.reader(), 13)
        self.assertEqual(agent.stop(), 0)
        reader = agent.reader()
        for container, tenant, text in (
            *((one, "_unassigned", b"public") for one in public),
            (quoted, "carrier", b"by recipient"),
            (by_secret, "frugal", b"by secret"),
            *((one, "frugal", b"short") for one in short),
            (by_recipient, "carrier", b"by recipient"),
            (keyring_wins, "red", b"keyring"),
            (weak, "_unassigned", b"weak"),
            (identity, "_unassigned", b"identity"),
        ):
            self.assertEqual((reader.of(container).tenant, reader.of(container).messages()), (tenant, [text]))
        log = agent.log_path.read_text()
        for word in (secret, '1234"', "AGE-SECRET-KEY-1QQQQ", "AAAAC3Nza", "KEY_OF_PUBLIC"):
            self.assertNotIn(word, log)
        self.assertIn("derived from the secret that the container carries", log)


class Secrets(LiveTest):
    def test_what_the_environment_holds_beside_the_rules_keys_is_nowhere(self):
        agent = self.agent(tenancy__labels=["team"])
        word = "hunter2-0f5c9d"
        environment = {
            "BOATSWAIN_TENANT": "red",
            "SECRET_TOKEN": word,
            "DATABASE_URL": f"postgres://me:{word}@db/",
            "MULTILINE": f"a\nSECRET={word}",
            "BOATSWAIN_TENANTS": word,
        }
        for options in ([], ["--log-driver", "local"], ["--rm"]):
            self.engine.shell("echo hello", env=environment, labels={"team": "ops", "password": word}, options=options)
        self.engine.shell("echo hello", env={**environment, "BOATSWAIN_TENANT": "stranger/"}, labels={"password": word})
        self.wait_stored(agent.reader(), 4)
        seen = "".join(agent.get(path)[1] for path in ("/metrics", "/healthz", "/readyz", "/version"))
        self.assertEqual(agent.stop(), 0)
        self.assertNotIn(word, seen)
        reader = agent.reader()
        for place in (
            agent.log_path,
            *(path for folder in (agent.state, agent.store_dir) for path in folder.rglob("*") if path.is_file()),
        ):
            self.assertNotIn(word.encode(), place.read_bytes(), place)
        for key in reader.objects():
            self.assertNotIn(word.encode(), reader.open(key))
            footer = reader.plaintext(key)
            at = footer.rindex(b"\x28\xb5\x2f\xfd", 0, len(footer) - 16)  # the last zstd frame: the footer's JSON
            self.assertNotIn(word.encode(), run("zstd", "-dcq", stdin=footer[at:-16]).stdout)
            self.assertIn(
                b'"team":"ops"' if "tenant=red" in key else b'"sources"',
                run("zstd", "-dcq", stdin=footer[at:-16]).stdout,
            )


class Images(LiveTest):
    def test_what_an_image_sets_moves_no_line_and_hides_no_container(self):
        base = self.engine.shell("true")
        self.engine.wait(base)
        self.engine.docker(
            "commit",
            "--change",
            "ENV BOATSWAIN_TENANT=green",
            "--change",
            "LABEL boatswain.exclude=true",
            base,
            "greedy",
        )
        self.addCleanup(self.engine.docker, "rmi", "--force", "greedy", check=False)
        agent = self.agent(tenants=("red", "green"))

        def start(word, *options):
            return self.engine.docker("run", "--detach", "--network", "host", *options, "greedy", "echo", word)

        nobodys = start("nobody")
        gone = start("gone", "--rm")
        own = start("own", "--env", "BOATSWAIN_TENANT=red")
        hidden = start("hidden", "--label", "boatswain.exclude=TRUE", "--env", "BOATSWAIN_TENANT=red")
        self.wait_stored(agent.reader(), 3)
        self.assertEqual(agent.metric("boatswain_containers_excluded", by="label"), 1)
        self.assertEqual(agent.stop(), 0)
        reader = agent.reader()
        expected = ((nobodys, "_unassigned", b"nobody"), (gone, "_unassigned", b"gone"), (own, "red", b"own"))
        for container, tenant, text in expected:
            self.assertEqual((reader.of(container).tenant, reader.of(container).messages()), (tenant, [text]))
        self.assertEqual(reader.of(hidden).lines, [])
        self.assertIn(
            "env:BOATSWAIN_TENANT is set by the image",
            agent.logged("container found", container=nobodys[:12])[-1]["reason"],
        )


class Selection(LiveTest):
    def test_include_and_exclude_rules_choose_what_is_read(self):
        agent = self.agent(
            docker__include=["name:^web-", "label:wanted", "image:nothing"],
            docker__exclude=["label:env=test", "name:-tmp$"],
        )
        red = {"BOATSWAIN_TENANT": "red"}
        read = [
            self.engine.shell("echo read", env=red, name="web-1"),
            self.engine.shell("echo read", env=red, labels={"wanted": "", "env": "prod"}),
        ]
        for name, labels in (
            ("db-1", {}),
            ("web-tmp", {}),
            ("web-2", {"env": "test"}),
            ("web-3", {"boatswain.exclude": "true"}),
        ):
            self.engine.shell("echo not read", env=red, name=name, labels=labels)
        self.wait_stored(agent.reader(), 2)
        wait_for(lambda: len(agent.logged("container not read")) >= 4, what="four containers not read")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual({identity for identity, _ in agent.reader().containers()}, set(read))
        reasons = {entry["name"]: entry["reason"] for entry in agent.logged("container not read")}
        self.assertEqual(
            reasons,
            {
                "db-1": "no include rule matches",
                "web-tmp": "exclude rule name:-tmp$",
                "web-2": "exclude rule label:env=test",
                "web-3": "label boatswain.exclude=true",
            },
        )

    def test_an_agent_in_a_container_does_not_read_its_own_output(self):
        place = scratch()
        self.addCleanup(shutil.rmtree, place)
        (place / "keyring").mkdir()
        run(BUILD / "boatswain", "keys", "new", "_unassigned", "--out", place)
        shutil.copy(place / "_unassigned.pub", place / "keyring")
        mounts = [
            f"/usr:/usr:ro",
            "/usr/lib:/lib:ro",
            "/usr/lib64:/lib64:ro",
            f"{BUILD}:{BUILD}:ro",
            f"{place}:{place}",
            f"{self.engine.root}:{self.engine.root}:ro",
            f"{self.engine.dir}:{self.engine.dir}",
        ]
        words = [
            str(BUILD / "boatswaind"),
            "agent",
            "--state-dir",
            f"{place}/state",
            "--engine-socket",
            str(self.engine.socket),
            "--listen",
            "off",
            "--store-url",
            f"dir:{place}/store",
            "--tenancy-keyring",
            f"{place}/keyring",
            "--batch-flush-after",
            "500ms",
        ]
        own = self.engine.run(
            *words, name="the-agent", options=[word for mount in mounts for word in ("--volume", mount)]
        )
        other = self.engine.shell("echo of another container")
        reader = Reader(place, directory=place / "store")
        try:
            self.wait_stored(reader, 1)
        except AssertionError:
            self.fail(self.engine.docker("logs", own))
        time.sleep(1.5)
        self.engine.docker("stop", own)
        self.assertEqual({identity for identity, _ in reader.containers()}, {other})


if __name__ == "__main__":
    main()
