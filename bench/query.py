"""What a search over one tenant's sealed segments costs, on all cores, beside the tools that read the plaintext from
the page cache: ids that one line has, a text that nothing has, regular expressions; without a roll-up and with one."""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time

NEEDLE_FASTER_MIN = 20  # than rg over the plaintext; the bound is for 10 GiB of text
SCAN_SHARE_MIN = 0.8  # of what age, zstd and rg do on all cores
HARD_FASTER_MIN = 3  # than zstdcat into grep -E
FIRST_SECONDS_MAX = 0.2
HARD = r"(GET|POST) /[a-z/]+.*[0-9]{3}ms?|user=[0-9]*77[0-9] .*(timeout|refused)"
ABSENT = "no line says this, ever"
READS_IDS_OF = 8 << 20  # bytes from the middle of the text


def seconds_of(command, environment=None):
    started = time.monotonic()
    found = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    if found.returncode > 1:
        raise RuntimeError(f"{command}: {found.returncode}: {found.stderr.decode()[-400:]}")
    return time.monotonic() - started


def needle_of(text, digits):
    """An id of so many hex digits that one line of the file has, from its middle on."""
    with open(text, "rb") as lines:
        lines.seek(pathlib.Path(text).stat().st_size // 2)
        part = lines.read(READS_IDS_OF)
    for token in re.findall(rb"(?<![0-9a-f])[0-9a-f]{%d}(?![0-9a-f])" % digits, part):
        found = subprocess.run([searcher(), "-c", "-F", token, text], check=False, capture_output=True)
        if found.stdout.strip() == b"1":
            return token.decode()
    raise RuntimeError(f"no id of {digits} digits of the corpus stands in one line alone")


def searcher():
    return shutil.which("rg") or "grep"


def first_result_seconds(command):
    """Until the first byte of an answer."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        child.stdout.read(1)
        seconds = time.monotonic() - started
        child.stdout.close()
        child.wait()
    return seconds


class Search:
    def __init__(self, bench, tool, runs):
        self.bench, self.runs = bench, runs
        self.reader = [tool, "--store", f"dir:{bench.sealed_store}/store", "--identity", bench.identity]
        self.compressed = f"{bench.text}.zst"
        subprocess.run(["zstd", "-1", "-q", "-f", bench.text, "-o", self.compressed], check=True)

    def logs(self, *flags):
        tool, *rest = self.reader
        return [tool, "logs", *rest, "--output", "raw", *flags]

    def median(self, command, environment=None):
        return statistics.median(seconds_of(command, environment) for _ in range(self.runs))

    def segments_searched(self, text):
        """What the machine does with other tools: each sealed segment on its own, on all cores."""
        one = f"age -d -i '{self.bench.identity}' \"$1\" | zstd -dcq | {searcher()} -c -F '{text}' >/dev/null; true"
        files = f"find '{self.bench.sealed_store}/store' -path '*hour=*' -name '*.age' -print0"
        return ["sh", "-c", f'{files} | xargs -0 -n 1 -P {os.cpu_count()} sh -c "$1" sh', "sh", one]

    def plaintext_searched(self, *flags):
        return [searcher(), "-c", *flags, self.bench.text]

    def compressed_searched(self, regex):
        return ["sh", "-c", 'zstdcat -q "$1" | grep -cE "$2" >/dev/null; true', "sh", self.compressed, regex]


def measure(bench, tool, timed, runs):
    """Seconds by question and way; and what making roll-ups takes, as `timed` has it."""
    search = Search(bench, tool, runs)
    needles = {f"id of {digits} digits, one hit": needle_of(bench.text, digits) for digits in (12, 16)}
    piece = next(iter(needles.values()))[:8]
    for old in pathlib.Path(bench.sealed_store).glob("store/v1/*/rollup=*"):
        old.unlink()
    rows, absent = {}, ["--grep", ABSENT]
    for name, needle in needles.items():
        rows[name] = {
            "others": search.median(search.plaintext_searched("-F", needle)),
            "without": search.median(search.logs("--grep", needle)),
        }
    rows["no hit"] = {
        "others": search.median(search.plaintext_searched("-F", ABSENT)),
        "without": search.median(search.logs(*absent)),
    }
    regex = f"(user|client).*{piece}"
    rows["regex with a literal"] = {
        "others": search.median(search.plaintext_searched(regex)),
        "without": search.median(search.logs("--regex", regex)),
    }
    found = {
        "scan": {"others": search.median(search.segments_searched(ABSENT)), "ours": rows["no hit"]["without"]},
        "hard": {
            "others": search.median(search.compressed_searched(HARD)),
            "others_ascii": search.median(search.compressed_searched(HARD), dict(os.environ, LC_ALL="C")),
            "ours": search.median(search.logs("--regex", HARD)),
        },
        "first_seconds": statistics.median(first_result_seconds(search.logs("--grep", "error")) for _ in range(runs)),
    }
    tool_path, *rest = search.reader
    made = timed([[tool_path, "rollup", *rest, "--since", "2000-01-01", "--memory", "1GiB"]])
    for name, needle in needles.items():
        rows[name]["with"] = search.median(search.logs("--grep", needle))
    rows["no hit"]["with"] = search.median(search.logs(*absent))
    rows["regex with a literal"]["with"] = search.median(search.logs("--regex", regex))
    sizes = [file.stat().st_size for file in pathlib.Path(bench.sealed_store).glob("store/v1/*/rollup=*")]
    sealed = sum(file.stat().st_size for file in pathlib.Path(bench.sealed_store).glob("store/v1/*/hour=*/**/*.age"))
    pathlib.Path(search.compressed).unlink()
    return found | {
        "searcher": pathlib.Path(searcher()).name,
        "seconds": rows,
        "rollup_cpu_s_per_gb": made["cpu_seconds"] / (bench.payload / 1e9),
        "rollup_share": sum(sizes) / sealed,
    }


def goal(reached):
    return "reached" if reached else "MISSED"


def show(found):
    print(f"\nsearch, seconds:              {found['searcher']:>6}    sealed  with roll-up")
    for name, ways in found["seconds"].items():
        print(
            f"  {name:<26}{ways['others']:>8.3f}{ways['without']:>10.3f}{ways['with']:>14.3f}"
            f"   {ways['others'] / ways['with']:.1f} times its speed"
        )
    faster = max(ways["others"] / ways["with"] for name, ways in found["seconds"].items() if name.startswith("id"))
    scan, hard = found["scan"], found["hard"]
    print(
        f"  an id (goal: {NEEDLE_FASTER_MIN} times as fast in 10 GiB): {faster:.1f} times:"
        f" {goal(faster >= NEEDLE_FASTER_MIN)}"
    )
    print(
        f"  full scan for a text: {scan['ours']:.2f} s; age, zstd and {found['searcher']} on all cores"
        f" {scan['others']:.2f} s (goal: {SCAN_SHARE_MIN:.0%} of their speed): {scan['others'] / scan['ours']:.0%}:"
        f" {goal(scan['others'] / scan['ours'] >= SCAN_SHARE_MIN)}"
    )
    print(
        f"  hard regular expression: {hard['ours']:.2f} s; zstdcat into grep -E {hard['others']:.2f} s, in the C"
        f" locale {hard['others_ascii']:.2f} s (goal: {HARD_FASTER_MIN} times as fast):"
        f" {hard['others'] / hard['ours']:.1f} times: {goal(hard['others'] / hard['ours'] >= HARD_FASTER_MIN)}"
    )
    print(
        f"  first result: {found['first_seconds']:.3f} s (goal: at most {FIRST_SECONDS_MAX}):"
        f" {goal(found['first_seconds'] <= FIRST_SECONDS_MAX)}"
    )
    print(
        f"  making roll-ups: {found['rollup_cpu_s_per_gb']:.2f} CPU s per GB of text; they take"
        f" {100 * found['rollup_share']:.1f} % of what is sealed"
    )
