"""State of a run on disk, so that an interrupted one goes on as if it had not been."""

from pathlib import Path

import torch
from torch import nn


def save(
    path: Path,
    step: int,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    average: nn.Module | None = None,
) -> None:
    """Write all that the next step depends on; an interrupted write leaves the old file.

    `average` is the model whose weights are a running average of those of `model`.
    """
    state = {
        'step': step,
        'model': model.state_dict(),
        'average': None if average is None else average.state_dict(),
        'optimiser': optimiser.state_dict(),
        'generator': generator.get_state(),
    }
    temporary = path.with_suffix('.tmp')
    torch.save(state, temporary)
    temporary.replace(path)


def load(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    average: nn.Module | None = None,
) -> int:
    """Restore a run and return the number of steps done; 0 if there is no checkpoint."""
    if not path.is_file():
        return 0
    state = torch.load(path, map_location='cpu', weights_only=True)
    model.load_state_dict(state['model'])
    optimiser.load_state_dict(state['optimiser'])
    generator.set_state(state['generator'])
    if average is not None:
        average.load_state_dict(state['average'])
    return int(state['step'])
