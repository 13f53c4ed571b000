"""What a report shows of each question: the click, the entropy, the mask before and after."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.bag_pictures import BagPictures
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.evaluated_run import FramePictures
from lazy_vos_ros.evaluation.evaluated_run import Question
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.crops import Box
from lazy_vos_ros.evaluation.report.crops import box_of
from lazy_vos_ros.evaluation.report.crops import framed
from lazy_vos_ros.evaluation.report.crops import heat_crop
from lazy_vos_ros.evaluation.report.crops import jpeg
from lazy_vos_ros.evaluation.report.crops import overlay_crop
from lazy_vos_ros.evaluation.report.crops import region
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.summary import ANSWERS


@dataclass(frozen=True)
class Thumbnail:
    """One picture of a question."""

    title: str
    caption: str
    alt: str
    picture: Image | None
    """(H, W, 3) uint8 RGB; None where it was not recorded."""

    @property
    def source(self) -> str:
        """The picture as a data URI; empty without one."""
        if self.picture is None:
            return ''
        return 'data:image/jpeg;base64,' + b64encode(jpeg(self.picture)).decode()


@dataclass(frozen=True)
class QuestionView:
    """A question as the report shows it."""

    number: int
    """From 1 among all questions of the run."""
    anchor: str
    """Its id on the page."""
    heading: str
    reason: str
    outcome: str
    thumbnails: tuple[Thumbnail, ...]

    @property
    def pictured(self) -> bool:
        """Whether any of its pictures was recorded."""
        return any(item.picture is not None for item in self.thumbnails)


def chosen(count: int, most: int) -> list[int]:
    """Return which of `count` questions are pictured: at most `most`, evenly spread."""
    if count <= most:
        return list(range(count))
    return sorted({round(place) for place in np.linspace(0, count - 1, most)}) if most else []


def question_views(run: EvaluatedRun, prefix: str, most: int) -> tuple[QuestionView, ...]:
    """Return at most `most` questions of a run, evenly spread over all of them.

    Parameters
    ----------
    run
        Its pictures are read from the bag, those of a few frames for each question.
    prefix
        Begins the ids of the questions on the page.
    most
        How many.
    """
    return tuple(
        _view(run, run.questions[index], index + 1, f'{prefix}-question-{index + 1}')
        for index in chosen(len(run.questions), most)
    )


def outcome_of(question: Question) -> str:
    """Return in words what became of a question."""
    if question.closing is None:
        return 'open at the end of the recording'
    text = words.kind_name(question.closing.kind)
    if question.waited is not None:
        text += f' after {words.number(question.waited, "{:.1f}", "s")}'
    reason = question.closing.reason
    return f'{text}: {reason}' if reason else text


def _view(run: EvaluatedRun, question: Question, number: int, anchor: str) -> QuestionView:
    asked = question.asked
    label = run.labels.get(asked.object_id, f'object {asked.object_id}')
    time = words.duration(asked.stamp - run.begin)
    return QuestionView(
        number=number,
        anchor=anchor,
        heading=f'Question {number}: {label}, {time}, frame {asked.frame_index}',
        reason=(
            f'Uncertainty {words.number(asked.uncertainty)}, change '
            f'{words.number(asked.derivative, "{:+.2f}")}.'
        ),
        outcome=words.capitalised(outcome_of(question)) + '.',
        thumbnails=_thumbnails(run, question),
    )


def _thumbnails(run: EvaluatedRun, question: Question) -> tuple[Thumbnail, ...]:
    object_id = question.asked.object_id
    frame = run.frame_near(question.asked.stamp)
    frozen = run.pictures(frame)
    before, after = frames_around(run, question)
    first = frozen if before is frame else run.pictures(before)
    second = None if after is None else frozen if after is frame else run.pictures(after)
    again = _tracked_again(run, frame) if after is not None else None
    if again is not None:
        after, second = frame, replace(frozen, labels=again)
    clicks = question.closing.clicks if question.closing else ()
    boxes = [box_of(item.labels, object_id) for item in (frozen, first, second) if item]
    size = (1, 1) if frozen.image is None else (frozen.image.shape[1], frozen.image.shape[0])
    box = region(size, boxes, clicks)
    found = [
        _whole(frozen, question, size, box),
        _entropy(frozen, box, frame),
        _mask(
            first,
            box,
            'Mask before',
            _before_caption(run, question, before, frame),
            object_id,
            clicks if before is frame else (),
        ),
    ]
    if after is not None and second is not None:
        wait = words.number(after.seconds - question.asked.stamp, '{:.1f}', 's')
        when = 'the same frame' if after is frame else f'frame {after.index}, {wait} later'
        caption = f'First mask with the answer: {when}.'
        if again is not None:
            caption = 'The same frame, tracked again from the answer.'
        found.append(_mask(second, box, 'Mask after', caption, object_id))
    return tuple(found)


def frames_around(run: EvaluatedRun, question: Question) -> tuple[Frame, Frame | None]:
    """Return the frames whose masks were put out just before and just after the answer.

    Before is the frame of the question, or the one before it if the answer came within the frame.
    After is the first frame that was processed with the answer; None if there was no answer, or
    no frame after it.
    """
    frames = run.run.frames
    asked_in = run.frame_near(question.asked.stamp)
    place = frames.index(asked_in)
    state = asked_in.state_of(question.asked.object_id)
    if state is not None and state.action is Action.CORRECTED:
        return frames[max(place - 1, 0)], asked_in
    closing = question.closing
    if closing is None or closing.kind not in ANSWERS:
        return asked_in, None
    later = (frame for frame in frames if frame.seconds > closing.applied_stamp + 1e-6)
    return asked_in, min(later, key=lambda frame: frame.stamp, default=None)


def _tracked_again(run: EvaluatedRun, frame: Frame) -> npt.NDArray[np.uint16] | None:
    """Return the mask of a frame after a replay; None where there was none."""
    pictures = run.run.pictures
    if not isinstance(pictures, BagPictures):
        return None
    try:
        return pictures.repaired(frame.stamp)
    except ValueError:
        return None  # an unknown encoding, or damaged


def _before_caption(run: EvaluatedRun, question: Question, before: Frame, asked_in: Frame) -> str:
    if before is not asked_in:
        return f'Frame {before.index}, the one before: the answer came within the frame.'
    own = any(
        event.kind is EventKind.PSEUDO
        and event.object_id == question.asked.object_id
        and event.frame_index == question.asked.frame_index
        for event in run.run.events
    )
    return f'Frame {before.index}' + (', as the tracker corrected it itself.' if own else '.')


def _whole(
    frozen: FramePictures, question: Question, size: tuple[int, int], box: Box
) -> Thumbnail:
    clicks = question.closing.clicks if question.closing else ()
    places = words.listed(
        f'{"here" if click.positive else "not here"} at ({click.x:.0f}, {click.y:.0f})'
        for click in clicks
    )
    caption = f'Click: {places}.' if places else 'No click.'
    everything = (0, 0, *size)
    picture = None
    if frozen.image is not None:
        picture = overlay_crop(frozen.image, None, everything, clicks)
        if box != everything:
            picture = framed(picture, size, box)
    alt = f'The frozen image of frame {question.asked.frame_index}. {caption}'
    return Thumbnail('Image and click', caption, alt, picture)


def _entropy(frozen: FramePictures, box: Box, frame: Frame) -> Thumbnail:
    entropy = frozen.entropy
    fits = frozen.image is None or entropy is None or entropy.shape == frozen.image.shape[:2]
    picture = None
    if entropy is not None and fits:
        whole = (0, 0, entropy.shape[1], entropy.shape[0])
        picture = heat_crop(entropy, box if frozen.image is not None else whole)
    alt = f'Entropy of each pixel in frame {frame.index}; bright is unsure.'
    return Thumbnail('Entropy', 'Bright: unsure.', alt, picture)


def _mask(
    pictures: FramePictures,
    box: Box,
    title: str,
    caption: str,
    object_id: int,
    clicks: Sequence[Click] = (),
) -> Thumbnail:
    image, labels = pictures.image, pictures.labels
    picture = None
    if image is not None and labels is not None and labels.shape == image.shape[:2]:
        picture = overlay_crop(image, labels, box, clicks)
        share = _share(labels, object_id)
        caption = f'{caption} {share}'
    return Thumbnail(title, caption, f'{title} over the image. {caption}', picture)


def _share(labels: npt.NDArray[np.uint16], object_id: int) -> str:
    area = int((labels == object_id).sum())
    return f'{words.whole(area)} pixels.' if area else 'No pixel.'


def table_rows(run: EvaluatedRun, indices: Sequence[int]) -> list[tuple[str, ...]]:
    """Return time, object, S_R, dS, outcome and waiting time of some questions, in words."""
    rows: list[tuple[str, ...]] = []
    for index in indices:
        question = run.questions[index]
        asked = question.asked
        rows.append(
            (
                str(index + 1),
                words.duration(asked.stamp - run.begin),
                run.labels.get(asked.object_id, str(asked.object_id)),
                words.number(asked.uncertainty),
                words.number(asked.derivative, '{:+.2f}'),
                'open at the end'
                if question.closing is None
                else words.kind_name(question.closing.kind),
                words.number(question.waited, '{:.1f}', 's'),
            )
        )
    return rows
