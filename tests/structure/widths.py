#!/usr/bin/python3
"""widths.py REPOSITORY: Markdown and Python are at most 120 columns wide, so that a change shows as what it is.

Of Markdown, blocks of code are left out: nobody breaks what somebody is to copy. A row of a table cannot be broken, so
it may be wider; a row that is wider still is read more easily as a list.
widths.py --canary: shows that a line and a row that are too wide are found, and that a row may be wider than a line.
"""
import pathlib
import re
import sys

WIDTH_MAX = 120  # columns, as in C++ (.clang-format)
ROW_MAX = 220  # columns of a table's row
NOT_OURS = {"build", "node_modules", ".git"}


def prose(text):
    """(number, line, columns it may have) of Markdown outside of code, pictures and HTML."""
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            fence = None if line.strip().startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif not line.lstrip().startswith(("<", "![")) and not line.startswith("    "):
            yield number, line, ROW_MAX if line.startswith("|") else WIDTH_MAX


def wide(name, text):
    if name.endswith(".md"):
        return [number for number, line, columns in prose(text) if len(line) > columns]
    return [number for number, line in enumerate(text.split("\n"), 1) if len(line) > WIDTH_MAX]


def canary():
    words = "word " * 30
    assert wide("a.md", f"short\n{words}\n") == [2]
    assert wide("a.md", f"| {words} |\n```\n{words}\n```\n{words}\n") == [5]
    assert wide("a.md", f"| {words} {words} |\n") == [1]
    assert wide("a.py", f"x = 1\n# {words}\n") == [2]
    print("a line that is too wide is found")


def main():
    root = pathlib.Path(sys.argv[1])
    ours = (file for file in sorted(root.rglob("*.*")) if not NOT_OURS & set(file.relative_to(root).parts))
    found = [
        f"{file.relative_to(root)}:{number}"
        for file in ours
        if file.suffix in (".md", ".py") and file.is_file()
        for number in wide(file.name, file.read_text())
    ]
    if found:
        sys.exit(f"wider than {WIDTH_MAX} columns:\n" + "\n".join(found))
    print(f"no line is wider than {WIDTH_MAX} columns")


if __name__ == "__main__":
    canary() if sys.argv[1] == "--canary" else main()
