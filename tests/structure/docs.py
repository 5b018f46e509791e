#!/usr/bin/python3
"""docs.py REPOSITORY: the documents hold together.

  - every relative link of a Markdown file leads to a file, and its #fragment to a heading there
  - every decision is in the index of docs/decisions, and numbers are not used twice
  - `./dev WORD` in a document is a command that ./dev knows
  - a word of the glossary is used somewhere else in the documents or headers
docs.py --canary: shows on small trees that each kind of mistake is found.
"""
import pathlib
import re
import sys
import tempfile

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
DEV_WORD = re.compile(r"\./dev ([a-z]+)")
TERM = re.compile(r"^\| \*\*([^*]+)\*\*", re.MULTILINE)
FIRST_SCREEN_LINES = 20
ELSEWHERE = ("http://", "https://", "mailto:")


def documents(root):
    # Build trees and node_modules may hold other people's Markdown.
    return sorted(
        path for path in root.rglob("*.md") if not {"build", "node_modules", ".git"} & set(path.relative_to(root).parts)
    )


def slug(heading):
    """The fragment that a heading gets: as GitHub and its like make it."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def check_links(root, problems):
    for path in documents(root):
        text = path.read_text()
        for link in LINK.findall(CODE.sub("", FENCE.sub("", text))):
            if link.startswith(ELSEWHERE):
                continue
            where, _, fragment = link.partition("#")
            target = (path.parent / where).resolve() if where else path
            name = path.relative_to(root)
            if not target.exists():
                problems.append(f"{name}: the link '{link}' leads nowhere")
            elif (
                fragment
                and target.suffix == ".md"
                and fragment not in map(slug, HEADING.findall(FENCE.sub("", target.read_text())))
            ):
                problems.append(f"{name}: '{link}': {target.name} has no such heading")


def check_decisions(root, problems):
    folder = root / "docs/decisions"
    index = (folder / "README.md").read_text() if (folder / "README.md").exists() else ""
    seen = {}
    for path in sorted(folder.glob("[0-9]*.md")):
        if f"({path.name})" not in index:
            problems.append(f"docs/decisions/{path.name} is not in docs/decisions/README.md")
        number = path.name.split("-")[0]
        if number in seen:
            problems.append(f"docs/decisions/{path.name} has the number of {seen[number]}")
        seen[number] = path.name


def check_commands(root, problems):
    usage = (root / "dev").read_text()
    known = set(re.findall(r"^  ([a-z]+)\b", usage, re.MULTILINE)) | {"help"}
    for path in documents(root):
        for word in sorted(set(DEV_WORD.findall(path.read_text())) - known):
            problems.append(f"{path.relative_to(root)}: './dev {word}' is not a command of ./dev")


def check_glossary(root, problems):
    glossary = root / "docs/glossary.md"
    if not glossary.exists():
        return
    elsewhere = "\n".join(
        path.read_text(errors="replace").lower()
        for path in [*documents(root), *sorted((root / "src").rglob("*.h"))]
        if path != glossary
    )
    for term in TERM.findall(glossary.read_text()):
        if not any(word.strip() in elsewhere for word in term.lower().split("/")):
            problems.append(f"docs/glossary.md: nobody says '{term}'")


def linked_from(path):
    """The pages that a page links to."""
    links = (link.partition("#")[0] for link in LINK.findall(CODE.sub("", FENCE.sub("", path.read_text()))))
    return {(path.parent / link).resolve() for link in links if link.endswith(".md") and not link.startswith(ELSEWHERE)}


def check_ways_in(root, problems):
    """An operator's first page is on README's first screen, and from README each operator's page can be reached."""
    readme = root / "README.md"
    if "(docs/start.md)" not in "\n".join(readme.read_text().splitlines()[:FIRST_SCREEN_LINES]):
        problems.append("README.md: its first screen does not lead to docs/start.md")
    seen, todo = {readme}, [readme]
    while todo:
        for page in linked_from(todo.pop()) - seen:
            seen.add(page)
            if page.exists():
                todo.append(page)
    for page in sorted((root / "docs/operate").glob("*.md")):
        if page not in seen:
            problems.append(f"{page.relative_to(root)}: no page leads here")


def check(root):
    problems = []
    for part in (check_links, check_decisions, check_commands, check_glossary, check_ways_in):
        part(root, problems)
    return problems


def canary():
    """Trees with one mistake each, and the words that the complaint must hold."""
    good = {
        "dev": "  build   builds\n",
        "README.md": "[s](docs/start.md)\n[a](docs/a.md#b-c) [w](https://example.org/x) `./dev build`\n",
        "docs/start.md": "[o](operate/o.md)\n",
        "docs/operate/o.md": "[p](p.md)\n",
        "docs/operate/p.md": "\n",
        "docs/a.md": "# A\n## B: `c`\nsegment\n```\n[x](nowhere)\n```\n",
        "docs/glossary.md": "| **segment** | x |\n",
        "docs/decisions/README.md": "[1](0001-x.md)\n",
        "docs/decisions/0001-x.md": "# X\n",
    }
    mistakes = [
        ({}, None),
        ({"README.md": "[a](docs/b.md)"}, "leads nowhere"),
        ({"README.md": "[a](docs/a.md#d)"}, "no such heading"),
        ({"README.md": "`./dev fly`"}, "'./dev fly' is not a command"),
        ({"docs/decisions/0002-y.md": ""}, "0002-y.md is not in"),
        ({"docs/decisions/0001-y.md": ""}, "has the number of"),
        ({"README.md": "\n" * 30 + "[s](docs/start.md)"}, "first screen does not lead"),
        ({"docs/operate/lost.md": "alone"}, "lost.md: no page leads here"),
        ({"docs/glossary.md": "| **spool** | x |\n"}, "nobody says 'spool'"),
    ]
    for change, wanted in mistakes:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**good, **change}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            problems = check(pathlib.Path(folder).resolve())
        if wanted is None and problems:
            return f"complains about a good tree: {problems}"
        if wanted is not None and not any(wanted in problem for problem in problems):
            return f"did not see {change}: wanted '{wanted}', got {problems}"
    print(f"{len(mistakes) - 1} kinds of mistake are found")
    return None


def main():
    if sys.argv[1] == "--canary":
        sys.exit(canary())
    problems = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(problems) or "links, decisions, commands and words hold together")
    sys.exit(1 if problems else 0)


main()
