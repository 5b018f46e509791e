#!/usr/bin/python3
"""includes.py SRC: #include lines of src/ follow what each part's CMakeLists.txt says it USES; no part uses itself.

A part may include from itself and from the parts that it names itself: USES is what a reader looks at, so a neighbour
that
comes only through another one must be named too. Its tests (*_test.cc, *_fuzz.cc) may include from TEST_USES as well.
A folder without boatswain_part() may include from the parts that its target_link_libraries() names.
includes.py --canary: shows on small trees that each kind of mistake is found.
"""
import pathlib
import re
import sys
import tempfile

COMMENT = re.compile(r"#[^\n]*")
PART = re.compile(r"boatswain_part\(\s*(\w+)([^)]*)\)")
LINKED = re.compile(r"target_link_libraries\(([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
KEYWORDS = {"USES", "LIBS", "TEST_USES", "TEST_LIBS"}


class Part:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.uses, self.test_uses = set(), set()


def arguments(text):
    """'USES a b LIBS c' -> {'USES': {'a', 'b'}, 'LIBS': {'c'}}"""
    found, keyword = {}, None
    for word in text.split():
        if word in KEYWORDS:
            keyword = word
        elif keyword:
            found.setdefault(keyword, set()).add(word)
    return found


def read_parts(src):
    """The parts by their folder, relative to src."""
    parts = {}
    for listing in sorted(src.glob("*/**/CMakeLists.txt")):
        text = COMMENT.sub("", listing.read_text())
        folder = listing.parent.relative_to(src)
        linked = {
            word[len("boatswain_") :]
            for call in LINKED.findall(text)
            for word in call.split()
            if word.startswith("boatswain_")
        }
        declared = PART.findall(text)
        part = Part(declared[0][0] if declared else str(folder), folder)
        for _, rest in declared:
            found = arguments(rest)
            part.uses |= found.get("USES", set())
            part.test_uses |= found.get("TEST_USES", set())
        part.uses |= linked - {part.name}
        parts[folder] = part
    return parts


def part_of(path, parts):
    """The part of the innermost folder that has one."""
    return next((parts[folder] for folder in path.parents if folder in parts), None)


def cycle(parts):
    """The names along a cycle of USES, or nothing."""
    uses = {part.name: sorted(part.uses) for part in parts.values()}
    done = set()

    def visit(name, path):
        if name in path:
            return path[path.index(name) :] + [name]
        if name in done:
            return None
        for used in uses.get(name, []):
            found = visit(used, path + [name])
            if found:
                return found
        done.add(name)
        return None

    return next(filter(None, (visit(name, []) for name in sorted(uses))), None)


def check(src):
    parts = read_parts(src)
    problems = []
    files = sorted(path for path in src.rglob("*") if path.suffix in (".h", ".cc"))
    for path in files:
        here = path.relative_to(src)
        part = part_of(here, parts)
        if part is None:
            problems.append(f"src/{here}: its folder has no CMakeLists.txt, so no part owns it")
            continue
        allowed = {part.name} | part.uses
        if path.stem.endswith(("_test", "_fuzz")):
            allowed |= part.test_uses
        text = path.read_text(errors="replace")
        for included in INCLUDE.findall(text):
            target = pathlib.PurePath(included)
            line = text[: text.index(f'"{included}"')].count("\n") + 1
            if ".." in target.parts or not (src / target).is_file():
                problems.append(f'src/{here}:{line}: "{included}" is no path below src/')
                continue
            owner = part_of(target, parts)
            if owner is not None and owner.name not in allowed:
                problems.append(
                    f'src/{here}:{line}: includes "{included}", but {part.name} does not use {owner.name} '
                    f"(src/{part.folder}/CMakeLists.txt)"
                )
    around = cycle(parts)
    if around:
        problems.append("parts use each other in a circle: " + " -> ".join(around))
    return problems, len(files), len(parts)


def canary():
    """Trees with one mistake each, and the words that the complaint must hold."""
    good = {
        "a/CMakeLists.txt": "boatswain_part(a)",
        "a/a.h": "",
        "b/CMakeLists.txt": "boatswain_part(b USES a LIBS x)",
        "b/b.h": '#include "a/a.h"\n',
        "c/CMakeLists.txt": "boatswain_part(c USES b TEST_USES a)",
        "c/c.h": '#include "b/b.h"\n',
        "c/c_test.cc": '#include "a/a.h"\n',
        "d/CMakeLists.txt": "add_executable(d main.cc)\ntarget_link_libraries(d PRIVATE boatswain_c)",
        "d/main.cc": '#include "c/c.h"\n',
    }
    mistakes = [
        ({}, None),
        ({"a/a.h": '#include "b/b.h"\n'}, "a does not use b"),
        ({"c/c.h": '#include "a/a.h"\n'}, "c does not use a"),
        ({"b/CMakeLists.txt": "boatswain_part(b # USES a\n)"}, "b does not use a"),
        ({"d/main.cc": '#include "b/b.h"\n'}, "d does not use b"),
        ({"a/CMakeLists.txt": "boatswain_part(a USES c)"}, "a -> c -> b -> a"),
        ({"b/b.h": '#include "../a/a.h"\n'}, "no path below src/"),
        ({"e/e.h": ""}, "no part owns it"),
    ]
    for change, wanted in mistakes:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**good, **change}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            problems, _, _ = check(pathlib.Path(folder))
        if wanted is None and problems:
            return f"complains about a good tree: {problems}"
        if wanted is not None and not any(wanted in problem for problem in problems):
            return f"did not see {change}: wanted '{wanted}', got {problems}"
    print(f"{len(mistakes) - 1} kinds of mistake are found")
    return None


def main():
    if sys.argv[1] == "--canary":
        sys.exit(canary())
    problems, files, parts = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) or f"{files} files of {parts} parts include only what their parts use; no circle")
    sys.exit(1 if problems else 0)


main()
