#!/usr/bin/python3
"""names.py SRC: no two types that parts offer each other have the same name: one word, one meaning (docs/glossary.md).

Looked at are types at the outermost level of headers that are not for tests. Some names stand twice on purpose, or
still do: they are listed here with their number, and a number that is too high is a failure too.
names.py --canary: shows that a second type of a name is found.
"""
import collections
import pathlib
import re
import sys

TYPE = re.compile(
    r"^(?:enum class|struct|class|using)\s+(?:\[\[nodiscard\]\]\s*)?(\w+)(?:\s+final)?\s*" r"(?:[:{=]|$)(?!:)"
)
OF_TESTS = ("_test", "test_", "_for_test")
# What every part has of its own, and no other part looks at, may have the same name.
# The rest waits for a name that says more; nothing is added to it.
TWICE = {
    "Options": 8,
    "Limits": 2,
    "Request": 3,
    "Answer": 2,
    "Endpoint": 2,
    "Environment": 2,
    "Event": 2,
    "Fault": 2,
    "Forged": 2,
    "Frame": 2,
    "MetricLabels": 2,
    "Query": 2,
    "Refusal": 2,
    "RemovedKey": 2,
    "RemovedKeys": 2,
    "Room": 2,
    "Selection": 2,
    "Stage": 2,
    "Task": 3,
    "Token": 2,
    "Unassigned": 2,
    "Verdict": 2,
}


def types(text):
    """Names of the types that are defined at the start of a line."""
    found = []
    for line in text.splitlines():
        name = TYPE.match(line)
        if name and not line.startswith(("using namespace", "using enum")) and not line.rstrip().endswith("::"):
            found.append(name[1])
    return found


def judge(where, twice):
    """Sentences about what is wrong; `where`: files by name."""
    for name, files in sorted(where.items()):
        if len(files) != twice.get(name, 1):
            yield f"{name} stands {len(files)} times, not {twice.get(name, 1)}: {', '.join(files)}"
    for name in sorted(set(twice) - set(where)):
        yield f"{name} stands nowhere any more: take it off the list"


def canary():
    assert types("struct Feed {\nclass Feed;\n    struct Inner {\nusing Task = int;\nenum class Kind { a };\n") == [
        "Feed",
        "Task",
        "Kind",
    ]
    assert list(judge({"Feed": ["a.h", "b.h"]}, {})) == ["Feed stands 2 times, not 1: a.h, b.h"]
    assert list(judge({"Feed": ["a.h"]}, {"Feed": 2, "Gone": 2})) == [
        "Feed stands 1 times, not 2: a.h",
        "Gone stands nowhere any more: take it off the list",
    ]
    assert list(judge({"Options": ["a.h", "b.h"]}, {"Options": 2})) == []
    print("a type whose name stands twice is found")


def main(src):
    where = collections.defaultdict(list)
    for file in sorted(src.rglob("*.h")):
        if not any(word in file.stem for word in OF_TESTS):
            for name in types(file.read_text()):
                where[name].append(str(file.relative_to(src)))
    wrong = list(judge(where, TWICE))
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(where)} types have names of their own, but for {len(TWICE)}")


if __name__ == "__main__":
    if sys.argv[1] == "--canary":
        canary()
    else:
        main(pathlib.Path(sys.argv[1]))
