"""RViz's top-down view, drawn from the messages that RViz would get, in the set-up that it loads.

Not RViz itself: it paints what a TopDownOrtho view shows of a cloud of flat squares and of text
markers, and tells which ray belongs to a pixel of the screen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import MarkerArray

SETUP = Path(__file__).resolve().parents[1] / 'config' / 'operator.rviz'
_POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<u4')])

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RvizView:
    """An orthographic view from above."""

    width: int
    """Of the 3D panel in pixels of the screen."""
    height: int
    scale: float
    """Pixels a metre."""
    x: float
    """Metres; what stands in the middle."""
    y: float
    point_size: float
    """Side of a flat square in metres."""

    @classmethod
    def load(cls, width: int = 1380, height: int = 886, setup: Path = SETUP) -> 'RvizView':
        """Return the view of a set-up file, in a panel of this size."""
        manager: dict[str, Any] = yaml.safe_load(setup.read_text())['Visualization Manager']
        view = manager['Views']['Current']
        cloud = next(item for item in manager['Displays'] if 'PointCloud2' in item['Class'])
        return cls(width, height, view['Scale'], view['X'], view['Y'], cloud['Size (m)'])

    def to_screen(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return where points in metres lie, in pixels from the panel's top-left corner."""
        across = (x - self.x) * self.scale + self.width / 2
        return across, self.height / 2 - (y - self.y) * self.scale

    def ray(self, column: float, row: float) -> tuple[float, float]:
        """Return x and y in metres of the ray through a place of the screen, as float32."""
        x = (column - self.width / 2) / self.scale + self.x
        y = (self.height / 2 - row) / self.scale + self.y
        return float(np.float32(x)), float(np.float32(y))

    def draw(self, cloud: PointCloud2, words: MarkerArray | None = None) -> Picture:
        """Return the (height, width, 3) RGB picture of the panel."""
        screen = np.full((self.height, self.width, 3), 48, np.uint8)
        points = np.frombuffer(cloud.data, _POINT)
        half = self.point_size / 2
        left, top = self.to_screen(points['x'] - half, points['y'] + half)
        right, bottom = self.to_screen(points['x'] + half, points['y'] - half)
        colours = np.stack([points['rgb'] >> shift & 255 for shift in (16, 8, 0)], axis=-1)
        first = [np.ceil(np.round(edge - 0.5, 3)).astype(int) for edge in (left, top)]
        last = [np.ceil(np.round(edge - 0.5, 3)).astype(int) for edge in (right, bottom)]
        for down in range(int((last[1] - first[1]).max(initial=0))):
            for across in range(int((last[0] - first[0]).max(initial=0))):
                columns, rows = first[0] + across, first[1] + down
                inside = (columns < last[0]) & (rows < last[1]) & (columns >= 0) & (rows >= 0)
                inside &= (columns < self.width) & (rows < self.height)
                screen[rows[inside], columns[inside]] = colours[inside]
        return screen if words is None else self._write(screen, words)

    def _write(self, screen: Picture, words: MarkerArray) -> Picture:
        picture = Image.fromarray(screen)
        pen = ImageDraw.Draw(picture)
        for marker in words.markers:
            # RViz's scale is the height of a capital letter's line.
            font = ImageFont.load_default(marker.scale.z * self.scale * 0.8)
            place = self.to_screen(marker.pose.position.x, marker.pose.position.y)
            colour = tuple(
                int(255 * part) for part in (marker.color.r, marker.color.g, marker.color.b)
            )
            pen.multiline_text(place, marker.text, colour, font, anchor='mm', align='center')
        return np.asarray(picture)
