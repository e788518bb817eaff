"""A dashboard as a drawing: the grid with titles and the kind of each panel, for the documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from laporhub.dashboards.access import audiences
from laporhub.dashboards.catalog import dashboards
from laporhub.dashboards.describe import (
    Bars,
    Dashboard,
    Donut,
    Heat,
    Lines,
    Listing,
    Metric,
    Note,
    Over,
    Panel,
    PointsMap,
    Table,
)
from laporhub.dashboards.grid import GRID_WIDTH, Box, layout
from laporhub.dashboards.labels import field_label
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say

COLUMN: Final = 18
"""Pixels of a grid column,"""
LINE: Final = 11
"""and of a grid row."""
HEAD: Final = 78
GAP: Final = 3
LETTER: Final = 6.0
"""Pixels of a letter, roughly."""
STYLE: Final = (
    ":root{--paper:#fff;--box:#f4f6f8;--edge:#c3ccd6;--ink:#1d2a38;--soft:#5b6b7c;--mark:#7ea6d0}"
    "@media (prefers-color-scheme: dark){:root{--paper:#12181f;--box:#1c2530;--edge:#3a4858;--ink:#e6edf4;"
    "--soft:#9db0c3;--mark:#5c88b8}}"
    "text{font:11px system-ui,sans-serif;fill:var(--ink)}.big{font-size:20px;fill:var(--mark)}"
    ".head{font-size:15px;font-weight:600}.soft{fill:var(--soft)}.box{fill:var(--box);stroke:var(--edge)}"
    ".mark{fill:var(--mark)}.line{fill:none;stroke:var(--mark);stroke-width:2}"
)


def sketch(page: Dashboard, language: str = "id") -> str:
    """The SVG. It needs nothing from outside, and says in words what it shows."""
    placed = layout(page)
    height = HEAD + LINE * max(box.y + box.h for _, box in placed)
    width = GRID_WIDTH * COLUMN
    title, answers = say(page.title, language), say(page.answers, language)
    shown = "; ".join(say(panel.title, language) for panel, _ in placed)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(f'{answers} {shown}.')}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="var(--paper)"/>',
        f'<text class="head" x="8" y="22">{escape(title)}</text>',
        f'<text class="soft" x="8" y="40">{escape(answers)}</text>',
        *_controls(page, language),
    ]
    for panel, box in placed:
        parts += _panel(panel, box, language)
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawings(rulebook: Rulebook, language: str = "id") -> dict[str, str]:
    """File name → SVG of every dashboard; of the queues only the first, for they are alike."""
    pages = [page for audience in audiences(rulebook) for page in dashboards(rulebook, audience)]
    found: dict[str, str] = {}
    for page in pages:
        name = "queue" if page.name.startswith("queue-") else page.name
        found.setdefault(f"dashboard-{name}.svg", sketch(page, language))
    return found


def _controls(page: Dashboard, language: str) -> Iterator[str]:
    left = 8
    for control in page.controls:
        label = f"{field_label(control.field, language)} ▾"
        width = round(len(label) * LETTER) + 16
        yield f'<rect class="box" x="{left}" y="49" width="{width}" height="22" rx="4"/>'
        yield f'<text class="soft" x="{left + 8}" y="64">{escape(label)}</text>'
        left += width + 8


def _panel(panel: Panel, box: Box, language: str) -> Iterator[str]:
    x, y = box.x * COLUMN + GAP, HEAD + box.y * LINE + GAP
    w, h = box.w * COLUMN - 2 * GAP, box.h * LINE - 2 * GAP
    yield f'<rect class="box" x="{x}" y="{y}" width="{w}" height="{h}" rx="4"/>'
    text = say(panel.text if isinstance(panel, Note) else panel.title, language)
    room = int((w - 14) / LETTER)
    shown = text if len(text) <= room else text[: room - 1].rstrip() + "…"
    yield f'<text x="{x + 8}" y="{y + 17}">{escape(shown)}</text>'
    yield from _glyph(panel, x + 10, y + 26, w - 20, h - 36)


def _glyph(panel: Panel, x: int, y: int, w: int, h: int) -> Iterator[str]:
    """What kind of picture it is, in a few strokes."""
    match panel:
        case Metric():
            yield f'<text class="big" x="{x}" y="{y + 16}">123</text>'
        case Bars(by=Over()):
            for i, share in enumerate((0.4, 0.7, 0.5, 0.9, 0.6, 0.8, 0.3, 0.6)):
                left, tall = x + i * w // 8, round(h * share)
                yield _mark(left, y + h - tall, w // 8 - 4, tall)
        case Bars():
            count = max(3, h // 18)
            for i in range(count):
                yield _mark(x, y + i * h // count, round(w * 0.9 / (1 + i * 0.45)), h // count - 5)
        case Lines():
            for level in (0.3, 0.6):
                tops = [y + h * (level + 0.12 * ((i * 5) % 3 - 1)) for i in range(7)]
                points = " ".join(f"{x + i * w // 6},{top:.0f}" for i, top in enumerate(tops))
                yield f'<polyline class="line" points="{points}"/>'
        case Donut():
            radius = min(w, h) // 2 - 8
            yield (
                f'<circle cx="{x + w // 2}" cy="{y + h // 2}" r="{radius}" fill="none" stroke="var(--mark)"'
                f' stroke-width="14" stroke-dasharray="{radius * 2} 5 {radius} 5"/>'
            )
        case Heat():
            for i in range(6):
                for j in range(5):
                    shade = 0.15 + 0.8 * ((i * 3 + j * 5) % 7) / 7
                    yield _mark(x + i * w // 6, y + j * h // 5, w // 6 - 3, h // 5 - 3, shade)
        case PointsMap():
            for i in range(14):
                cx, cy = x + (i * 61) % max(w, 1), y + (i * 37) % max(h, 1)
                yield f'<circle class="mark" cx="{cx}" cy="{cy}" r="{4 + i % 4 * 2}" opacity="0.7"/>'
        case Table() | Listing():
            for i in range(h // 16):
                for column in range(5):
                    yield _mark(x + column * w // 5, y + i * 16, w // 5 - 24, 5, 0.9 if i == 0 else 0.4)
        case Note():
            pass


def _mark(x: int, y: int, w: int, h: int, opacity: float = 0.8) -> str:
    return f'<rect class="mark" x="{x}" y="{y}" width="{max(w, 1)}" height="{max(h, 1)}" opacity="{opacity:.2f}"/>'


if __name__ == "__main__":  # PROFILE FOLDER
    for file, drawing in drawings(load(sys.argv[1])).items():
        (Path(sys.argv[2]) / file).write_text(drawing, encoding="utf-8")
