"""Clicks of every tool on a grid of points, over DDS, through a real operator node."""

from benchmarks.click_error import table


def test_clicks_arrive_within_a_pixel_whichever_tool_sends_them(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    found = {name: errors for name, _, errors in table((1280, 720), 4, 3)}
    assert {name.split(',')[0] for name in found} == {
        'RViz',
        "Foxglove's 3D panel",
        'rqt_image_view',
    }
    for name, errors in found.items():
        assert errors.shape == (12, 2)
        assert abs(errors).max() <= 1.0, name
    # At the size at which the tools show an image as it is, nothing is lost at all.
    for name in ('RViz, here', 'RViz, not here', 'rqt_image_view, 1:1'):
        assert abs(found[name]).max() < 0.01, name
