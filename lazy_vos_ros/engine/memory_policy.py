"""What enters the memory: UDU, IDU and pseudo-IDU (Sec. 3.4)."""

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.config import LazyConfig


def memorise_corrections(config: LazyConfig, *, user: bool, pseudo: bool) -> bool:
    """Return whether refined masks are memorised; a person's word comes before the tracker's.

    Parameters
    ----------
    config
        The toggles of the ablation.
    user, pseudo
        Whether the operator, or the tracker itself, corrected an object in the frame.
    """
    if user:
        return config.interaction_driven_update
    return pseudo and config.pseudo_memory_update


def memory_write(
    config: LazyConfig, *, given: bool, user: bool, pseudo: bool, uncertainty: float
) -> MemoryWrite:
    """Return what to do with one frame: given masks > operator > pseudo-correction > UDU.

    Parameters
    ----------
    config
        The toggles of the ablation, tau_m and the clock.
    given
        Whether an object appears in the frame, by a mask or click.
    user, pseudo
        Whether the operator, or the tracker itself, corrected an object in it.
    uncertainty
        Largest S_R of all objects in it.
    """
    if given or memorise_corrections(config, user=user, pseudo=pseudo):
        return MemoryWrite.FORCED
    too_uncertain = config.uncertainty_driven_update and uncertainty > config.tau_m
    if user or pseudo or too_uncertain:
        return MemoryWrite.FROZEN if config.freeze_clock else MemoryWrite.BLOCKED
    return MemoryWrite.SCHEDULED
