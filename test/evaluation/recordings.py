"""Messages of a hand-made run, for bags."""

from typing import Any

import numpy as np

from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

TYPES = lazy_vos_typestore()
IMAGE = 'sensor_msgs/msg/Image'
STATE = 'lazy_vos_msgs/msg/TrackingState'
EVENT = 'lazy_vos_msgs/msg/CorrectionEvent'
SIZE = (24, 16)
BEGIN = 1_700_000_000
STEP = 200_000_000
"""Nanoseconds between two images."""


def make(message_type: str, **values: Any) -> Any:
    return TYPES.types[message_type](**values)


def time(nanoseconds: int) -> Any:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return make('builtin_interfaces/msg/Time', sec=seconds, nanosec=rest)


def stamp_of(index: int) -> int:
    return BEGIN * 1_000_000_000 + index * STEP + 7


def header(index: int) -> Any:
    return make('std_msgs/msg/Header', stamp=time(stamp_of(index)), frame_id='camera')


def image(index: int, pixels: np.ndarray, encoding: str, padding: int = 0) -> Any:
    rows = pixels.reshape(pixels.shape[0], -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return make(
        IMAGE,
        header=header(index),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=padded.shape[1],
        data=padded.reshape(-1),
    )


def object_state(object_id: int, **values: Any) -> Any:
    box = make(
        'sensor_msgs/msg/RegionOfInterest',
        x_offset=3,
        y_offset=4,
        width=5,
        height=6,
        do_rectify=False,
    )
    defaults = {
        'label': 'cup',
        'uncertainty': 0.25,
        'derivative': 0.125,
        'area': 30,
        'box': box,
        'action': 0,
        'question_open': False,
        'absent': False,
    }
    return make('lazy_vos_msgs/msg/ObjectState', id=object_id, **{**defaults, **values})


def tracking_state(index: int, **values: Any) -> Any:
    defaults = {
        'objects': [object_state(1)],
        'mean_entropy': 0.5,
        'memorised': index % 5 == 0,
        'working_memory': 10 * index,
        'long_term_memory': index,
        'dropped': index // 3,
        'predict_ms': 40.0,
        'lazy_ms': 5.0,
        'refine_ms': 0.0,
        'commit_ms': 15.0,
        'latency_ms': 80.0,
    }
    return make(
        STATE,
        header=header(index),
        frame_index=index,
        **{**defaults, **values},
    )


def event(kind: str, index: int, applied: int, seconds: float, **values: Any) -> Any:
    """One event about frame `index`, in effect at frame `applied`, `seconds` after the begin."""
    message_type = TYPES.types[EVENT]
    defaults = {'object_id': 1, 'request_id': '', 'clicks': [], 'reason': ''}
    return make(
        EVENT,
        header=header(index),
        kind=getattr(message_type, kind),
        frame_index=index,
        uncertainty=0.75,
        derivative=0.5,
        applied_stamp=time(stamp_of(applied)),
        time=time(BEGIN * 1_000_000_000 + int(seconds * 1e9)),
        **{**defaults, **values},
    )


def click(x: float, y: float) -> Any:
    return make('lazy_vos_msgs/msg/Click', x=x, y=y, positive=True)


def diagnostics(node: str, **values: str) -> Any:
    status = make(
        'diagnostic_msgs/msg/DiagnosticStatus',
        level=0,
        name=f'{node}: tracker',
        message='',
        hardware_id='',
        values=[
            make('diagnostic_msgs/msg/KeyValue', key=key, value=value)
            for key, value in values.items()
        ],
    )
    return make('diagnostic_msgs/msg/DiagnosticArray', header=header(0), status=[status])


def pixels_of(index: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), (index, 100, 200), np.uint8)


def labels_of(index: int) -> np.ndarray:
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    labels[2:6, index : index + 4] = 1
    return labels


def usual_messages(frames: int = 12, node: str = '/lazy_vos') -> list[tuple[str, str, int, Any]]:
    """Topic, type, time and message of a run: asked in frame 4, answered by a click in frame 8."""
    written: list[tuple[str, str, int, Any]] = []
    for index in range(frames):
        now = stamp_of(index) + 80_000_000
        entropy = np.full((SIZE[1], SIZE[0]), index / 100, np.float32)
        written += [
            ('/image', IMAGE, now, image(index, pixels_of(index), 'rgb8', 3)),
            (f'{node}/mask', IMAGE, now, image(index, labels_of(index), 'mono8')),
            (f'{node}/entropy', IMAGE, now, image(index, entropy, '32FC1')),
            (f'{node}/tracking_state', STATE, now, tracking_state(index)),
        ]
    events = [
        event('ADDED', 0, 0, 0.0, clicks=[click(5, 4)]),
        event('ASKED', 4, 4, 0.9, request_id='q1', reason='unsure'),
        event('PSEUDO', 5, 5, 1.1, clicks=[click(7, 4)]),
        event('ANSWERED', 4, 8, 1.65, request_id='q1', clicks=[click(6, 4)]),
    ]
    for item in events:
        now = stamp_of(0) + 1 + int(1e9 * (item.time.sec - BEGIN)) + item.time.nanosec
        written.append((f'{node}/correction_event', EVENT, now, item))
    about = diagnostics(node.lstrip('/'), weights='tiny (random)', refiner='none')
    written.append(
        ('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', stamp_of(frames), about)
    )
    return sorted(written, key=lambda item: item[2])
