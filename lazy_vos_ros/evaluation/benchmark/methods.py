"""The methods that are compared: toggles of the lazy layer, and who calls the operator."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from lazy_vos_ros.engine.config import LazyConfig

TOGGLES: dict[str, str] = {
    'udu': 'uncertainty_driven_update',
    'pseudo': 'pseudo_corrections',
    'pseudo-idu': 'pseudo_memory_update',
    'user': 'user_corrections',
    'idu': 'interaction_driven_update',
}
"""The columns of Table 2, and the fields of `LazyConfig` that they are."""

TRIGGERS = {'s-trigger': 'level', 'ds-trigger': 'derivative'}
"""What is compared with the threshold (Table S2); the derivative is the default."""

RANDOM = 'random'
INTERVAL = 'interval'

PLAIN = 'plain'
"""The tracker alone, with the lazy layer off."""

PRESETS = {
    'lazy': 'udu+pseudo+user+idu',
    'lazy-auto': 'udu+pseudo',
    'rand-lazy': 'random+udu+pseudo+idu',
}
"""Names of the paper: Lazy-XMem, its variant without a user (dagger), Rand-Lazy-XMem."""

ALLOWED = (
    f'{PLAIN}, xmem, cutie, {", ".join(PRESETS)}, interval:FRAMES, or a sum such as udu+user+idu '
    f'of {", ".join((*TOGGLES, *TRIGGERS, RANDOM, "interval:FRAMES"))}'
)


@dataclass(frozen=True)
class Method:
    """What is done with a tracker: its settings, and corrections that nobody asked for."""

    name: str
    """As it was given, for people."""
    config: LazyConfig
    random: bool = False
    """Whether corrections come in frames drawn at random."""
    interval: int | None = None
    """Frames from one correction of an object to the next; None: no fixed interval."""

    @property
    def asks(self) -> bool:
        """Whether the operator has anything to do."""
        return self.config.user_corrections or self.scheduled

    @property
    def scheduled(self) -> bool:
        """Whether the frames of the corrections are known beforehand."""
        return self.random or self.interval is not None


def parse_method(
    text: str, base: LazyConfig, *, s_threshold: float | None = None, plain: str = 'xmem'
) -> Method:
    """Return the method that a name or a sum of toggles means.

    Parameters
    ----------
    text
        One of :data:`ALLOWED`. Toggles that a sum does not name are off.
    base
        Thresholds and everything that is no toggle.
    s_threshold
        S_R from which the level trigger asks, in place of `tau_u`; the paper does not tell its
        value. None: `tau_u` as it is.
    plain
        What the tracker alone is called, beside :data:`PLAIN`.

    Raises
    ------
    ValueError
        If it means none, or the thresholds contradict each other.
    """
    names = PRESETS.get(text, text)
    if text.startswith(f'{INTERVAL}:') and '+' not in text:
        names = f'{text}+udu+pseudo+idu'
    words = [] if text in (PLAIN, plain) else names.split('+')
    changes: dict[str, Any] = dict.fromkeys(TOGGLES.values(), False)
    random, interval = False, None
    for word in words:
        if word in TOGGLES:
            changes[TOGGLES[word]] = True
        elif word in TRIGGERS:
            changes['trigger'] = TRIGGERS[word]
        elif word == RANDOM:
            random = True
        elif word.startswith(f'{INTERVAL}:'):
            interval = _frames(text, word)
        else:
            raise ValueError(f'method is {text!r}; allowed: {ALLOWED}')
    if len(words) != len(set(words)) or (random and interval is not None):
        raise ValueError(f'method is {text!r}; allowed: each word once, random or an interval')
    if (random or interval is not None) and changes['user_corrections']:
        raise ValueError(
            f'method is {text!r}; allowed: user, or corrections at random or at an interval'
        )
    if changes.get('trigger') == 'level' and s_threshold is not None:
        changes |= {'tau_u': s_threshold, 'tau_p': min(base.tau_p, s_threshold)}
    return Method(text, replace(base, **changes), random, interval)


def _frames(text: str, word: str) -> int:
    number = word.partition(':')[2]
    if not number.isdecimal() or int(number) < 1:
        raise ValueError(f'method is {text!r}; allowed: interval:FRAMES with at least 1 frame')
    return int(number)
