#!/usr/bin/python3
"""Every header compiles alone.

    headers.py BUILD_DIR [--canary]

A file that includes a header before anything else shows it by being compiled, which the build has done; what
precompiled headers hide there is for standard_includes.py. Headers that no such file has are compiled here by
themselves, with the flags of their folder (compile_commands.json), as far as the syntax goes.
"""
import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent / "src"


def first_include(path):
    for line in path.read_text().splitlines():
        if line.startswith("#include"):
            return line.split()[1].strip('"<>')
    return None


def without_precompiled(words):
    """A header that leans on precompiled ones does not compile alone."""
    kept, rest = [], list(words)
    while rest:
        if rest[0] == "-Xclang" and rest[1] in ("-include-pch", "-include"):
            rest = rest[4:]
        else:
            kept.append(rest.pop(0))
    return kept


def flags_by_folder(build):
    """{folder below src: the words of one of its compile commands, without the files}."""
    flags = {}
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if SOURCE not in file.parents or file.parent in flags:
            continue
        words = shlex.split(entry["command"])
        launcher = next((at for at, word in enumerate(words) if word.endswith("/ccache")), -1)
        words = words[launcher + 1 :]
        words = words[: words.index("-o")] + words[words.index("-o") + 2 :]
        flags[file.parent] = without_precompiled(words[: words.index("-c")])
    return flags


def flags_of(header, flags):
    """Those of the nearest folder that has some."""
    return next((flags[folder] for folder in header.parents if folder in flags), None)


def trouble_of(header, command):
    """What the compiler says of a header with the flags `command`; nothing when it compiles."""
    if command is None:
        return "no file of its folder is compiled"
    done = subprocess.run(
        [*command, "-fsyntax-only", "-Wno-pragma-once-outside-header", "-x", "c++", header],
        cwd="/",
        capture_output=True,
        text=True,
    )
    return done.stderr.strip() or "refused" if done.returncode else None


def compiled_by_the_build(build):
    names = {
        pathlib.Path(entry["file"]) for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
    }
    return {
        SOURCE / header
        for name in names
        if SOURCE in name.parents
        and not name.name.endswith(("_test.cc", "_fuzz.cc"))
        and (header := first_include(name))
    }


def main():
    build = sys.argv[1]
    flags = flags_by_folder(build)
    if "--canary" in sys.argv:
        # Not among the sources: tests that run beside this one list those.
        with tempfile.NamedTemporaryFile("w", suffix=".h") as broken:
            broken.write("#pragma once\ninline std::string not_included() { return {}; }\n")
            broken.flush()
            trouble = trouble_of(pathlib.Path(broken.name), flags[SOURCE / "base"])
            sys.exit(0 if "string" in (trouble or "") else "a header that does not compile alone was not noticed")
    alone = sorted(set(SOURCE.rglob("*.h")) - compiled_by_the_build(build))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        troubles = list(pool.map(lambda header: trouble_of(header, flags_of(header, flags)), alone))
    bad = [(header, trouble) for header, trouble in zip(alone, troubles) if trouble]
    for header, trouble in bad:
        print(f"{header.relative_to(SOURCE)} does not compile alone:\n{trouble}")
    print(f"{len(alone)} headers compiled alone, the others first in a file of the build")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
