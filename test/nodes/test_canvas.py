import numpy as np
import pytest
from std_msgs.msg import Header

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.canvas import BUTTON_HEIGHT
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import GAP
from lazy_vos_ros.nodes.canvas import HEIGHT
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas import button_at
from lazy_vos_ros.nodes.canvas_cloud import CELL
from lazy_vos_ros.nodes.canvas_cloud import canvas_cloud
from lazy_vos_ros.nodes.canvas_markers import LONGEST
from lazy_vos_ros.nodes.canvas_markers import words_above

SIZES = [(1280, 720), (640, 480), (480, 853), (33, 17), (3000, 40)]
BUTTONS = (('skip', True), ('undo', False))


def points_of(cloud):
    kind = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<u4')])
    return np.frombuffer(cloud.data, kind)


@pytest.mark.parametrize(('x', 'y'), [(-3.21, 0.0), (0.0, 1.81), (3.21, 0.0), (0.0, -1.81)])
def test_a_point_beside_the_canvas_is_refused(x, y):
    with pytest.raises(ValueError, match='allowed: inside the image'):
        Canvas(1280, 720).click(x, y, positive=True)


def test_corners_hit_the_corner_pixels():
    canvas = Canvas(1280, 720)
    assert canvas.click(-3.199, 1.799, positive=True).pixel == (0, 0)
    assert canvas.click(3.199, -1.799, positive=True).pixel == (719, 1279)
    assert not canvas.click(0.0, 0.0, positive=False).positive


@pytest.mark.parametrize('size', SIZES)
def test_every_image_fits_the_view_and_clicks_come_back(size):
    canvas = Canvas(*size)
    for click in (Click(0, 0), Click(size[0] - 1, size[1] - 1), Click(7.25, 3.5)):
        x, y = canvas.point(click)
        assert abs(x) <= WIDTH / 2
        assert abs(y) <= HEIGHT / 2
        back = canvas.click(x, y, positive=True)
        assert (back.x, back.y) == pytest.approx((click.x, click.y))


@pytest.mark.parametrize('size', SIZES)
def test_the_picture_lies_where_clicks_are_read(size):
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (250, 10, 0)
    canvas = Canvas(width, height)
    cloud = canvas_cloud(picture, BUTTONS, Header(frame_id='lens'))
    assert cloud.header.frame_id == FRAME_ID
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb']
    assert (cloud.point_step, cloud.row_step, len(cloud.data)) == (16, *[cloud.width * 16] * 2)
    points = points_of(cloud)
    assert np.all(points['z'] == 0)
    above = points[points['y'] > -HEIGHT / 2]
    assert above.size <= round(WIDTH / CELL) * round(HEIGHT / CELL)
    for x, y, _, rgb in above[:: max(1, above.size // 500)].tolist():
        click = canvas.click(x, y, positive=True)
        # Cells near the edge of the patch are mixed of two pixels.
        across, along = click.x + 0.5 - width // 2, click.y + 0.5 - height // 2
        if min(abs(across), abs(along)) * canvas.pitch > max(CELL, canvas.pitch):
            assert rgb == (250 << 16 | 10 << 8 if across < 0 and along < 0 else 0)


def test_cells_are_no_farther_apart_than_the_points_of_rviz_are_large():
    for size in SIZES:
        picture = np.zeros((*size[::-1], 3), np.uint8)
        points = points_of(canvas_cloud(picture, (), Header()))
        above = points[points['y'] > -HEIGHT / 2]
        for axis in ('x', 'y'):
            steps = np.diff(np.unique(above[axis]))
            assert steps.size == 0 or steps.max() <= CELL * 1.02


def test_buttons_are_pressed_where_they_are_drawn():
    middle = -HEIGHT / 2 - GAP - BUTTON_HEIGHT / 2
    for count in (2, 5):
        for number in range(count):
            assert button_at(-WIDTH / 2 + (number + 0.5) * WIDTH / count, middle, count) == number
    for beside in (-HEIGHT / 2 - GAP / 2, middle - BUTTON_HEIGHT, 0.0):
        assert button_at(0.0, beside, 5) is None
    assert button_at(WIDTH / 2, middle, 5) is None
    assert button_at(-WIDTH / 2 - 0.01, middle, 5) is None
    points = points_of(canvas_cloud(np.zeros((9, 16, 3), np.uint8), BUTTONS, Header()))
    strip = points[points['y'] < -HEIGHT / 2]
    # One that does nothing now is darker.
    ready, idle = (strip[np.sign(strip['x']) == side]['rgb'] & 0xFF for side in (-1, 1))
    assert np.median(ready) > np.median(idle) + 50
    assert np.ptp(ready) > 50  # there are words on it


def test_words_stand_above_the_canvas_and_are_cut_to_fit():
    (marker,) = words_above(('Where is the cup?', 'x' * 200)).markers
    first, second = marker.text.split('\n')
    assert first == 'Where is the cup?'
    assert len(second) == LONGEST
    assert marker.header.frame_id == FRAME_ID
    assert marker.pose.position.y > HEIGHT / 2
    assert marker.action == marker.ADD
