"""A click of a person, or of the tracker itself."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Click:
    """A point of the image with its meaning.

    `x` counts columns to the right and `y` rows downwards, in pixels of the original frame; the
    centre of the top-left pixel is (0, 0).
    """

    x: float
    y: float
    positive: bool = True
    """True: the object is here. False: the object is not here."""

    def __post_init__(self) -> None:
        """Refuse coordinates that are not finite."""
        if not (isfinite(self.x) and isfinite(self.y)):
            raise ValueError(f'click is at ({self.x}, {self.y}); allowed: finite coordinates')

    @property
    def pixel(self) -> tuple[int, int]:
        """Row and column of the pixel that it hits."""
        return int(self.y + 0.5), int(self.x + 0.5)

    def check_inside(self, height: int, width: int) -> None:
        """Raise ValueError if it lies outside an image of this size."""
        row, column = self.pixel
        inside = self.x >= -0.5 and self.y >= -0.5 and row < height and column < width
        if not inside:
            raise ValueError(
                f'click is at ({self.x:g}, {self.y:g}); allowed: inside the image, '
                f'x in [0, {width - 1}], y in [0, {height - 1}]'
            )
