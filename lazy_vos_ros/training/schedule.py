"""The learning rate over a run."""

from math import cos
from math import pi


def rate_factor(step: int, steps: int, warmup: int) -> float:
    """Return a linear warm-up to 1, then a half cosine to a hundredth."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(steps - warmup, 1)
    return 0.01 + 0.99 * 0.5 * (1 + cos(pi * share))
