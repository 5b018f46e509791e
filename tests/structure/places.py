#!/usr/bin/python3
"""places.py ROOT: what is added to the house is known of in few places, and the pages that say how to add it name them
all.

A way in (src/intake/cri, with src/intake/pod_watch) and a filter (src/query/filter_text) stand for all others: every
file of src/ that names them, outside their own, has to stand on docs/contributing/add-an-intake.md or add-a-filter.md,
and there are at most so many.
A third one, src/query/filter_canary_test.cc, is named nowhere: what it shows needs no change of the query.
places.py --canary: shows on a small tree that a place too many is found.
"""
import pathlib
import re
import sys
import tempfile

WITNESSES = (
    # page, own files, what naming it looks like, files outside at most
    (
        "add-an-intake.md",
        re.compile(r"src/intake/(cri|pod_watch)/"),
        re.compile(r'intake_cri\b|intake/cri/|intake::cri\b|[.>]cri\b|"cri\.|struct Cri\b'),
        4,
    ),
    ("add-a-filter.md", re.compile(r"src/query/filter_text"), re.compile(r'query/filter_text\.h"'), 2),
    ("add-a-filter.md", re.compile(r"src/query/filter_canary"), re.compile(r"filter_canary|LineIsLong"), 0),
)


def problems(root):
    found = []
    for page, own, naming, at_most in WITNESSES:
        said = (root / "docs/contributing" / page).read_text()
        files = [
            file
            for file in sorted((root / "src").rglob("*"))
            if file.suffix in (".h", ".cc", ".txt") and not file.name.endswith(("_test.cc", "_fuzz.cc"))
        ]
        places = [
            str(file.relative_to(root))
            for file in files
            if not own.match(str(file.relative_to(root))) and naming.search(file.read_text())
        ]
        if not places and at_most > 0:
            found.append(f"{page}: its witness is named nowhere")
        if len(places) > at_most:
            found.append(f"{page}: {len(places)} places know of its witness, more than {at_most}: {', '.join(places)}")
        found += [f"{page}: does not name {place}" for place in places if place not in said]
    return found


def canary():
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place)
        (root / "docs/contributing").mkdir(parents=True)
        (root / "src/agent").mkdir(parents=True)
        (root / "docs/contributing/add-an-intake.md").write_text("`src/agent/list.cc`\n")
        (root / "docs/contributing/add-a-filter.md").write_text("`src/agent/flags.cc`\n")
        (root / "src/agent/list.cc").write_text('#include "intake/cri/cri_intake.h"\n')
        (root / "src/agent/flags.cc").write_text('#include "query/filter_text.h"\n')
        assert problems(root) == [], problems(root)
        (root / "src/agent/metrics.cc").write_text("config.cri.pods\n")
        assert problems(root) == ["add-an-intake.md: does not name src/agent/metrics.cc"], problems(root)
        for number in range(2):
            (root / f"src/agent/flags{number}.cc").write_text('#include "query/filter_text.h"\n')
        assert any("more than 2" in problem for problem in problems(root))
        (root / "src/agent/merge.cc").write_text("LineIsLong\n")
        assert any("more than 0" in problem for problem in problems(root))
        for number in range(6):
            (root / f"src/agent/more{number}.cc").write_text("intake::cri::CriIntake\n")
        assert any("more than 4" in problem for problem in problems(root))
    print("places that nobody named are found")


if __name__ == "__main__":
    if sys.argv[1] == "--canary":
        canary()
    elif wrong := problems(pathlib.Path(sys.argv[1])):
        sys.exit("\n".join(wrong))
    else:
        print("what is added is known of where the pages say")
