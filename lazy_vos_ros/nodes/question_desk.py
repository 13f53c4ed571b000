"""The questions on their way to the operator, who may be absent, slow, or come back."""

from collections.abc import Callable
from collections.abc import Collection
from functools import partial
from threading import Lock
from typing import Any
from typing import Protocol

from lazy_vos_msgs.srv import RequestCorrection

Request = RequestCorrection.Request
Response = RequestCorrection.Response


class Client(Protocol):
    """What is needed of an rclpy client."""

    def service_is_ready(self) -> bool: ...  # noqa: D102
    def call_async(self, request: Request) -> Any: ...  # noqa: D102
    def remove_pending_request(self, future: Any) -> None: ...  # noqa: D102


class QuestionDesk:
    """Sends each question once an operator is there, and again to one who comes or returns.

    Nothing here waits. :meth:`ask` and :meth:`keep_only` may be called from any thread,
    :meth:`look` by a timer.

    Parameters
    ----------
    client
        Of the operator's service.
    answered
        Called with the request id and the response, in the executor's thread.
    operators
        Returns the identities of those who serve the questions, now.
    """

    def __init__(
        self,
        client: Client,
        answered: Callable[[str, Response], None],
        operators: Callable[[], frozenset[bytes]],
    ) -> None:
        self._client = client
        self._answered = answered
        self._operators = operators
        self._known: frozenset[bytes] = frozenset()
        self._lock = Lock()
        self._questions: dict[str, Request] = {}
        self._sent: dict[str, Any] = {}

    @property
    def operator_present(self) -> bool:
        """Whether somebody serves the questions."""
        return self._client.service_is_ready()

    def ask(self, question: Request) -> None:
        """Put a question; it is sent now, or when an operator is there."""
        with self._lock:
            self._questions[question.request_id] = question
        self.look()

    def keep_only(self, request_ids: Collection[str]) -> None:
        """Withdraw all other questions: they were answered, have expired, or make no sense."""
        with self._lock:
            for request_id in [item for item in self._questions if item not in request_ids]:
                del self._questions[request_id]
                self._forget(request_id)

    def look(self) -> None:
        """Send what is not sent; after the operator has gone or another come, all of it again.

        One who was killed and started again comes before the middleware sees the death.
        """
        ready, operators = self._client.service_is_ready(), self._operators()
        with self._lock:
            if not ready or not operators <= self._known:
                for request_id in list(self._sent):
                    self._forget(request_id)
            self._known = operators
            if not ready:
                return
            unsent = [key for key in self._questions if key not in self._sent]
            for key in unsent:
                self._sent[key] = self._client.call_async(self._questions[key])
            sent = [(key, self._sent[key]) for key in unsent]
        # Outside of the lock: a future that is done already may call back at once.
        for key, future in sent:
            future.add_done_callback(partial(self._finish, key))

    def _finish(self, request_id: str, future: Any) -> None:
        with self._lock:
            awaited = self._sent.get(request_id) is future
            if awaited:
                self._questions.pop(request_id, None)
                del self._sent[request_id]
        # A question that was withdrawn meanwhile is refused by the tracker, which says why.
        response = None if future.cancelled() else future.result()
        if response is not None:
            self._answered(request_id, response)

    def _forget(self, request_id: str) -> None:
        future = self._sent.pop(request_id, None)
        if future is not None:
            self._client.remove_pending_request(future)
