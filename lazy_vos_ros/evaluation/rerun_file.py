"""Write a run for the Rerun viewer: image, mask, entropy, curves and events on one time line.

Needs the extra `rerun`: the package rerun-sdk, which nothing else here uses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.overlay import colour_of
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report.crops import heat_map
from lazy_vos_ros.evaluation.report.crops import jpeg
from lazy_vos_ros.evaluation.report.words import kind_name
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import TimedEvent

INSTALL = "pip install rerun-sdk==0.23.1 'pyarrow<25' 'numpy<2'"
"""Later ones need NumPy 2."""

SERIES = {'S_R': 'uncertainty', 'dS': 'derivative'}
"""Curves of every object: their name in the file, and in the object's state."""

WIDTHS = {'S_R': 1.5, 'dS': 1.5, 'IoU': 4.0}
"""Of the curves of an object, which have one colour."""

THRESHOLDS = ('tau_m', 'tau_u', 'tau_p')

LOUD = frozenset({EventKind.ASKED, EventKind.REFUSED, EventKind.EXPIRED})
"""Events that are shown as warnings."""


def write_rerun(run: EvaluatedRun, path: Path) -> None:
    """Write one run as an .rrd file.

    Entities: `camera/{image,mask,objects,clicks}`, `entropy`, of each object `S_R/ID`, `dS/ID` and
    `IoU/ID`, `thresholds/{tau_m,tau_u,tau_p}` and `events`. Time lines: `stream` (seconds since
    the first frame) and `frame`. Pictures that were not recorded are left out.

    Parameters
    ----------
    run
        Its pictures are read one frame after the other.
    path
        The file, replaced if it exists.

    Raises
    ------
    RuntimeError
        If rerun-sdk is not installed or does not fit, with the command that installs it.
    OSError
        If the folder cannot be written.
    """
    rerun = _sdk()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('wb'):
        pass  # The SDK would only log that it cannot write.
    stream = rerun.RecordingStream('lazy_vos_ros')
    stream.save(path, default_blueprint=_views(rerun.blueprint))
    _describe_objects(rerun, stream, run)
    waiting = deque(sorted(run.run.events, key=lambda event: event.applied_stamp))
    for frame in sorted(run.run.frames, key=lambda frame: frame.stamp):
        stream.set_time('stream', duration=run.seconds(frame))
        stream.set_time('frame', sequence=frame.index)
        since = []
        while waiting and waiting[0].applied_stamp <= frame.seconds + 1e-6:
            since.append(waiting.popleft())
        _log_pictures(rerun, stream, run, frame)
        _log_boxes(rerun, stream, frame)
        _log_curves(rerun, stream, run, frame)
        _log_events(rerun, stream, run, frame, since)
    stream.flush(blocking=True)
    stream.disconnect()


def _sdk() -> Any:
    try:
        import rerun
        import rerun.blueprint
    except ImportError as error:
        raise RuntimeError(
            f'no Rerun SDK to write with ({error}); install it: {INSTALL}'
        ) from error
    return rerun


def _views(blueprint: Any) -> Any:
    """Return which views the viewer opens: pictures on the left, curves on the right."""
    pictures = blueprint.Vertical(
        blueprint.Spatial2DView(origin='camera', name='camera'),
        blueprint.Spatial2DView(origin='entropy', name='entropy'),
    )
    curves = blueprint.Vertical(
        blueprint.TimeSeriesView(
            origin='/',
            name='uncertainty and IoU',
            contents=['/S_R/**', '/IoU/**', '/thresholds/tau_m'],
        ),
        blueprint.TimeSeriesView(
            origin='/',
            name='its change',
            contents=['/dS/**', '/thresholds/tau_u', '/thresholds/tau_p'],
        ),
        blueprint.TextLogView(origin='events', name='events'),
    )
    return blueprint.Blueprint(blueprint.Horizontal(pictures, curves))


def _describe_objects(rerun: Any, stream: Any, run: EvaluatedRun) -> None:
    """Log names and colours of the curves, once for all times."""
    for object_id, label in run.labels.items():
        for name, width in WIDTHS.items():
            style = rerun.SeriesLines(
                colors=[colour_of(object_id)], names=[f'{label} {name}'], widths=[width]
            )
            stream.log(f'{name}/{object_id}', style, static=True)


def _log_pictures(rerun: Any, stream: Any, run: EvaluatedRun, frame: Frame) -> None:
    pictures = run.pictures(frame)
    if pictures.image is not None:
        _log_jpeg(rerun, stream, 'camera/image', pictures.image)
    if pictures.labels is not None:
        # A SegmentationImage needs class descriptions, which this SDK cannot make with NumPy 1.
        picture = rerun.EncodedImage(contents=_mask_png(pictures.labels), media_type='image/png')
        stream.log('camera/mask', picture)
    if pictures.entropy is not None:
        _log_jpeg(rerun, stream, 'entropy', heat_map(pictures.entropy))


def _mask_png(labels: npt.NDArray[np.uint16]) -> bytes:
    """Return the masks in their objects' colours, half transparent, as PNG."""
    found, places = np.unique(labels, return_inverse=True)
    palette = [(*colour_of(int(i))[::-1], 128) if i else (0, 0, 0, 0) for i in found]
    picture = np.array(palette, np.uint8)[places.reshape(labels.shape)]
    _, data = cv2.imencode('.png', picture)
    return data.tobytes()


def _log_boxes(rerun: Any, stream: Any, frame: Frame) -> None:
    """Log the names of the objects where they are."""
    seen = [(state, state.box) for state in frame.objects if state.box is not None]
    boxes = rerun.Boxes2D(
        array=np.array([box for _, box in seen], np.float32).reshape(-1, 4),
        array_format=rerun.Box2DFormat.XYWH,
        labels=[state.label for state, _ in seen],
        colors=[colour_of(state.object_id) for state, _ in seen],
    )
    stream.log('camera/objects', boxes)


def _log_jpeg(rerun: Any, stream: Any, entity: str, picture: npt.NDArray[np.uint8]) -> None:
    # Raw pictures would make the file as large as the bag.
    stream.log(entity, rerun.EncodedImage(contents=jpeg(picture), media_type='image/jpeg'))


def _log_curves(rerun: Any, stream: Any, run: EvaluatedRun, frame: Frame) -> None:
    values = {f'thresholds/{name}': getattr(run.config, name) for name in THRESHOLDS}
    for state in frame.objects:
        key = state.object_id
        values |= {f'{name}/{key}': getattr(state, field) for name, field in SERIES.items()}
        values[f'IoU/{key}'] = run.iou(key, frame)
    for entity, value in values.items():
        if value is not None and isfinite(value):
            stream.log(entity, rerun.Scalars(value))


def _log_events(
    rerun: Any, stream: Any, run: EvaluatedRun, frame: Frame, events: Iterable[TimedEvent]
) -> None:
    """Log what took effect in this frame; its clicks are those that concern this image."""
    places, names = [], []
    for event in events:
        label = run.labels.get(event.object_id, '')
        text = f'{kind_name(event.kind)} {label}'.strip()
        level = rerun.TextLogLevel.WARN if event.kind in LOUD else rerun.TextLogLevel.INFO
        reason = f': {event.reason}' if event.reason else ''
        stream.log('events', rerun.TextLog(text + reason, level=level))
        if abs(event.stamp - frame.seconds) < 1e-6:
            places += [(click.x, click.y) for click in event.clicks]
            names += [text if click.positive else f'{text}: not here' for click in event.clicks]
    clicks = rerun.Points2D(places, labels=names, radii=6.0, colors=[(255, 255, 255)])
    stream.log('camera/clicks', clicks)
