#!/usr/bin/python3
"""voyage.py TEXT [SVG]: draws the voyage of a line from its text, to SVG or standard output."""
import html
import pathlib
import sys

BOX_WIDTH, BOX_HEIGHT, GAP = 232, 46, 22
BAND_PADDING, BAND_TITLE = 14, 22
COLUMNS = 3
SEALED, CLEAR = "#dfeee3", "#f4efe4"


def parse(text):
    """[(place, [(name, what)])] in the order of the text."""
    places = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            places.append((line.strip("[]"), []))
            continue
        name, bar, what = (part.strip() for part in line.partition("|"))
        if not bar or not places:
            sys.exit(f"voyage.py: line {number} is neither [a place] nor NAME | WHAT")
        places[-1][1].append((name, what))
    return places


def label(x, y, text, size, weight="normal", colour="#222", anchor="start"):
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}">'
        f"{html.escape(text)}</text>"
    )


def draw(places):
    width = 2 * BAND_PADDING + COLUMNS * BOX_WIDTH + (COLUMNS - 1) * GAP
    parts, y, last = [], 10, None
    for place, steps in places:
        rows = -(-len(steps) // COLUMNS)
        height = BAND_TITLE + rows * (BOX_HEIGHT + GAP) - GAP + 2 * BAND_PADDING
        fill = SEALED if "sealed" in place or "key" in place else CLEAR
        parts.append(f'<rect x="4" y="{y}" width="{width - 8}" height="{height}" rx="8" fill="{fill}"/>')
        parts.append(label(width - 4 - BAND_PADDING, y + 20, place, 13, "bold", "#555", "end"))
        for index, (name, what) in enumerate(steps):
            row, column = divmod(index, COLUMNS)
            left = BAND_PADDING + column * (BOX_WIDTH + GAP)
            top = y + BAND_TITLE + BAND_PADDING + row * (BOX_HEIGHT + GAP)
            parts.append(
                f'<rect x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="#fff" '
                'stroke="#888"/>'
            )
            parts.append(label(left + 10, top + 19, name, 14, "bold"))
            parts.append(label(left + 10, top + 37, what, 12, colour="#444"))
            if last:
                parts.append(arrow(last, (left, top)))
            last = (left, top)
        y += height + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" '
        'font-family="sans-serif" role="img" aria-label="The voyage of a line">'
    )
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#555"/></marker></defs>'
    )
    return "\n".join([head, marker, f'<rect width="{width}" height="{y}" fill="#fff"/>', *parts, "</svg>", ""])


def arrow(start, end):
    """From one box to the next: to the right, or down and to the left into the next row."""
    if start[1] == end[1]:
        path = f"M{start[0] + BOX_WIDTH} {start[1] + BOX_HEIGHT / 2:g} H{end[0] - 2}"
    else:
        middle = end[1] - GAP / 2
        path = (
            f"M{start[0] + BOX_WIDTH / 2:g} {start[1] + BOX_HEIGHT} V{middle:g} "
            f"H{end[0] + BOX_WIDTH / 2:g} V{end[1] - 2}"
        )
    return f'<path d="{path}" fill="none" stroke="#555" stroke-width="1.5" marker-end="url(#tip)"/>'


def main():
    svg = draw(parse(pathlib.Path(sys.argv[1]).read_text()))
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(svg)
    else:
        sys.stdout.write(svg)


if __name__ == "__main__":
    main()
