"""Doors of the nodes: images, clicks, masks, answers, questions, stamps, words of browsers."""

import json
from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Duration
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from lazy_vos_msgs.msg import Click as ClickMessage
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import RequestCorrection
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from benchmarks.fuzz_door import Door
from benchmarks.fuzz_inputs import ENCODINGS
from benchmarks.fuzz_inputs import files
from benchmarks.fuzz_inputs import signed
from benchmarks.fuzz_inputs import trees
from benchmarks.fuzz_inputs import unsigned
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas import button_at
from lazy_vos_ros.nodes.encodings import encoding_of
from lazy_vos_ros.nodes.frame_buffer import FrameBuffer
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.messages import answer_from
from lazy_vos_ros.nodes.messages import response_from
from lazy_vos_ros.nodes.question_service import question_from
from lazy_vos_ros.nodes.stamp_watch import StampWatch
from lazy_vos_ros.nodes.stream_clock import StreamClock
from lazy_vos_ros.nodes.tracker_services import prompt_of
from lazy_vos_ros.nodes.web.messages import FIELDS
from lazy_vos_ros.nodes.web.messages import parse
from lazy_vos_ros.nodes.web.origins import Origins

_SIDES = st.one_of(st.sampled_from((4, 6)), st.sampled_from((4, 6)), st.integers(0, 12))


def message_doors() -> list[Door]:
    """Return the doors of messages, services and browsers."""
    return [
        Door('image messages', images(), rgb_from, share=120),
        Door('compressed image messages', compressed(), rgb_from, share=60),
        Door('stamps of images', st.lists(stamps(), max_size=8), _pass_stamps, share=60),
        Door('service add_object', added(), prompt_of, share=60),
        Door('answers of operators', answers(), _answer, share=30),
        Door('questions to the operator', questions(), _question, share=60),
        Door('clicks on the canvas', points(), _click_canvas, share=30),
        Door('messages of browsers', browser_words(), parse, share=60),
        Door('Host and Origin headers', st.tuples(hosts(), hosts()), _believe, share=30),
    ]


@st.composite
def images(
    draw: Any, encodings: tuple[str, ...] = ENCODINGS, sides: SearchStrategy[int] = _SIDES
) -> Image:
    """Draw an image message, whole or not, of any encoding, size and step."""
    name = draw(
        st.one_of(st.sampled_from(encodings), st.sampled_from(encodings), st.text(max_size=9))
    )
    try:
        pixel = min(encoding_of(name).pixel_bytes, 64)
    except ValueError:
        pixel = 3
    width, height = draw(sides), draw(sides)
    step = width * pixel + draw(st.sampled_from((0, 0, 0, 1, 5)))
    message = Image(encoding=name, header=draw(headers()))
    message.is_bigendian = draw(st.integers(0, 255))
    size = step * height + draw(st.sampled_from((0, 0, 0, 0, 7, -1)))
    message.data.frombytes(draw(st.binary(min_size=1, max_size=16)) * max(0, size))
    del message.data[max(0, size) :]
    odd = draw(st.sampled_from((*[''] * 9, 'width', 'height', 'step')))
    values = {'width': width, 'height': height, 'step': step}
    if odd:
        values[odd] = draw(unsigned(32))
    message.width, message.height, message.step = values.values()
    return message


def headers() -> SearchStrategy[Header]:
    """Return headers with any stamp."""
    return st.builds(
        lambda stamp, name: Header(stamp=stamp, frame_id=name), stamps(), st.just('lens')
    )


def stamps() -> SearchStrategy[Time]:
    """Return stamps; zero, negative and extreme ones often."""
    return st.builds(lambda s, n: Time(sec=s, nanosec=n), signed(32), unsigned(32))


def compressed() -> SearchStrategy[CompressedImage]:
    """Return compressed images made of changed JPEG, PNG and other files."""
    picture = np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8)
    originals = [
        cv2.imencode(suffix, picture)[1].tobytes() for suffix in ('.jpg', '.png', '.bmp', '.tiff')
    ]
    originals.append(cv2.imencode('.png', picture[..., 0].astype(np.uint16) * 257)[1].tobytes())

    def message(name: str, data: bytes) -> CompressedImage:
        made = CompressedImage(format=name)
        made.data.frombytes(data)
        return made

    return st.builds(message, st.sampled_from(('jpeg', 'png', '')), files(*originals))


def clicks() -> SearchStrategy[list[ClickMessage]]:
    """Return clicks anywhere, on numbers or not."""
    one = st.builds(
        lambda x, y, positive: ClickMessage(x=x, y=y, positive=positive),
        coordinates(),
        coordinates(),
        st.booleans(),
    )
    return st.lists(one, max_size=4)


def coordinates() -> SearchStrategy[float]:
    """Return coordinates inside of small images, beside them, and those that are none."""
    return st.one_of(st.floats(-3.0, 15.0), st.floats(width=32))


def added() -> SearchStrategy[AddObject.Request]:
    """Return requests of a new object by clicks, by a mask, by both or none."""
    masks = images((*ENCODINGS, *['mono8'] * 20))
    return st.builds(
        lambda header, points, mask, label: AddObject.Request(
            header=header, clicks=points, mask=mask, label=label
        ),
        headers(),
        clicks(),
        st.one_of(st.just(Image()), masks),
        st.text(max_size=8),
    )


def answers() -> SearchStrategy[tuple[int, list[ClickMessage]]]:
    """Return codes of answers with clicks that may not belong to them."""
    return st.tuples(unsigned(8), clicks())


def questions() -> SearchStrategy[RequestCorrection.Request]:
    """Return questions whose three images need not fit."""

    def request(fields: dict[str, Any]) -> RequestCorrection.Request:
        return RequestCorrection.Request(**fields)

    same = st.just(4)
    fields = {
        'header': headers(),
        'tracker': st.text(max_size=8),
        'request_id': st.text(max_size=8),
        'object_id': unsigned(32),
        'uncertainty': st.floats(width=32),
        'derivative': st.floats(width=32),
        'asked': stamps(),
        'timeout': st.builds(lambda s, n: Duration(sec=s, nanosec=n), signed(32), unsigned(32)),
        'image': images(('rgb8', 'bgr8'), same),
        'mask': images(('mono8',), same),
        'entropy': images(('32FC1',), same),
    }
    return st.builds(request, st.fixed_dictionaries(fields))


def points() -> SearchStrategy[tuple[int, int, Point]]:
    """Return the size of a picture and a point on the plane on which it is shown."""
    size = st.integers(1, 4096)
    metres = st.one_of(st.floats(-4.0, 4.0), st.floats())
    return st.tuples(size, size, st.builds(lambda x, y: Point(x=x, y=y), metres, metres))


def browser_words() -> SearchStrategy[str]:
    """Return texts of browsers: JSON with right and wrong fields, and other text."""
    odd = st.one_of(
        trees(), st.integers(0, 70000), st.text(max_size=4), st.sampled_from(('7', '0' * 30))
    )

    @st.composite
    def near(draw: Any) -> str:
        kind = draw(st.sampled_from(sorted(FIELDS)))
        fields = {name: draw(odd) for name in FIELDS[kind]}
        if draw(st.booleans()):
            fields[draw(st.text(max_size=5))] = draw(odd)
        return json.dumps({'type': kind, **fields})

    deep = st.builds(lambda n: '[' * n + ']' * n, st.integers(0, 2000))
    return st.one_of(near(), near(), trees().map(json.dumps), st.text(max_size=40), deep)


def hosts() -> SearchStrategy[str]:
    """Return what headers may name."""
    known = (
        'localhost',
        '127.0.0.1:8910',
        '[::1]',
        'http://localhost',
        'https://10.0.0.1:1',
        'null',
    )
    return st.one_of(
        st.text(max_size=40), st.sampled_from(known), st.from_regex(r'https?://[^ ]{0,30}')
    )


def _pass_stamps(times: list[Time]) -> None:
    clock, watch, buffer = StreamClock(), StampWatch(), FrameBuffer(4, 1)
    for time in times:
        clock.stamp(clock.seconds(time))
        watch.note(time)
        watch.look()
        buffer.add(Image(header=Header(stamp=time)))
        buffer.find(time)


def _answer(given: tuple[int, list[ClickMessage]]) -> None:
    response_from(answer_from(*given))


def _question(request: RequestCorrection.Request) -> None:
    question_from(request, 'tracker', 0.0)


def _click_canvas(given: tuple[int, int, Point]) -> None:
    width, height, point = given
    button_at(point.x, point.y, 4)
    Canvas(width, height).click(point.x, point.y, positive=True)


def _believe(given: tuple[str, str]) -> None:
    origins = Origins(frozenset({'robot'}), loopback=False)
    origins.host_allowed(given[0])
    origins.same(*given)
