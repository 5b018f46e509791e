#!/usr/bin/python3
"""comments.py SRC: no comment was broken by a formatter: a line of up to three words between two others, behind a full
one.

clang-format's ReflowComments moves what does not fit to a line of its own, and lists and tables come out mangled.
comments.py --canary: shows that such a block is found, and that ordinary ones are not.
"""
import pathlib
import re
import sys

COMMENT = re.compile(r"^(\s*)//( ?)(.*)$")
FULL = 100  # columns


def mangled(text):
    """Numbers of the lines that stand so."""
    lines = text.split("\n")
    found = []
    for number in range(1, len(lines) - 1):
        before, here, behind = (COMMENT.match(line) for line in lines[number - 1 : number + 2])
        if not (before and here and behind) or len({before[1], here[1], behind[1]}) > 1:
            continue
        words = here[3].split()
        goes_on = before[3] and not before[3].rstrip().endswith((".", ":", "|")) and words and words[0][0].islower()
        if goes_on and len(words) <= 3 and len(lines[number - 1]) >= FULL and behind[3].strip():
            ends = here[3].rstrip().endswith((".", ":")) and behind[3][:1].isspace() != here[3][:1].isspace()
            starts_item = re.match(r"\s*(-|\d+\.|[a-z_]+  )", behind[3])
            if not (ends or starts_item) or not here[3].rstrip().endswith((".", ":")):
                found.append(number + 1)
    return found


def canary():
    full = "// " + "word " * 22 + "more"
    assert mangled(f"{full}\n// and more\n// of it that goes on here\n") == [2]
    assert mangled(f"{full}\n// theirs.\n#pragma once\n") == [], "the end of a paragraph"
    assert mangled(f"{full}.\n// - a list\n// - of items\n") == []
    print("a block that a formatter broke is found")


if __name__ == "__main__":
    if sys.argv[1] == "--canary":
        canary()
    else:
        places = [
            f"{file}:{number}"
            for file in sorted(pathlib.Path(sys.argv[1]).rglob("*"))
            if file.suffix in (".h", ".cc")
            for number in mangled(file.read_text())
        ]
        if places:
            sys.exit("comments that a formatter broke:\n" + "\n".join(places))
        print("no comment is broken")
