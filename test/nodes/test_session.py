"""The first object, which the first images may not show, and clicks on images out of turn."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from small_tracker import DiscRefiner
from std_msgs.msg import Header

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.frame_buffer import FrameBuffer
from lazy_vos_ros.nodes.session import Session
from lazy_vos_ros.nodes.stream_clock import StreamClock

HEIGHT, WIDTH = 48, 64
CLICK = Click(30.0, 20.0)


class LightRefiner(DiscRefiner):
    """Finds nothing in an image that is dark."""

    def refine(self, frame, clicks, *, object_id, prior=None):
        refined = super().refine(frame, clicks, object_id=object_id, prior=prior)
        if frame.image.max() < 10:
            refined.mask[:] = False
        return refined


class Begun:
    """A session, the images it is given, and what it publishes."""

    def __init__(self, prompt):
        torch.manual_seed(5)
        network = compact_network(CompactConfig(learnt=8, state=8, coarse=16, middle=8, fine=8))
        self.tracker = LazyTracker(
            XMemBackend(network.eval(), XMemConfig(size=-1)), LightRefiner()
        )
        self.results = []
        outputs = SimpleNamespace(
            publish=lambda result, *_: self.results.append(result),
            publish_last=lambda *_: None,
            publish_now=lambda *_: None,
            question=lambda *_: None,
        )
        desk = SimpleNamespace(keep_only=lambda ids: None, ask=lambda question: None)
        self.buffer = FrameBuffer(5, 1)
        self.session = Session(
            self.tracker, outputs, desk, StreamClock(), self.buffer, lambda: 0, keeper=None
        )
        self.session.begin_with(prompt)

    def see(self, light, size=(HEIGHT, WIDTH)):
        self.session.process(self.keep(light, size))

    def keep(self, light, size=(HEIGHT, WIDTH), second=None):
        """Return an image that waits for its turn."""
        pixels = np.full((*size, 3), light, np.uint8)
        message = Image(
            header=Header(stamp=Time(sec=second or 1 + len(self.results))),
            height=size[0],
            width=size[1],
            encoding='rgb8',
            step=3 * size[1],
            data=pixels.tobytes(),
        )
        self.buffer.add(message)
        return message

    def seconds(self):
        """Return the stamps that were tracked, the first as 1."""
        return [1 + result.stamp for result in self.results]

    @property
    def told(self):
        return self.session.state.first_refused

    def kinds(self):
        return [event.kind for result in self.results for event in result.events]


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_first_object_is_added_on_the_first_image_that_shows_it():
    begun = Begun(Prompt(clicks=(CLICK,), label='cup'))
    for _ in range(3):
        begun.see(light=0)
        assert begun.told == 'discs gave an empty mask'
    # Every image was tracked through, and the refusal told once.
    assert [len(result.objects) for result in begun.results] == [0, 0, 0]
    assert begun.kinds() == [EventKind.REFUSED]
    begun.see(light=200)
    begun.see(light=200)
    assert begun.told == ''
    assert begun.tracker.object_ids == (1,)
    assert begun.kinds() == [EventKind.REFUSED, EventKind.ADDED]
    assert begun.results[-1].objects[0].label == 'cup'


def test_a_click_outside_is_told_and_taken_once_the_images_are_large_enough():
    begun = Begun(Prompt(clicks=(Click(80.0, 20.0),)))
    begun.see(light=200)
    assert 'click is at (80, 20); allowed: inside' in begun.told
    assert len(begun.results) == 1
    # Nobody else has to wait for it.
    begun.session.add(Header(), Prompt(clicks=(CLICK,), label='other'))
    begun.see(light=200)
    assert begun.tracker.object_ids == (1,)
    assert begun.told
    begun.see(light=200, size=(HEIGHT, 96))
    assert begun.tracker.object_ids == (1, 2)
    assert begun.told == ''


def test_an_image_that_cannot_be_read_leaves_the_first_object_wanted():
    begun = Begun(Prompt(clicks=(CLICK,)))
    broken = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
    with pytest.raises(ValueError, match='0 bytes of data'):
        begun.session.process(broken)
    begun.see(light=200)
    assert begun.tracker.object_ids == (1,)


def test_reset_forgets_a_first_object_that_is_still_wanted():
    begun = Begun(Prompt(clicks=(CLICK,)))
    begun.see(light=0)
    begun.session.reset()
    assert begun.told == ''
    begun.see(light=200)
    assert begun.tracker.object_ids == ()


def header_of(second):
    return Header(stamp=Time(sec=second))


@pytest.fixture
def begun():
    """Return a session that has tracked object 1 in the images of seconds 1 and 2."""
    made = Begun(Prompt(clicks=(CLICK,)))
    made.see(light=200)
    made.see(light=200)
    return made


def test_an_image_that_is_corrected_before_its_turn_is_tracked_once(begun):
    waiting = begun.keep(light=200, second=3)
    begun.session.correct(header_of(3), 1, Click(20.0, 20.0))
    begun.session.correct(header_of(2), 1, Click(20.0, 20.0))  # which changes nothing of it
    begun.results.clear()
    begun.session.process(waiting)
    assert begun.results == []
    begun.session.process(begun.keep(light=200, second=4))
    assert begun.seconds() == [4]


def test_an_image_whose_correction_is_not_allowed_is_tracked_once(begun):
    waiting = begun.keep(light=200, second=3)
    with pytest.raises(ValueError, match='allowed'):
        begun.session.correct(header_of(3), 1, Click(20.0, float(HEIGHT)))
    begun.session.process(waiting)
    assert begun.seconds() == [1, 2, 3]


def test_an_image_on_which_no_object_is_found_is_tracked_once(begun):
    waiting = begun.keep(light=0, second=3)
    with pytest.raises(ValueError, match='empty mask'):
        begun.session.add(header_of(3), Prompt(clicks=(CLICK,)))
    begun.session.process(waiting)
    assert begun.seconds() == [1, 2, 3]


def test_an_image_that_was_not_tracked_for_a_click_is_tracked_in_its_turn(begun):
    waiting = begun.keep(light=200, second=3)
    with pytest.raises(ValueError, match='inside the image'):
        begun.session.add(header_of(3), Prompt(clicks=(Click(20.0, float(HEIGHT)),)))
    with pytest.raises(ValueError, match='object 9 is not tracked'):
        begun.session.correct(header_of(3), 9, CLICK)
    begun.session.process(waiting)
    assert begun.seconds() == [1, 2, 3]


def test_clicks_on_earlier_images_take_no_time_of_a_question(begun):
    begun.session.configure(LazyConfig(trigger='level', tau_u=0.0, tau_p=0.0, question_timeout=9))
    begun.see(light=200)
    (request,) = begun.tracker.open_requests
    begun.see(light=200)
    for earlier in (1, 2, 1):
        begun.session.correct(header_of(earlier), 1, CLICK)
    begun.session.add(header_of(2), Prompt(clicks=(Click(50.0, 30.0),)))
    assert begun.seconds()[4::2] == [1, 2, 1, 2]
    (after,) = (
        item for item in begun.tracker.open_requests if item.request_id == request.request_id
    )
    assert (after.expires, request.expires) == (11.0, 11.0)


def test_the_time_of_a_click_is_that_of_the_newest_image(begun):
    begun.keep(light=200, second=7)
    event = begun.session.correct(header_of(1), 1, CLICK)
    assert (event.stamp, event.applied_stamp) == (0.0, 6.0)


def test_timers_move_along_when_a_recording_starts_again(begun):
    begun.session.configure(LazyConfig(trigger='level', tau_u=0.0, tau_p=0.0, question_timeout=9))
    begun.session.process(begun.keep(light=200, second=100))
    assert begun.tracker.open_requests[0].expires == 108.0
    begun.session.process(begun.keep(light=200, second=1))
    assert begun.tracker.open_requests[0].expires == 9.0
    begun.session.correct(header_of(100), 1, CLICK)
    assert begun.tracker.open_requests[0].expires == 9.0
