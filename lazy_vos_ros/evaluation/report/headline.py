"""The first things to read: what happened, in plain words and few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.curves import Curves

USUAL_IOU = 'R@0.5'
"""The part of the frames in which half of the mask is right."""


@dataclass(frozen=True)
class Headline:
    """One number and what it says."""

    title: str
    value: str
    text: str


def sentence(run: EvaluatedRun) -> str:
    """Return the run in one sentence."""
    summary = run.summary
    asked = {0: 'never asked', 1: 'asked the operator once'}.get(
        summary.questions, f'asked the operator {words.whole(summary.questions)} times'
    )
    own = {0: '', 1: 'corrected itself once'}.get(
        summary.pseudo_corrections,
        f'corrected itself {words.whole(summary.pseudo_corrections)} times',
    )
    followed = f'followed {words.counted(len(summary.objects), "object")}'
    return (
        f'In {words.duration(summary.duration)} of video the tracker '
        f'{words.listed([followed, asked, own])}.'
    )


def networks(run: EvaluatedRun) -> str:
    """Return on which weights the tracker and its refiner ran, in one sentence."""
    told = [
        f'{title} {run.settings[name]}'
        for name, title in (('weights', 'Tracker:'), ('refiner', 'refiner:'))
        if name in run.settings
    ]
    return f'{"; ".join(told)}.' if told else 'The recording does not tell the weights.'


def headlines(run: EvaluatedRun, curves: Sequence[Curves]) -> list[Headline]:
    """Return the numbers to read first; `curves` are those of all objects."""
    return [_questions(run), _reaction(run), _quality(run), _presence(curves), _latency(run)]


def _questions(run: EvaluatedRun) -> Headline:
    summary = run.summary
    minutes = summary.duration / 60
    parts = [f'{words.whole(summary.answers)} answered'] if summary.questions else []
    for count, name in (
        (summary.skipped, 'skipped'),
        (summary.expired, 'expired'),
        (summary.refused, 'refused'),
        (summary.still_open, 'open at the end'),
    ):
        parts += [f'{words.whole(count)} {name}'] if count else []
    text = words.listed(parts) or 'nobody was disturbed'
    if summary.questions and minutes > 0:
        text += f'; {words.number(summary.questions / minutes, "{:.1f}")} a minute'
    return Headline('Questions asked', words.whole(summary.questions), text + '.')


def _reaction(run: EvaluatedRun) -> Headline:
    times = [item.reaction for item in run.questions if item.reaction is not None]
    if not times:
        return Headline('Reaction time', words.UNKNOWN, 'No question was answered.')
    text = f'Median; the longest answer took {words.duration(max(times))}.'
    return Headline('Reaction time', words.duration(run.summary.reaction_p50), text)


def _quality(run: EvaluatedRun) -> Headline:
    title = 'Good masks'
    if run.quality is None:
        return Headline(title, words.UNKNOWN, 'Not known: there are no true masks to compare.')
    mean = run.quality.mean
    if USUAL_IOU not in mean:
        return Headline(title, words.UNKNOWN, 'Not known: no true mask could be compared.')
    text = (
        f'Of the frames, with IoU of 0.5 or more; mean IoU {words.number(mean.get("J"))}, from '
        f'{words.counted(run.quality.frames, "frame")} with a true mask.'
    )
    return Headline(title, words.percent(mean[USUAL_IOU]), text)


def _presence(curves: Sequence[Curves]) -> Headline:
    absent = sum(item.absent_seconds for item in curves)
    stretches = sum(len(item.absences) for item in curves)
    title = 'Object absent'
    if not stretches:
        return Headline(title, '0 s', 'Every object was there in every frame.')
    objects = sum(bool(item.absences) for item in curves)
    text = f'{words.counted(objects, "object")}, {words.counted(stretches, "stretch")}'
    text = text.replace('stretchs', 'stretches')
    # A narrow field may break between minutes and seconds, not within either.
    length = words.duration(absent).replace(' s', '\u00a0s').replace(' min', '\u00a0min')
    return Headline(title, length, f'{text} without a mask: hidden, gone, or lost.')


def _latency(run: EvaluatedRun) -> Headline:
    summary = run.summary
    dropped = words.counted(summary.dropped, 'image') + ' dropped.'
    speed = f'{words.number(summary.fps, "{:.1f}")} images a second; {dropped}'
    if summary.latency_p50 is None:
        value = words.number(summary.step_p50, '{:.0f}', 'ms')
        return Headline('Time step', value, f'Median; {speed}')
    value = words.number(summary.latency_p50, '{:.0f}', 'ms')
    return Headline('Image to result', value, f'Median; {speed}')
