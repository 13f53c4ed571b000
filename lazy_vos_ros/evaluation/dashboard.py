"""Draw one frame of the overlay video: the result, its uncertainty, the newest question."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.overlay import draw_overlay
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.evaluation.runs import CLOSINGS
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.video import VideoFile

WIDTH = 960
HEIGHT = 720
"""Largest size of the result; pictures are enlarged to fill one of them, but not much."""
ENLARGEMENT = 3.0
BAR = 36
"""Height of the line of text below."""
TITLE = 24
"""Height of the line above each picture beside the result."""
SHOWN = 3
"""Objects that fit into it."""
HOLD = 1.0
"""Seconds for which something that happened stays on the screen."""

CLICK_HOLD = 0.3
"""Seconds for which a click is drawn over the moving image."""

TEXT = (235, 235, 235)
QUIET = (150, 150, 150)
BACKGROUND = (24, 24, 24)
QUESTION = (230, 159, 0)
ANSWER = (0, 190, 140)
OWN = (204, 121, 167)

MESSAGES = {
    EventKind.ADDED: ('object added', ANSWER),
    EventKind.ASKED: ('QUESTION to the operator', QUESTION),
    EventKind.ANSWERED: ('answered by a click', ANSWER),
    EventKind.ABSENT: ("answered: 'not in the image'", ANSWER),
    EventKind.SKIPPED: ('skipped by the operator', QUIET),
    EventKind.EXPIRED: ('question expired', QUIET),
    EventKind.REFUSED: ('answer refused', QUIET),
    EventKind.CORRECTED: ('corrected by the operator', ANSWER),
    EventKind.PSEUDO: ('pseudo-correction', OWN),
    EventKind.SUPPRESSED: ('question spared', QUIET),
    EventKind.LOST: ('object lost', QUESTION),
    EventKind.RECOVERED: ('object recovered', OWN),
    EventKind.REPLAYED: ('frames since the question repaired', OWN),
    EventKind.REPLAY_DROPPED: ('replay given up', QUIET),
    EventKind.UNDONE: ('correction undone', QUIET),
}

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Layout:
    """Where everything is, in pixels of the video."""

    width: int
    """Of the result."""
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        return self.width + self.side, self.height + BAR

    @property
    def side(self) -> int:
        """Width of the pictures beside the result, which are half as large."""
        return self.width // 2


def layout_for(width: int, height: int) -> Layout:
    """Return the layout for images of this size; its sizes are even, as videos need them."""
    scale = min(WIDTH / width, HEIGHT / height, ENLARGEMENT)
    return Layout(*(4 * max(1, round(length * scale / 4)) for length in (width, height)))


class Dashboard:
    """Draws the frames of a run one after the other.

    On the left the image with masks, uncertainty and clicks. On the right the entropy map, and
    below it the image of the newest question, frozen, with the click that answered it.
    """

    def __init__(self, width: int, height: int) -> None:
        """Prepare for images of this size in pixels."""
        self.layout = layout_for(width, height)
        self._question: TimedEvent | None = None
        self._frozen: Image | None = None
        self._closing: TimedEvent | None = None
        self._message: tuple[str, Colour, float] | None = None
        self._clicks: list[tuple[Click, float]] = []

    def draw(
        self,
        frame: Frame,
        image: Image,
        labels: npt.NDArray[np.uint16],
        entropy: npt.NDArray[np.float32] | None,
        events: Iterable[TimedEvent],
        begin: float = 0.0,
    ) -> Image:
        """Return the picture of a frame.

        Parameters
        ----------
        frame
            The states of the objects.
        image, labels, entropy
            (H, W, 3) uint8 RGB, (H, W) object ids, (H, W) 0..1 or None.
        events
            Those that took effect since the frame before.
        begin
            Stamp of the first frame in seconds.
        """
        for event in events:
            if event.kind is EventKind.ASKED:
                self._frozen = draw_overlay(image, labels, entropy)
            self._take_in(event, frame)
        canvas = np.full((self.layout.size[1], self.layout.size[0], 3), BACKGROUND, np.uint8)
        self._draw_result(canvas, frame, image, labels, entropy)
        self._draw_entropy(canvas, entropy)
        self._draw_question(canvas, frame)
        self._draw_bar(canvas, frame, begin)
        return canvas

    def _take_in(self, event: TimedEvent, frame: Frame) -> None:
        if event.kind is EventKind.ASKED:
            self._question, self._closing = event, None
        elif self._question and event.request_id == self._question.request_id:
            self._closing = event if event.kind in CLOSINGS else None
        if event.kind in MESSAGES:
            text, colour = MESSAGES[event.kind]
            self._message = (text, colour, frame.seconds + HOLD)
        if abs(event.stamp - frame.seconds) < 1e-3:
            self._clicks += [(click, frame.seconds + CLICK_HOLD) for click in event.clicks]

    def _draw_result(
        self,
        canvas: Image,
        frame: Frame,
        image: Image,
        labels: npt.NDArray[np.uint16],
        entropy: npt.NDArray[np.float32] | None,
    ) -> None:
        size = (self.layout.width, self.layout.height)
        scale = (size[0] / image.shape[1], size[1] / image.shape[0])
        self._clicks = [item for item in self._clicks if item[1] >= frame.seconds]
        drawn = draw_overlay(
            _resized(image, size, cv2.INTER_CUBIC),
            _resized(labels, size, cv2.INTER_NEAREST),
            None if entropy is None else _resized(entropy, size, cv2.INTER_LINEAR),
            [_scaled_state(state, *scale) for state in frame.objects],
            [_scaled_click(click, *scale) for click, _ in self._clicks],
        )
        canvas[: size[1], : size[0]] = drawn

    def _draw_entropy(self, canvas: Image, entropy: npt.NDArray[np.float32] | None) -> None:
        if entropy is not None:
            grey = np.rint(255 * np.clip(entropy, 0.0, 1.0)).astype(np.uint8)
            heat = cv2.applyColorMap(grey, cv2.COLORMAP_CIVIDIS)[..., ::-1]
            self._put_beside(canvas, np.ascontiguousarray(heat), 0)
        self._title(canvas, 0, 'uncertainty of each pixel', TEXT)

    def _draw_question(self, canvas: Image, frame: Frame) -> None:
        if self._question is None or self._frozen is None:
            self._title(canvas, 1, 'no question yet', QUIET)
            return
        clicks = self._closing.clicks if self._closing else ()
        labels = np.zeros(self._frozen.shape[:2], np.uint16)
        self._put_beside(canvas, draw_overlay(self._frozen, labels, clicks=clicks), 1)
        if self._closing is None:
            waited = frame.seconds - self._question.stamp
            self._title(canvas, 1, f'question, open for {waited:.1f} s', QUESTION)
        else:
            text, colour = MESSAGES[self._closing.kind]
            reaction = self._closing.time - self._question.time
            self._title(canvas, 1, f'{text} after {reaction:.1f} s', colour)

    def _draw_bar(self, canvas: Image, frame: Frame, begin: float) -> None:
        base = self.layout.height + BAR - 11
        left = f'{frame.seconds - begin:6.2f} s   frame {frame.index}'
        _write(canvas, left, (10, base), TEXT)
        _write(canvas, _describe(frame.objects), (230, base), TEXT)
        if self._message is not None and frame.seconds <= self._message[2]:
            _write(canvas, self._message[0], (self.layout.width + 8, base), self._message[1])

    def _put_beside(self, canvas: Image, picture: Image, row: int) -> None:
        """Fit a picture below its title, centred, with its own proportions."""
        half = self.layout.height // 2
        room = (self.layout.side, half - TITLE)
        scale = min(room[0] / picture.shape[1], room[1] / picture.shape[0])
        size = [max(1, int(length * scale)) for length in (picture.shape[1], picture.shape[0])]
        x = self.layout.width + (room[0] - size[0]) // 2
        y = row * half + TITLE
        small = _resized(picture, (size[0], size[1]), cv2.INTER_AREA)
        canvas[y : y + size[1], x : x + size[0]] = small

    def _title(self, canvas: Image, row: int, text: str, colour: Colour) -> None:
        y = row * (self.layout.height // 2)
        _write(canvas, text, (self.layout.width + 8, y + TITLE - 7), colour)


def overlay_frames(run: Run) -> Iterator[Image]:
    """Yield the pictures of a run; frames whose image or mask was not recorded are left out."""
    board: Dashboard | None = None
    events = deque(run.events)
    for frame in run.frames:
        image = run.pictures.image(frame.stamp) if run.pictures else None
        labels = run.pictures.labels(frame.stamp) if run.pictures else None
        if run.pictures is None or image is None or labels is None:
            continue
        board = board or Dashboard(image.shape[1], image.shape[0])
        since = []
        while events and events[0].applied_stamp <= frame.seconds + 1e-6:
            since.append(events.popleft())
        entropy = run.pictures.entropy(frame.stamp)
        yield board.draw(frame, image, labels, entropy, since, run.frames[0].seconds)


def write_overlay(run: Run, path: Path, fps: float) -> None:
    """Write the video of a run whose images and masks were recorded.

    Parameters
    ----------
    run
        With pictures.
    path
        The MP4 file.
    fps
        Frames of the video per second.

    Raises
    ------
    ValueError
        If no frame has both an image and a mask.
    """
    frames = overlay_frames(run)
    first = next(frames, None)
    if first is None:
        raise ValueError(f'{run.name} has no frame with image and mask; allowed: at least one')
    with VideoFile(path, (first.shape[1], first.shape[0]), fps) as file:
        file.write(first)
        for frame in frames:
            file.write(frame)


def _describe(states: Sequence[ObjectState]) -> str:
    """Return what the line below says about the objects."""
    if len(states) > SHOWN:
        worst = max(states, key=lambda state: state.uncertainty)
        return (
            f'{len(states)} objects; least sure: {_ascii(worst.label)} S {worst.uncertainty:.2f}'
        )
    return '   '.join(
        f'{_ascii(state.label)}: S {state.uncertainty:.2f} dS {state.derivative:+.2f}'
        for state in states
    )


def _ascii(text: str) -> str:
    """Replace what the font cannot draw."""
    return text.encode('ascii', 'replace').decode()


def _write(canvas: Image, text: str, place: tuple[int, int], colour: Colour) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _resized(plane: npt.NDArray[Any], size: tuple[int, int], method: int) -> npt.NDArray[Any]:
    return cv2.resize(plane, size, interpolation=method)


def _scaled_state(state: ObjectState, x: float, y: float) -> ObjectState:
    if state.box is None:
        return state
    left, top, width, height = state.box
    return replace(state, box=(int(left * x), int(top * y), int(width * x), int(height * y)))


def _scaled_click(click: Click, x: float, y: float) -> Click:
    # The centre of the top-left pixel is (0, 0) in both.
    return Click((click.x + 0.5) * x - 0.5, (click.y + 0.5) * y - 0.5, click.positive)
