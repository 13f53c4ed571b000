"""How much the members of a committee disagree: epistemic uncertainty V of every pixel.

The paper gives no formula. The variance is the default; the mutual information is what is left
of the entropy of the mean when the members' own entropy is taken away.
"""

from collections.abc import Callable

import torch

from lazy_vos_ros.engine.entropy import entropy_map


def variance_map(members: torch.Tensor) -> torch.Tensor:
    """Return the variance over members, averaged over background and objects.

    Parameters
    ----------
    members
        (K, n+1, H, W) probabilities of K members.

    Returns
    -------
    (H, W) float32 in [0, 0.25].
    """
    return members.var(0, correction=0).mean(0)


def mutual_information_map(members: torch.Tensor) -> torch.Tensor:
    """Return the entropy of the mean less the mean entropy, both normalised by ``ln(n+1)``.

    Parameters
    ----------
    members
        (K, n+1, H, W) probabilities of K members.

    Returns
    -------
    (H, W) float32 in [0, 1].
    """
    own = torch.stack([entropy_map(member) for member in members]).mean(0)
    return (entropy_map(members.mean(0)) - own).clamp_(0, 1)


EPISTEMIC: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    'variance': variance_map,
    'mutual-information': mutual_information_map,
}
"""By the names that `--epistemic` takes."""
