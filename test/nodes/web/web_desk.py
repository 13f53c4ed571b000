"""A desk with questions, whose trackers are the test."""

import numpy as np

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import TrackedObject
from lazy_vos_ros.nodes.operator_view import TrackerView

TRACKER = '/robot/lazy_vos'
SIZE = (90, 160)
CUP = TrackedObject(object_id=1, label='cup', uncertainty=0.3, area=400, question_open=True)


class Wire:
    """Writes down what the desk sends."""

    def __init__(self):
        self.answers, self.previews, self.orders = [], [], []

    def preview(self, question, serial, clicks):
        self.previews.append((question, serial, clicks))

    def answer(self, question, answer):
        self.answers.append((question.key, answer))

    def drop(self, question):
        pass

    def order(self, order):
        self.orders.append(order)


def make_desk(**options):
    """Return a desk that knows one tracker with one object, and its wire."""
    wire = Wire()
    desk = OperatorDesk(wire, **{'confirm_after': float('inf'), **options})
    desk.report(TrackerView(TRACKER, True, 1, (CUP,)))
    return desk, wire


def question(key, size=SIZE, **changes):
    """Return a question about a noisy image."""
    image = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    mask = np.zeros(size, bool)
    mask[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] = True
    fields = {
        'key': key,
        'tracker': TRACKER,
        'camera': 'lens',
        'object_id': 1,
        'label': 'cup',
        'reason': 'dS is 0.6, above 0.5',
        'uncertainty': 0.4,
        'derivative': 0.6,
        'asked': 0.0,
        'expires': float('inf'),
        'stamp': 7,
        'image': image,
        'mask': mask,
        'entropy': mask.astype(np.float32) * 0.8,
    }
    return Question(**{**fields, **changes})
