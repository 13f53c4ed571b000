"""A browser's message as an action of the desk."""

from collections.abc import Callable
from typing import Any

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.operator_desk import OperatorDesk

Message = dict[str, Any]


def act(desk: OperatorDesk, message: Message) -> None:
    """Do what a parsed message says.

    Raises
    ------
    ValueError
        If the desk does not take it, saying why.
    """
    _ACTIONS[message['type']](desk, message)


def _click(message: Message) -> Click:
    return Click(message['x'], message['y'], message.get('positive', True))


def _start(desk: OperatorDesk, message: Message) -> None:
    stamp = int(message['stamp'])
    desk.start_object(message['tracker'], (_click(message),), message['label'].strip(), stamp)


def _correct(desk: OperatorDesk, message: Message) -> None:
    clicks = (_click(message),)
    desk.correct(message['tracker'], message['object'], clicks, int(message['stamp']))


_ACTIONS: dict[str, Callable[[OperatorDesk, Message], object]] = {
    'click': lambda desk, message: desk.click(_click(message), message['key']),
    'absent': lambda desk, message: desk.absent(message['key']),
    'skip': lambda desk, message: desk.skip(message['key']),
    'undo': lambda desk, message: desk.undo(message['key']),
    'undo_sent': lambda desk, message: desk.undo_sent(),
    'confirm': lambda desk, message: desk.confirm(message['key']),
    'choose': lambda desk, message: desk.choose(message['key']),
    'start': _start,
    'correct': _correct,
    'gone': lambda desk, message: desk.correct_absent(
        message['tracker'], message['object'], int(message['stamp'])
    ),
    'remove': lambda desk, message: desk.remove_object(message['tracker'], message['object']),
}
