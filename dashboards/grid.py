"""Where panels stand: Kibana's grid is 48 columns wide and as long as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from laporhub.dashboards.describe import Dashboard, Panel

GRID_WIDTH: Final = 48
"""Columns of Kibana's grid."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the grid."""

    x: int
    y: int
    w: int
    h: int


def layout(dashboard: Dashboard) -> tuple[tuple[Panel, Box], ...]:
    """Each panel with its place: rows below each other, no gaps, no overlaps. Raises `ValueError`."""
    placed: list[tuple[Panel, Box]] = []
    top = 0
    for row in dashboard.rows:
        widths = row.widths or _equal(len(row.panels))
        if len(widths) != len(row.panels) or sum(widths) > GRID_WIDTH:
            raise ValueError(f"dashboard {dashboard.name}: row at {top} has widths {widths}")
        left = 0
        for panel, width in zip(row.panels, widths, strict=True):
            placed.append((panel, Box(left, top, width, row.height)))
            left += width
        top += row.height
    return tuple(placed)


def _equal(count: int) -> tuple[int, ...]:
    width, rest = divmod(GRID_WIDTH, count)
    return tuple(width + (1 if i < rest else 0) for i in range(count))


def panels(dashboard: Dashboard) -> tuple[Panel, ...]:
    """All panels in reading order."""
    return tuple(panel for row in dashboard.rows for panel in row.panels)
