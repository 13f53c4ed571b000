"""What an answer would give, asked before it is given."""

import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.questions import UnknownRequestError
from lazy_vos_ros.engine.results import EventKind

CLICK = Click(20, 5)


def _asked(make_world):
    world = make_world({2: {1: 0.6}}, pseudo_corrections=False)
    world.steps(2)
    (request,) = world.tracker.open_requests
    world.steps(5)
    world.refiner.calls.clear()
    return world, request


def test_the_preview_is_the_mask_of_the_answer_and_changes_nothing(make_world):
    world, request = _asked(make_world)
    before = (world.tracker.memory_size(), world.tracker.latest)
    mask = world.tracker.preview(request.request_id, (CLICK,))
    assert (mask.dtype, mask.shape) == (bool, request.mask.shape)
    assert mask[CLICK.pixel]
    assert world.tracker.open_requests == (request,)
    assert (world.tracker.memory_size(), world.tracker.latest) == before
    again = world.tracker.preview(request.request_id, (CLICK,))
    np.testing.assert_array_equal(again, mask)
    # The answer asks the refiner for the same: frame, clicks, object, prior.
    event = world.tracker.answer(request.request_id, (CLICK,))
    assert event.kind is EventKind.ANSWERED
    assert world.step().events == (event,)


def test_what_cannot_be_answered_cannot_be_previewed(make_world):
    world, request = _asked(make_world)
    with pytest.raises(ValueError, match='allowed: inside the image'):
        world.tracker.preview(request.request_id, (Click(48, 5),))
    with pytest.raises(ValueError, match='allowed: a Click'):
        world.tracker.preview(request.request_id, ())
    assert world.tracker.open_requests == (request,)
    world.tracker.answer(request.request_id, CLICK)
    with pytest.raises(UnknownRequestError, match='answered already'):
        world.tracker.preview(request.request_id, (CLICK,))
