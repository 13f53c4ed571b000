import cv2
import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas_markers import MOST_PIXELS
from lazy_vos_ros.nodes.canvas_markers import cleared_markers
from lazy_vos_ros.nodes.canvas_markers import question_markers


@pytest.mark.parametrize(('x', 'y'), [(-0.01, -1.0), (1.0, 0.01), (6.41, -1.0), (1.0, -3.61)])
def test_a_point_beside_the_canvas_is_refused(x, y):
    with pytest.raises(ValueError, match='allowed: inside the image'):
        Canvas(1280, 720).click(x, y, positive=True)


def test_corners_hit_the_corner_pixels():
    canvas = Canvas(1280, 720)
    assert canvas.click(0.001, -0.001, positive=True).pixel == (0, 0)
    assert canvas.click(WIDTH - 0.001, -3.599, positive=True).pixel == (719, 1279)
    assert not canvas.click(1.0, -1.0, positive=False).positive


@pytest.mark.parametrize('size', [(1280, 720), (640, 272), (480, 853), (33, 17)])
def test_point_and_click_are_inverse(size):
    canvas = Canvas(*size)
    for click in (Click(0, 0), Click(size[0] - 1, size[1] - 1), Click(7.25, 3.5)):
        x, y = canvas.point(click)
        back = canvas.click(x, y, positive=True)
        assert (back.x, back.y) == pytest.approx((click.x, click.y))


def test_the_picture_lies_where_clicks_are_read():
    picture = np.zeros((200, 400, 3), np.uint8)
    picture[:100, :200] = 255
    canvas = Canvas(400, 200)
    _, image, text = question_markers(picture, 'Where is the cup?', canvas).markers
    assert text.text == 'Where is the cup?'
    for point, uv in zip(image.points, image.uv_coordinates, strict=True):
        inside = (min(point.x, WIDTH - 1e-6), max(point.y, 1e-6 - canvas.height_m))
        click = canvas.click(*inside, positive=True)
        assert (click.x + 0.5) / 400 == pytest.approx(uv.u, abs=1e-5)
        assert (click.y + 0.5) / 200 == pytest.approx(uv.v, abs=1e-5)
    # RViz shows the side from which the corners run counter-clockwise.
    a, b, c = image.points[:3]
    assert (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0


def test_textures_are_small_jpegs():
    picture = np.full((720, 1280, 3), (200, 30, 30), np.uint8)
    image = question_markers(picture, '', Canvas(1280, 720)).markers[1]
    assert image.texture.format == 'jpg'
    decoded = cv2.imdecode(np.frombuffer(bytes(image.texture.data), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (360, MOST_PIXELS, 3)
    assert np.abs(decoded[..., ::-1].astype(int) - (200, 30, 30)).max() < 8


def test_clearing_comes_before_drawing():
    markers = question_markers(np.zeros((4, 4, 3), np.uint8), '', Canvas(4, 4)).markers
    assert markers[0].action == markers[0].DELETEALL
    assert [marker.action for marker in cleared_markers().markers] == [markers[0].DELETEALL]
