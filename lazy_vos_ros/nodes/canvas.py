"""The plane on which RViz shows the frozen image, and what a click on it means.

The canvas lies in the x-y plane of its own frame, so that stock tools can show it and click on it:
its top-left corner is the origin, x points to the right, y upwards, and it is always 6.4 m wide.
"""

from dataclasses import dataclass

from lazy_vos_ros.engine.clicks import Click

FRAME_ID = 'lazy_vos_canvas'
WIDTH = 6.4
"""Width in metres; the set-up of RViz fits it."""


@dataclass(frozen=True)
class Canvas:
    """The canvas of an image of `width` x `height` pixels."""

    width: int
    height: int

    @property
    def pitch(self) -> float:
        """Metres from one pixel to the next."""
        return WIDTH / self.width

    @property
    def height_m(self) -> float:
        """Height in metres."""
        return self.height * self.pitch

    def click(self, x: float, y: float, *, positive: bool) -> Click:
        """Return the click at a point in metres.

        Raises
        ------
        ValueError
            If the point is beside the canvas.
        """
        click = Click(x / self.pitch - 0.5, -y / self.pitch - 0.5, positive)
        click.check_inside(self.height, self.width)
        return click

    def point(self, click: Click) -> tuple[float, float]:
        """Return x and y in metres of a click."""
        return (click.x + 0.5) * self.pitch, -(click.y + 0.5) * self.pitch
