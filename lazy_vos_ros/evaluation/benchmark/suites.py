"""The rows of the paper's tables as methods of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lazy_vos_ros.evaluation.benchmark.methods import PLAIN
from lazy_vos_ros.evaluation.benchmark.settings import ORACLE


@dataclass(frozen=True)
class SuiteRow:
    """One row of a table."""

    name: str
    method: str | None
    """For :func:`~.methods.parse_method`; None for a row that cannot be run here."""
    missing: str = ''
    """What a row that cannot be run would need."""


@dataclass(frozen=True)
class Suite:
    """One table."""

    name: str
    title: str
    init: str
    rows: tuple[SuiteRow, ...]
    refiner: str | None = None
    """What makes masks of the person's clicks; None: as the command says."""


_XMEM = SuiteRow('XMem', PLAIN)
_DAGGER = SuiteRow('Lazy-XMem†', 'lazy-auto')
_RANDOM = SuiteRow('Rand-Lazy-XMem', 'rand-lazy')
_LAZY = SuiteRow('Lazy-XMem', 'lazy')
_QDMN = SuiteRow(
    'Lazy-QDMN', None, 'a backend for the tracker QDMN with its quality score, and its weights'
)

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            'table1',
            'first mask from one click',
            'click',
            (_XMEM, _DAGGER, _QDMN, _RANDOM, _LAZY),
        ),
        Suite(
            'table2',
            'ablation, first mask from one click',
            'click',
            (
                SuiteRow('none', PLAIN),
                SuiteRow('UDU', 'udu'),
                SuiteRow('UDU + user', 'udu+user'),
                SuiteRow('UDU + user + IDU', 'udu+user+idu'),
                SuiteRow('UDU + pseudo', 'lazy-auto'),
                SuiteRow('all but pseudo-IDU', 'lazy'),
                SuiteRow('all', 'udu+pseudo+pseudo-idu+user+idu'),
            ),
        ),
        Suite('tableS1', 'first mask given', 'mask', (_XMEM, _DAGGER, _RANDOM, _LAZY)),
        Suite(
            'tableS2',
            'triggers; first mask and corrections from the ground truth',
            'mask',
            (
                SuiteRow('S-trigger', 's-trigger+udu+user'),
                SuiteRow('S-trigger + IDU', 's-trigger+udu+user+idu'),
                SuiteRow('dS-trigger', 'ds-trigger+udu+user'),
                SuiteRow('dS-trigger + IDU', 'ds-trigger+udu+user+idu'),
            ),
            refiner=ORACLE,
        ),
    )
}
"""By the names that `--suite` takes."""

BUDGET_ROW = 'lazy'
"""Method whose corrections an object are the mean number of those drawn at random."""


def suite_named(name: str) -> Suite:
    """Return the suite of this name; ValueError names those that there are."""
    if name not in SUITES:
        raise ValueError(f'suite is {name!r}; allowed: {", ".join(SUITES)}')
    return SUITES[name]
