"""When to ask the operator, and when to correct without (Eq. 4)."""

from collections.abc import Mapping
from enum import Enum
from operator import ge
from operator import gt
from typing import Any

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.facts import finite


class Decision(Enum):
    """What the uncertainty of one object calls for in one frame."""

    NONE = 'none'
    PSEUDO = 'pseudo'
    """A click made from the mask itself."""
    USER = 'user'
    """The operator's help."""
    LOST = 'lost'
    """The operator's help, because the object has vanished."""


def decide(value: float, config: LazyConfig) -> Decision:
    """Compare dS (or S_R, with the level trigger) with the thresholds.

    The operator's turn begins at tau_u; the pseudo-correction's range is from tau_p to below
    tau_u, or without an upper end if nobody may be asked (the paper's variant without a user).
    With strict comparisons, as in the published code, a value equal to tau_u triggers nothing.
    """
    reaches = gt if config.trigger_strict else ge
    if config.user_corrections and reaches(value, config.tau_u):
        return Decision.USER
    below_user = not config.user_corrections or value < config.tau_u
    if config.pseudo_corrections and below_user and reaches(value, config.tau_p):
        return Decision.PSEUDO
    return Decision.NONE


def is_alarm(uncertainty: float, before: float, config: LazyConfig) -> bool:
    """Whether S_R calls for the operator, compared with what it was before."""
    value = uncertainty - before if config.trigger == 'derivative' else uncertainty
    return decide(value, config) is Decision.USER


class ObjectTrigger:
    """The course of one object's uncertainty, from the frame in which it appeared."""

    def __init__(self, uncertainty: float) -> None:
        """Start from S_R in the frame in which the object appeared."""
        self._previous = uncertainty
        self._age = 0

    def facts(self) -> dict[str, Any]:
        """Return everything that it knows, for a file."""
        return {'previous': self._previous, 'age': self._age}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> 'ObjectTrigger':
        """Return the trigger of these facts; KeyError, TypeError or ValueError if they are not."""
        made = cls(finite(facts['previous']))
        made._age = count(facts['age'])
        return made

    def update(self, uncertainty: float, config: LazyConfig) -> tuple[float, Decision]:
        """Take S_R of the next frame, before any correction; return dS and the decision."""
        derivative = uncertainty - self._previous
        self._previous = uncertainty
        self._age += 1
        if self._age <= config.trigger_warmup:
            return derivative, Decision.NONE
        value = derivative if config.trigger == 'derivative' else uncertainty
        return derivative, decide(value, config)
