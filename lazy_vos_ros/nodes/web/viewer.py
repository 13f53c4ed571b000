"""One browser: what it is sent, at its own pace, and what it says."""

import asyncio
import json
from collections.abc import Awaitable
from collections.abc import Callable
from concurrent.futures import Executor
from time import monotonic
from typing import Any

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Mask
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import Snapshot
from lazy_vos_ros.nodes.web.actions import act
from lazy_vos_ros.nodes.web.limits import Bucket
from lazy_vos_ros.nodes.web.limits import Limit
from lazy_vos_ros.nodes.web.messages import framed
from lazy_vos_ros.nodes.web.messages import parse
from lazy_vos_ros.nodes.web.pictures import Encoded
from lazy_vos_ros.nodes.web.pictures import jpeg
from lazy_vos_ros.nodes.web.pictures import outline
from lazy_vos_ros.nodes.web.pictures import shading
from lazy_vos_ros.nodes.web.settings import WebSettings
from lazy_vos_ros.nodes.web.view import health_of
from lazy_vos_ros.nodes.web.view import history_of
from lazy_vos_ros.nodes.web.view import questions_of
from lazy_vos_ros.nodes.web.view import trackers_of

Send = Callable[[str | bytes], Awaitable[None]]
Part = tuple[Callable[[Snapshot], dict[str, Any]], float]

MESSAGES = Limit(burst=200, per_second=100)
MISTAKES = Limit(burst=10, per_second=0.1)
IDLE = 1.0
"""Seconds after which the desk is looked at, though it told of no change."""
GLANCE = 0.03
"""Seconds between two looks for a new live picture."""
UNSEEN = 2
"""Live pictures on their way to a browser; it says when it has drawn one."""
LIVE_QUALITY = 80
PARTS: tuple[Part, ...] = (
    (questions_of, 0.0),
    (history_of, 0.0),
    (trackers_of, 0.5),
    (health_of, 0.5),
)
"""Parts of the state, and the fewest seconds between two messages about each: trackers report
with every image."""


class TooMuch(Exception):  # noqa: N818
    """The browser says more, or more nonsense, than a page of ours ever would."""


class Viewer:
    """Sends a browser the newest state, question and live picture, and nothing twice.

    Each message waits until the browser has taken the one before; what it was too slow for is
    left out, so that nothing piles up.

    Parameters
    ----------
    send
        Sends a text or binary message, and returns when it has left.
    pool
        Runs the encoding of pictures.
    encoded
        Shared by all viewers.
    """

    def __init__(
        self,
        desk: OperatorDesk,
        settings: WebSettings,
        send: Send,
        *,
        pool: Executor,
        encoded: Encoded,
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._send = send
        self._pool = pool
        self._encoded = encoded
        self._changed = asyncio.Event()
        self._open = True
        self._messages = Bucket(MESSAGES)
        self._mistakes = Bucket(MISTAKES)
        self._sent = dict.fromkeys(PARTS, ('', 0.0))
        self._version = -1
        self._pictured: Question | None = None
        self._outlined: Mask | None = None
        self._tracker = ''
        self._live: Live | None = None
        self._unseen = 0
        self._next_live = 0.0

    def wake(self) -> None:
        """Look whether there is something new to send."""
        self._changed.set()

    def close(self) -> None:
        """Send nothing more."""
        # Cancelling alone is not enough: before Python 3.12, wait_for swallows it now and then.
        self._open = False
        self.wake()

    async def run(self) -> None:
        """Send what is new, until closed."""
        while self._open:
            self._changed.clear()
            await self._send_state()
            await self._send_live()
            try:
                await asyncio.wait_for(self._changed.wait(), GLANCE if self._tracker else IDLE)
            except asyncio.TimeoutError:
                continue

    async def receive(self, text: str) -> None:
        """Do what the browser says, and tell it if that was not possible.

        Raises
        ------
        TooMuch
            If it has to be cut off.
        """
        if not self._messages.take():
            raise TooMuch('too many messages')
        try:
            message = parse(text)
        except ValueError as error:
            if not self._mistakes.take():
                raise TooMuch('too many wrong messages') from None
            await self._refuse(error)
            return
        if message['type'] == 'look':
            self._look(message['tracker'])
        elif message['type'] == 'seen':
            self._unseen = max(0, self._unseen - 1)
        else:
            try:
                act(self._desk, message)
            except ValueError as error:
                await self._refuse(error)
        self.wake()

    def _look(self, tracker: str) -> None:
        known = {view.name for view in self._desk.snapshot().trackers}
        self._tracker = tracker if tracker in known else ''
        self._live, self._unseen = None, 0

    async def _refuse(self, error: ValueError) -> None:
        await self._send(json.dumps({'type': 'refused', 'reason': str(error)}))

    async def _send_state(self) -> None:
        snapshot = self._desk.snapshot()
        if snapshot.version == self._version:
            return
        await self._send_layers(snapshot)
        self._version = snapshot.version
        for part in PARTS:
            await self._send_part(part, snapshot)

    async def _send_part(self, part: Part, snapshot: Snapshot) -> None:
        content, pause = part
        before, at = self._sent[part]
        if monotonic() < at + pause:
            self._version = -1  # again when it is time
            return
        text = json.dumps(content(snapshot))
        if text != before:
            self._sent[part] = (text, monotonic())
            await self._send(f'{{"type":"state","now":{snapshot.now:.3f},"state":{text}}}')

    async def _send_layers(self, snapshot: Snapshot) -> None:
        """Send what is drawn below and above the question, where it has changed."""
        question = snapshot.current
        if question is None:
            self._pictured = self._outlined = None
            return
        if question is not self._pictured:
            for layer, encode, array in (
                ('picture', jpeg, question.image),
                ('shading', shading, question.entropy),
            ):
                data = await self._encode(encode, array)
                await self._send(framed({'layer': layer, 'key': question.key}, data))
            self._pictured, self._outlined = question, None
        mask = question.mask if snapshot.preview is None else snapshot.preview
        if mask is not self._outlined:
            lines = await self._encode(outline, mask)
            await self._send(json.dumps({'type': 'outline', 'key': question.key, 'lines': lines}))
            self._outlined = mask

    async def _send_live(self) -> None:
        if not self._tracker:
            return
        # Asked also when nothing may be sent: it tells that somebody looks.
        live = self._desk.live(self._tracker)
        tracker, now = self._tracker, monotonic()
        if live is None or live is self._live or self._unseen >= UNSEEN or now < self._next_live:
            return
        data = await self._encode(jpeg, live.picture, self._settings.live_width, LIVE_QUALITY)
        if tracker != self._tracker:
            return
        self._live, self._unseen = live, self._unseen + 1
        self._next_live = now + 1.0 / self._settings.live_rate
        height, width = live.picture.shape[:2]
        header = {
            'layer': 'live',
            'tracker': tracker,
            'stamp': str(live.stamp),
            'width': width,
            'height': height,
        }
        await self._send(framed(header, data))

    async def _encode(self, encode: Callable[..., Any], array: Any, *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._encoded.by, encode, array, *args)
