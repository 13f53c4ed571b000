"""The plane on which RViz shows an image with buttons below it, and what a click on it means.

The canvas lies in the x-y plane of its own frame, so that stock tools can show it and click on it:
its centre is the origin, x points to the right, y upwards. Whatever the size of the image, it fits
into 6.4 m x 3.6 m, and the row of buttons below is 6.4 m wide.
"""

from dataclasses import dataclass

from lazy_vos_ros.engine.clicks import Click

FRAME_ID = 'lazy_vos_canvas'
WIDTH = 6.4
"""Greatest width in metres; the set-up of RViz fits it."""

HEIGHT = 3.6
"""Greatest height in metres."""

GAP = 0.06
"""Metres between the image and the buttons."""

BUTTON_HEIGHT = 0.3
"""Metres."""


@dataclass(frozen=True)
class Canvas:
    """The canvas of an image of `width` x `height` pixels."""

    width: int
    height: int

    @property
    def pitch(self) -> float:
        """Metres from one pixel to the next."""
        return min(WIDTH / self.width, HEIGHT / self.height)

    @property
    def left(self) -> float:
        """The smallest x in metres."""
        return -self.width * self.pitch / 2

    @property
    def top(self) -> float:
        """The greatest y in metres."""
        return self.height * self.pitch / 2

    def click(self, x: float, y: float, *, positive: bool) -> Click:
        """Return the click at a point in metres.

        Raises
        ------
        ValueError
            If the point is beside the canvas.
        """
        column = (x - self.left) / self.pitch - 0.5
        row = (self.top - y) / self.pitch - 0.5
        click = Click(column, row, positive)
        click.check_inside(self.height, self.width)
        return click

    def point(self, click: Click) -> tuple[float, float]:
        """Return x and y in metres of a click."""
        return self.left + (click.x + 0.5) * self.pitch, self.top - (click.y + 0.5) * self.pitch


def button_at(x: float, y: float, count: int) -> int | None:
    """Return which of the buttons, from 0 at the left, a point in metres hits; None for none."""
    top = -HEIGHT / 2 - GAP
    if not (top - BUTTON_HEIGHT <= y <= top and -WIDTH / 2 <= x < WIDTH / 2):
        return None
    return int((x + WIDTH / 2) / WIDTH * count)
