"""One camera's tracker: frames in, results out, requests of people in between.

Everything here runs on the worker's thread, except where it says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from std_msgs.msg import Header

from lazy_vos_ros.engine.backend import Image as Pixels
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.nodes.frame_buffer import FrameBuffer
from lazy_vos_ros.nodes.frame_buffer import ImageMessage
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.outputs import Outputs
from lazy_vos_ros.nodes.question_desk import QuestionDesk
from lazy_vos_ros.nodes.state_keeper import StateKeeper
from lazy_vos_ros.nodes.stream_clock import StreamClock
from lazy_vos_ros.nodes.stream_clock import nanoseconds

_OF_REPLAYS = (
    EventKind.REPLAYED,
    EventKind.REPLAY_DROPPED,
    EventKind.UNDONE,
    EventKind.ASKED,
    EventKind.SUPPRESSED,
)
"""What happens between two images, told at once."""


@dataclass(frozen=True)
class SessionState:
    """What /diagnostics shows, as of the newest image; may be read by any thread."""

    result: FrameResult | None = None
    memory: MemorySize | None = None
    questions: tuple[CorrectionRequest, ...] = ()
    scale: float = 1.0
    """Part of its size at which the network works; below 1 while its memory is short."""
    first_refused: str = ''
    """Why the newest image did not get the first object; empty: it did, or none is wanted."""


class Session:
    """Feeds a tracker and publishes what it says."""

    def __init__(
        self,
        tracker: LazyTracker,
        outputs: Outputs,
        desk: QuestionDesk,
        clock: StreamClock,
        buffer: FrameBuffer,
        dropped: Callable[[], int],
        keeper: StateKeeper,
    ) -> None:
        self._tracker = tracker
        self._outputs = outputs
        self._desk = desk
        self._clock = clock
        self._buffer = buffer
        self._dropped = dropped
        self._keeper = keeper
        self._early: ImageMessage | None = None
        self._image: Pixels | None = None
        self._header = Header()
        self._first: Prompt | None = None
        self._first_refused = ''
        self._put: set[str] = set()
        self.state = SessionState()

    def begin_with(self, prompt: Prompt | None) -> None:
        """Add this object on the next image, or on the first one after it that shows it."""
        self._first = prompt

    def process(self, message: ImageMessage) -> None:
        """Track through an image; ValueError if it is none."""
        if message is self._early:
            return  # a click has had it tracked already
        image = rgb_from(message)
        if self._first is None:
            self._step(image, message.header)
        else:
            self._begin(image, message.header, self._first)

    def add(self, header: Header, prompt: Prompt) -> int:
        """Add an object on the image that was clicked on; return its id.

        Raises
        ------
        ValueError
            If the image is not kept any more or the prompt is not allowed.
        """
        message = self._find(header)
        try:
            return self._add(rgb_from(message), message.header, prompt)
        finally:
            self._note_early(message)

    def correct(self, header: Header, object_id: int, answer: Answer) -> CorrectionEvent:
        """Correct an object on the image that was clicked on.

        Raises
        ------
        ValueError
            If the image is not kept any more, or the object or the answer is not allowed.
        """
        zero = nanoseconds(header.stamp) == 0
        if not zero and nanoseconds(header.stamp) != nanoseconds(self._header.stamp):
            # The tracker corrects its newest frame, so an earlier image becomes that again.
            message = self._find(header)
            self._check_tracked(object_id)
            self._step(rgb_from(message), message.header, self._now())
            self._note_early(message)
        return self._apply(lambda: self._tracker.correct(object_id, answer))

    def answer(self, request_id: str, answer: Answer) -> CorrectionEvent:
        """Use the answer to a question; ValueError if it is not open or the answer not allowed."""
        return self._apply(lambda: self._tracker.answer(request_id, answer))

    def preview(self, request_id: str, clicks: tuple[Click, ...]) -> npt.NDArray[np.bool_]:
        """Return what an answer would make of the object; ValueError if it would be refused."""
        return self._tracker.preview(request_id, clicks)

    def catch_up(self, seconds: float) -> bool:
        """Go on with the replay of a late answer for about this long; tell whether there is more.

        What it repairs is published; when it has caught up, the newest image is shown again.
        """
        if not self._tracker.catching_up:
            return False
        before = self._tracker.latest
        for frame in self._tracker.catch_up(seconds):
            self._outputs.publish_repaired(frame, self._header.frame_id)
        for event in self._tracker.pending_events:
            if event.kind in _OF_REPLAYS:
                self._outputs.publish_now(event, self._header.frame_id)
        self._show_again(before)
        self._look_again()
        return self._tracker.catching_up

    def undo(self) -> str:
        """Begin to take back the latest correction; return which; ValueError says why not.

        UNDONE is published when the images since were tracked again without it.
        """
        object_id = self._tracker.undo()
        return f'the latest correction of object {object_id} is being undone'

    def remove(self, object_id: int) -> CorrectionEvent:
        """Stop tracking an object; ValueError if it is not tracked."""
        event = self._tracker.remove_object(object_id)
        self._outputs.publish_now(event, self._header.frame_id)
        self._look_again()
        return event

    def reset(self) -> None:
        """Forget all objects, also a first one that is still wanted."""
        self._outputs.publish_last(self._tracker.reset(), self._header.frame_id)
        self._image = None
        self._want_no_first()
        self._header = Header()
        self._look_again()

    def save_state(self) -> str:
        """Write the tracker's state; return what was saved; ValueError says why not."""
        return self._keeper.save()

    def load_state(self) -> str:
        """Go on from the saved state; return what was loaded; ValueError says why not.

        What was tracked before is forgotten.
        """
        words, events = self._keeper.load()
        self._outputs.publish_last(events, self._header.frame_id)
        self._image = self._early = None
        self._want_no_first()
        self._header = Header()
        self._look_again()
        return words

    def flush(self) -> None:
        """Wait until everything that was done so far is published."""
        self._outputs.flush()

    def configure(self, config: LazyConfig) -> None:
        """Change the settings of the method."""
        self._tracker.configure(config)

    def _step(self, image: Pixels, header: Header, now: float | None = None) -> None:
        result = self._tracker.step(image, self._clock.seconds(header.stamp), now=now)
        self._publish(result, image, header)

    def _begin(self, image: Pixels, header: Header, first: Prompt) -> None:
        """Add the first object; where that is refused, track on and try it with the next image.

        The refiner may find nothing in a dark image, and images may change their size. The event
        tells the first refusal only, the state the newest.
        """
        before, stamp = self._tracker.latest, self._clock.seconds(header.stamp)
        try:
            result = self._tracker.add_objects(image, [first], stamp)
        except ValueError as error:
            after = self._tracker.latest
            if after is None or after is before:
                # What cannot fit the image is refused before it is tracked through.
                after = self._tracker.step(image, stamp)
            result = _without_refusals_to_add(after) if self._first_refused else after
            self._first_refused = str(error.__cause__ or error)
        else:
            self._want_no_first()
        self._publish(result, image, header)

    def _want_no_first(self) -> None:
        self._first, self._first_refused = None, ''

    def _add(self, image: Pixels, header: Header, prompt: Prompt) -> int:
        before = self._tracker.latest
        try:
            stamp = self._clock.seconds(header.stamp)
            result = self._tracker.add_objects(image, [prompt], stamp, now=self._now())
        except ValueError:
            # The image was tracked through all the same if the clicks gave no usable mask.
            after = self._tracker.latest
            if after is not None and after is not before:
                self._publish(after, image, header)
            raise
        self._publish(result, image, header)
        return result.objects[-1].object_id

    def _apply(self, use: Callable[[], CorrectionEvent]) -> CorrectionEvent:
        before = self._tracker.latest
        try:
            event = use()
        finally:
            self._look_again()
        self._outputs.publish_now(event, self._header.frame_id)
        self._show_again(before)
        return event

    def _show_again(self, before: FrameResult | None) -> None:
        """Publish the newest image's result anew if it was corrected; its events are out."""
        after = self._tracker.latest
        if after is not None and after is not before and self._image is not None:
            self._publish(replace(after, events=()), self._image, self._header)

    def _publish(self, result: FrameResult, image: Pixels, header: Header) -> None:
        self._image, self._header = image, header
        memory = self._tracker.memory_size()
        self._outputs.publish(result, image, header, memory, self._dropped())
        self._look_again()

    def _look_again(self) -> None:
        questions = self._tracker.open_requests
        self._desk.keep_only({request.request_id for request in questions})
        for request in questions:
            if request.request_id not in self._put:
                self._desk.ask(self._outputs.question(request, self._header.frame_id))
        self._put = {request.request_id for request in questions}
        self.state = SessionState(
            self._tracker.latest,
            self._tracker.memory_size(),
            questions,
            self._tracker.scale,
            self._first_refused,
        )

    def _find(self, header: Header) -> ImageMessage:
        if nanoseconds(header.stamp) == 0:
            return self._buffer.newest()
        return self._buffer.find(header.stamp)

    def _note_early(self, message: ImageMessage) -> None:
        """Remember an image that may still come to its turn, if it was tracked."""
        if self._header is message.header and self._buffer.newest() is message:
            self._early = message

    def _now(self) -> float:
        """Return the stream's time, which goes on while an earlier image is tracked again."""
        return self._clock.seconds(self._buffer.newest().header.stamp)

    def _check_tracked(self, object_id: int) -> None:
        tracked = self._tracker.object_ids
        if object_id not in tracked:
            raise ValueError(f'object {object_id} is not tracked; tracked: {list(tracked)}')


def _without_refusals_to_add(result: FrameResult) -> FrameResult:
    events = tuple(
        event
        for event in result.events
        if event.kind is not EventKind.REFUSED or event.object_id or event.request_id
    )
    return replace(result, events=events)
