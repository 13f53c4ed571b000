"""How curves are drawn, so that colour-blind readers and prints can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Look:
    """Colour, marker and line all differ from those of the other curves."""

    colour: str
    marker: str
    style: Any
    """As matplotlib names line styles."""
    label: str

    def line(self) -> dict[str, Any]:
        """Return what matplotlib's plot takes."""
        return {
            'color': self.colour,
            'marker': self.marker,
            'linestyle': self.style,
            'label': self.label,
            'linewidth': 1.8,
            'markersize': 6,
        }


def save_figure(figure: Figure, path: Path) -> None:
    """Write `path`.png and `path`.svg, the same bytes for the same figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path.with_suffix('.png'), metadata={'Software': None})
    with mpl.rc_context({'svg.hashsalt': 'lazy_vos_ros', 'svg.fonttype': 'none'}):
        figure.savefig(path.with_suffix('.svg'), metadata={'Date': None, 'Creator': None})
