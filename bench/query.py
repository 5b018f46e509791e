"""What a search over one tenant's sealed segments costs: a text that one line has, a text that nothing has, a regular
expression; each beside grep over the plaintext in the page cache, without a roll-up and with one."""
import pathlib
import re
import statistics
import subprocess

NEEDLE_FASTER_MIN = 20  # than grep over the plaintext; the bound is for 10 GiB of text


def needle_of(text):
    """A token that one line of the file has, from its middle on."""
    with open(text, "rb") as lines:
        lines.seek(pathlib.Path(text).stat().st_size // 2)
        lines.readline()
        for line in lines:
            for token in sorted(re.findall(rb"[0-9a-f-]{12,}", line), key=len, reverse=True):
                found = subprocess.run(["grep", "-c", "-F", token, text], check=False, capture_output=True)
                if found.stdout.strip() == b"1":
                    return token.decode()
    raise RuntimeError("no token of the corpus stands in one line alone")


def measure(bench, tool, timed, runs):
    """Seconds by question and way; and what making roll-ups takes."""
    store = f"dir:{bench.sealed_store}/store"
    reader = [tool, "logs", "--store", store, "--identity", bench.identity, "--output", "raw"]
    roll_up = [
        tool,
        "rollup",
        "--store",
        store,
        "--identity",
        bench.identity,
        "--since",
        "2000-01-01",
        "--memory",
        "1GiB",
    ]
    needle = needle_of(bench.text)
    questions = {
        "one hit": (["--grep", needle], ["-F", needle]),
        "no hit": (["--grep", "no line says this, ever"], ["-F", "no line says this, ever"]),
        "regex": (
            ["--regex", f"(user|client).*{needle[:8]}"],
            ["-E", f"(user|client).*{needle[:8]}"],
        ),
    }
    rows = {}

    def found_or_not(command):
        return ["sh", "-c", '"$@"; [ $? -le 1 ]', "sh", *command]

    def ask(way, command_of):
        for name, (ours, theirs) in questions.items():
            seconds = [timed([found_or_not(command_of(ours, theirs))])["seconds"] for _ in range(runs)]
            rows.setdefault(name, {})[way] = statistics.median(seconds)

    for old in pathlib.Path(bench.sealed_store).glob("store/v1/*/rollup=*"):
        old.unlink()
    ask("grep", lambda _, theirs: ["grep", "-c", *theirs, bench.text])
    ask("without", lambda ours, _: [*reader, *ours])
    made = timed([roll_up])
    ask("with", lambda ours, _: [*reader, *ours])
    sizes = [file.stat().st_size for file in pathlib.Path(bench.sealed_store).glob("store/v1/*/rollup=*")]
    sealed = sum(file.stat().st_size for file in pathlib.Path(bench.sealed_store).glob("store/v1/*/hour=*/**/*.age"))
    return {
        "seconds": rows,
        "rollup_cpu_s_per_gb": made["cpu_seconds"] / (bench.payload / 1e9),
        "rollup_share": sum(sizes) / sealed,
    }


def show(found):
    print("\nsearch, seconds:        grep    sealed  with roll-up")
    for name, ways in found["seconds"].items():
        print(
            f"  {name:<18}{ways['grep']:>9.3f}{ways['without']:>10.3f}{ways['with']:>14.3f}"
            f"   {ways['grep'] / ways['with']:.1f} times grep's speed"
        )
    print(
        f"  making roll-ups: {found['rollup_cpu_s_per_gb']:.2f} CPU s per GB of text; they take"
        f" {100 * found['rollup_share']:.1f} % of what is sealed (an id with one hit is to be found"
        f" {NEEDLE_FASTER_MIN} times faster than grep does, in 10 GiB)"
    )
