#!/usr/bin/python3
"""`boatswain serve` reads each tenant's logs in a process of its own: one that is killed in mid-answer ends its own
questions alone, no process but a tenant's own has its key in memory, and none has a file open or can be entered."""
import sys

sys.dont_write_bytecode = True
from serving import *
import threading

RANGE = {"query": '{app="bench"}', "since": "1h"}
LINES = "/boatswain/api/v1/lines"
ALL = {**RANGE, "format": "raw"}
DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # of Bech32


def scalar_of(identity):
    """The 32 bytes of AGE-SECRET-KEY-1..."""
    number = 0
    for letter in identity.lower().split("1", 1)[1][:-6]:
        number = number << 5 | DIGITS.index(letter)
    return (number >> 4).to_bytes(32, "big")  # 52 letters are 260 bits


def memory_of(process):
    """What is written there and not given back."""
    found, place = [], None
    with open(f"/proc/{process}/smaps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            words = line.split()
            if words[0].count("-") == 1 and ":" not in words[0]:
                place = words[0] if words[1].startswith("rw") and "[v" not in line else None
            elif words[0] == "Anonymous:" and words[1] != "0" and place:
                first, behind = (int(number, 16) for number in place.split("-"))
                memory.seek(first)
                found.append(memory.read(behind - first))
    return b"".join(found)


class Cells(Serving):
    """Two tenants with the same lines, by the same server."""

    def setUp(self):
        super().setUp()
        self.tokens = {"bench": self.token}
        folder = next((self.store / "v1").glob("tenant=bench"))
        words = ["keys", "new", "other", "--out", self.place]
        recipient = run(BUILD / "boatswain", *words).stdout.decode().split()[0]
        words = ["token", "new", "other", "--tokens", self.place / "tokens"]
        self.tokens["other"] = run(BUILD / "boatswain", *words).stdout.decode().strip()
        self.assertTrue(folder.is_dir() and recipient.startswith("age1"))
        self.server = self.serve(self.ports[0])
        wait_for(lambda: self.reaches(self.ports[0]), what="a server that listens")

    def ask_as(self, who, path, given):
        self.token = self.tokens[who]
        return self.ask(path, given)

    def cells(self):
        tasks = pathlib.Path(f"/proc/{self.server.pid}/task").glob("*/children")
        return sorted(int(child) for task in tasks for child in task.read_text().split())

    def test_no_process_but_its_own_has_a_tenants_key(self):
        self.ask_as("bench", LINES, RANGE)
        (of_bench,) = self.cells()
        self.ask_as("other", LINES, RANGE)
        (of_other,) = set(self.cells()) - {of_bench}
        texts = {who: (self.place / f"{who}.key").read_text().split("\n") for who in self.tokens}
        keys = {who: next(line for line in lines if line.startswith("AGE-")) for who, lines in texts.items()}
        memory = {process: memory_of(process) for process in (self.server.pid, of_bench, of_other)}
        self.assertIn(b"tenant=bench", memory[of_bench], "the search finds what is there")
        for who, elsewhere in (("bench", of_other), ("other", of_bench)):
            self.assertNotIn(scalar_of(keys[who]), memory[elsewhere])
            self.assertNotIn(keys[who].encode(), memory[elsewhere])
            # The server looked at each key file once, at its start, in memory that is wiped.
            self.assertNotIn(scalar_of(keys[who]), memory[self.server.pid])
            self.assertNotIn(keys[who].encode(), memory[self.server.pid])

    def test_have_nothing_open_and_no_way_out(self):
        self.ask_as("bench", LINES, RANGE)
        (cell,) = self.cells()
        opened = {os.readlink(at) for at in pathlib.Path(f"/proc/{cell}/fd").iterdir()}
        self.assertEqual({name for name in opened if not name.startswith("socket:")}, {"/dev/null"})
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{cell}/status").read_text().splitlines())
        self.assertEqual((status["Seccomp"].strip(), status["NoNewPrivs"].strip()), ("2", "1"))
        self.assertEqual(pathlib.Path(f"/proc/{cell}/environ").read_bytes(), b"")
        self.assertEqual(pathlib.Path(f"/proc/{cell}/cmdline").read_bytes(), b"boatswain\0cell\0")

    def test_one_that_is_killed_ends_its_own_questions_alone(self):
        whole = self.ask_as("bench", LINES, ALL)
        self.assertEqual(whole.decode().splitlines(), self.lines)
        (of_bench,) = self.cells()
        self.ask_as("other", LINES, RANGE)
        # A client that reads a little, and then waits: its cell is in the middle.
        slow = socket.create_connection(("127.0.0.1", self.ports[0]))
        self.addCleanup(slow.close)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        query = urllib.parse.urlencode(ALL)
        slow.sendall(
            f"GET {LINES}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.tokens['bench']}\r\n\r\n".encode()
        )
        got = slow.recv(4096)
        self.assertIn(b"200 OK", got)
        answers = []
        others = threading.Thread(target=lambda: answers.append(self.ask_as("other", "/loki/api/v1/labels", {})))
        others.start()
        os.kill(of_bench, signal.SIGKILL)
        others.join()
        self.assertIn(b"success", answers[0])
        while piece := slow.recv(65536):
            got += piece
        self.assertFalse(got.endswith(b"0\r\n\r\n"), "an answer that is not whole has no end")
        # The next question may still meet the dead one.
        for _ in range(2):
            try:
                again = self.ask_as("bench", LINES, ALL)
                break
            except urllib.error.HTTPError as refused:
                self.assertEqual(refused.code, 503)
        self.assertEqual(again, whole)
        self.assertNotIn(of_bench, self.cells())
        metrics = self.ask("/metrics", {}).decode()
        self.assertIn("boatswain_serve_cell_faults_total 1", metrics)
        self.assertIn("boatswain_serve_cells 2", metrics)
        self.assertNotIn("bench", metrics)

    def test_end_with_their_server(self):
        self.ask_as("bench", LINES, RANGE)
        (cell,) = self.cells()
        self.server.kill()
        self.server.wait()

        def has_ended():
            try:
                return "\nState:\tZ" in pathlib.Path(f"/proc/{cell}/status").read_text()
            except FileNotFoundError:
                return True

        wait_for(has_ended, what="the end of the cell")


if __name__ == "__main__":
    unittest.main()
