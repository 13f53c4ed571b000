"""Showing the objects of a data set to the tracker, each when it first appears."""

from __future__ import annotations

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.person import Person
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.metrics import Mask


class Introduction:
    """Brings each object in with its first annotated frame, by its mask or by one click.

    Where clicks give no usable mask, the objects that are still to come are tried again one by
    one, a frame each, as a person would click again; `notes` says so.
    """

    def __init__(self, truth: GroundTruth, cast: Cast, person: Person, *, by_click: bool) -> None:
        self._truth = truth
        self._cast = cast
        self._person = person
        self._by_click = by_click
        self._waiting = list(truth.first)
        self._one_by_one = False
        self.notes: list[str] = []

    def step(self, tracker: LazyTracker, index: int, image: Image, stamp: float) -> FrameResult:
        """Take one time step, in which objects may appear."""
        prompts = self._prompts(index)
        if not prompts:
            return tracker.step(image, stamp)
        try:
            result = tracker.add_objects(image, list(prompts.values()), stamp)
        except ValueError as error:
            return self._later(tracker, index, prompts, error)
        self._cast.enter({p.object_id: item for item, p in prompts.items() if p.object_id})
        self._waiting = [item for item in self._waiting if item not in prompts]
        return result

    def _prompts(self, index: int) -> dict[int, Prompt]:
        """Return what to show in this frame, by the data set's id."""
        masks = {item: self._truth.mask(index, item) for item in self._waiting}
        seen = {item: mask for item, mask in masks.items() if mask is not None and mask.any()}
        chosen = list(seen)[:1] if self._one_by_one else list(seen)
        first = self._cast.next_id
        return {
            item: self._prompt(index, first + place, item, seen[item])
            for place, item in enumerate(chosen)
        }

    def _prompt(self, index: int, tracker_id: int, object_id: int, mask: Mask) -> Prompt:
        label = f'object {object_id}'
        click = centre_click(mask) if self._by_click else None
        if click is None:
            return Prompt(mask=mask, label=label, object_id=tracker_id)
        self._person.tells(index, tracker_id, object_id)
        return Prompt(clicks=(click,), label=label, object_id=tracker_id)

    def _later(
        self, tracker: LazyTracker, index: int, prompts: dict[int, Prompt], error: ValueError
    ) -> FrameResult:
        """Note why objects did not come in; the tracker took its step without them."""
        result = tracker.latest
        if result is None or result.frame_index != index:
            raise error  # it was the image that was refused, and no step was taken
        names = ', '.join(map(str, prompts))
        self.notes.append(f'frame {index}: objects {names} could not be shown: {error}')
        self._one_by_one = True
        # Those that failed go to the end, so that one of them does not keep out the others.
        self._waiting = [item for item in self._waiting if item not in prompts] + list(prompts)
        return result
