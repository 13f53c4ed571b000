"""One frame and everything that was learned about it, at once or later."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.labels import one_hot
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.substitution import substitute

TRUSTED_SCORE = 0.9
"""From which score of the refiner on a corrected mask is as good as one that was given."""


@dataclass(frozen=True)
class Measurement:
    """The uncertainty of one object in one frame, before any correction."""

    uncertainty: float = 0.0
    """S_R."""
    derivative: float = 0.0
    """dS; 0 in the frame in which the object appears."""
    changed: bool = False
    """Whether its whereabouts changed with this frame."""


@dataclass(frozen=True)
class Part:
    """What replaces the prediction of one object in a frame."""

    mask: RefinedMask | None
    action: Action | None
    gone: bool


@dataclass(frozen=True)
class CorrectedFrame:
    """A frame with its prediction and the masks that replace parts of it.

    It stays alive as long as it is the newest one or a question about it is open. Answers about
    several objects of one frame, whenever they come, meet here, so that none undoes another.
    """

    prediction: Prediction = field(repr=False)
    """Before corrections, with the objects that appear in this frame."""
    stamp: float
    """Seconds."""
    channels: npt.NDArray[np.int16] = field(repr=False)
    """(H, W) most probable channel of the prediction."""
    entropy: npt.NDArray[np.float32] = field(repr=False)
    """(H, W) of the prediction, before objects were added."""
    measurements: Mapping[int, Measurement]
    """By object id, for every object of the prediction."""
    given: Mapping[int, RefinedMask] = field(repr=False)
    """First masks of the objects that appear in this frame; the prediction has them already."""
    corrections: dict[int, RefinedMask] = field(default_factory=dict, repr=False)
    """Masks that replace predicted ones, by object id."""
    actions: dict[int, Action] = field(default_factory=dict)
    """What happened to the objects, by id; nothing where an id is missing."""
    gone: set[int] = field(default_factory=set)
    """Ids of objects that the operator said are not in it."""

    @property
    def index(self) -> int:
        """Number of the frame since the last reset, from 0."""
        return self.prediction.frame.index

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.channels.shape
        return height, width

    @property
    def corrected_by_user(self) -> bool:
        """Whether the operator corrected the mask of an object; that it is gone is no mask."""
        return any(
            action is Action.CORRECTED and item not in self.gone
            for item, action in self.actions.items()
        )

    @property
    def corrected_by_itself(self) -> bool:
        """Whether a pseudo-correction of an object is in force."""
        return any(self.actions[item] is not Action.CORRECTED for item in self.corrections)

    def channel(self, object_id: int) -> int:
        """Return the channel of an object in the prediction."""
        return 1 + self.prediction.object_ids.index(object_id)

    def predicted_mask(self, object_id: int) -> npt.NDArray[np.bool_]:
        """Return the (H, W) pixels where the object is the most probable before corrections."""
        return np.asarray(self.channels == self.channel(object_id))

    def probabilities(self, *, soft_others: bool) -> torch.Tensor:
        """Return (n+1, H, W) with all corrections; the predicted ones if there are none.

        Parameters
        ----------
        soft_others
            Whether objects without a correction keep their probabilities, or become 0 and 1.
        """
        predicted = self.prediction.probabilities
        if not self.corrections:
            return predicted
        others = predicted[1:] if soft_others else one_hot(predicted)
        masks = {**self.given, **self.corrections}
        return substitute(others, self.prediction.object_ids, masks)

    def part(self, object_id: int) -> Part:
        """Return what was done about an object so far."""
        return Part(
            self.corrections.get(object_id), self.actions.get(object_id), object_id in self.gone
        )

    def put_back(self, object_id: int, part: Part) -> None:
        """Undo what was done about an object since."""
        self.corrections.pop(object_id, None)
        self.actions.pop(object_id, None)
        self.gone.discard(object_id)
        if part.mask is not None:
            self.corrections[object_id] = part.mask
        if part.action is not None:
            self.actions[object_id] = part.action
        if part.gone:
            self.gone.add(object_id)

    def operator_corrections(self) -> dict[int, RefinedMask]:
        """Return the masks that the operator caused, by object id; empty ones of gone objects."""
        return {
            item: mask
            for item, mask in self.corrections.items()
            if self.actions.get(item) is Action.CORRECTED
        }

    def trusted_corrections(self) -> set[int]:
        """Return the ids of the objects whose masks of the operator are as good as given ones."""
        corrections = self.operator_corrections()
        return {item for item, mask in corrections.items() if mask.score >= TRUSTED_SCORE}
