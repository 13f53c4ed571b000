"""Write what the tracker makes of a video, frame by frame, without ROS."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.evaluation.dashboard import Dashboard
from lazy_vos_ros.evaluation.label_images import write_entropy
from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.runs import frame_of
from lazy_vos_ros.evaluation.summary import Summary
from lazy_vos_ros.evaluation.summary import summarise
from lazy_vos_ros.evaluation.timeline import draw_timeline
from lazy_vos_ros.evaluation.video import VideoFile

MASKS = 'masks'
ENTROPY = 'entropy'
STATES = 'states.jsonl'
EVENTS = 'events.jsonl'
RESULTS = 'results.json'
TIMELINE = 'timeline.png'
OVERLAY = 'overlay.mp4'
OUTPUTS = (MASKS, ENTROPY, STATES, EVENTS, RESULTS, TIMELINE, OVERLAY)
"""Everything that is written, and nothing else is ever removed."""


def prepare_folder(folder: Path, *, force: bool = False) -> None:
    """Make the folder for the results if need be, and see that it can be written.

    Raises
    ------
    ValueError
        If it is a file, or not empty and `force` is not given.
    OSError
        If it cannot be made or written.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f'{folder} is a file; allowed: a folder, which is made if need be')
    present = sorted(folder.iterdir()) if folder.is_dir() else []
    if present and not force:
        raise ValueError(
            f'{folder} is not empty ({present[0].name}, ...); allowed: an empty or new folder, or '
            '--force to replace earlier results'
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass  # only to see that it can be written


def remove_results(folder: Path) -> None:
    """Remove earlier results from a folder, and nothing else."""
    for name in OUTPUTS:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


class OfflineResults:
    """Masks, entropy, states, events and the video of one run; whole up to the last frame.

    Use it in a `with` statement: what was written stays whatever happens, and the timeline and
    the figures of the frames so far are made at the end.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        config: LazyConfig,
        settings: Mapping[str, str | int],
        video_fps: float | None,
    ) -> None:
        """Begin; earlier results in the folder are removed.

        Parameters
        ----------
        folder
            Made by :func:`prepare_folder`.
        name
            Of the source, for people.
        config
            The thresholds in force.
        settings
            What the results are of: method, backend, init, dataset and so on.
        video_fps
            Frames per second of the overlay video; None: no video.
        """
        self._folder = folder
        self._name = name
        self._config = config
        self._settings = settings
        self._video_fps = video_fps
        self._frames: list[Frame] = []
        self._events: list[TimedEvent] = []
        self._board: Dashboard | None = None
        self._video: VideoFile | None = None
        remove_results(folder)
        (folder / MASKS).mkdir()
        (folder / ENTROPY).mkdir()
        self._states_file = (folder / STATES).open('w', encoding='utf-8')
        self._events_file = (folder / EVENTS).open('w', encoding='utf-8')

    def add(self, name: str, image: Image, result: FrameResult) -> None:
        """Write all that one frame gave; `name` is the frame's, without suffix."""
        now = monotonic()
        frame = frame_of(result, now)
        events = [TimedEvent.at(event, now) for event in result.events]
        write_labels(self._folder / MASKS / f'{name}.png', result.labels)
        write_entropy(self._folder / ENTROPY / f'{name}.png', result.entropy)
        _append(self._states_file, state_record(name, frame))
        for event in events:
            _append(self._events_file, event_record(event))
        self._frames.append(frame)
        self._events += events
        if self._video_fps is not None:
            self._write_video(image, frame, result, events, self._video_fps)

    @property
    def run(self) -> Run:
        """The run so far."""
        return Run(
            self._name,
            tuple(self._frames),
            tuple(self._events),
            sent=len(self._frames),
            settings={name: str(value) for name, value in self._settings.items()},
        )

    def close(self) -> Summary | None:
        """Finish the files; return the figures, None if there was no frame."""
        self._states_file.close()
        self._events_file.close()
        if self._video is not None:
            self._video.close()
        if not self._frames:
            remove_results(self._folder)
            return None
        summary = summarise(self.run)
        record = summary.results(Path(self._name).stem, **self._settings)
        (self._folder / RESULTS).write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
        if self.run.object_ids:
            draw_timeline(self.run, self._folder / TIMELINE, self._config)
        return summary

    def _write_video(
        self,
        image: Image,
        frame: Frame,
        result: FrameResult,
        events: Sequence[TimedEvent],
        fps: float,
    ) -> None:
        if self._board is None or self._video is None:
            self._board = Dashboard(image.shape[1], image.shape[0])
            self._video = VideoFile(self._folder / OVERLAY, self._board.layout.size, fps)
        begin = self._frames[0].seconds
        drawn = self._board.draw(frame, image, result.labels, result.entropy, events, begin)
        self._video.write(drawn)


def state_record(name: str, frame: Frame) -> dict[str, Any]:
    """Return one frame as plain values."""
    return {
        'frame': name,
        'index': frame.index,
        'stamp': frame.seconds,
        'mean_entropy': frame.mean_entropy,
        'memorised': frame.memorised,
        'milliseconds': {
            part: 1e3 * getattr(frame.timings, part)
            for part in ('predict', 'lazy', 'refine', 'commit')
        },
        'objects': [object_record(state) for state in frame.objects],
    }


def object_record(state: ObjectState) -> dict[str, Any]:
    """Return one object in one frame as plain values."""
    return {
        'id': state.object_id,
        'label': state.label,
        'uncertainty': state.uncertainty,
        'derivative': state.derivative,
        'area': state.area,
        'box': state.box,
        'action': state.action.value,
        'question_open': state.question_open,
    }


def event_record(event: CorrectionEvent) -> dict[str, Any]:
    """Return one event as plain values."""
    return {
        'kind': event.kind.value,
        'object_id': event.object_id,
        'frame_index': event.frame_index,
        'stamp': event.stamp,
        'applied_stamp': event.applied_stamp,
        'request_id': event.request_id,
        'clicks': [[click.x, click.y, click.positive] for click in event.clicks],
        'uncertainty': event.uncertainty,
        'derivative': event.derivative,
        'reason': event.reason,
    }


def _append(file: Any, record: dict[str, Any]) -> None:
    """Write one line at once, so that it is there whatever happens next."""
    file.write(json.dumps(record) + '\n')
    file.flush()
