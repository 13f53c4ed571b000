"""Numbers that the paper prints, on LVOS v1 val (50 videos, 65 objects), in percent and seconds.

Source: Vujasinović et al., "Strike the Balance: On-the-Fly Uncertainty based User Interactions for
Long-Term Video Object Segmentation" (2024), Tables 1 and 2, and S1 and S2 of its supplement. Only
numbers that could be checked are here; a figure that a row lacks is printed as `-`. Rows of Table
2 without pseudo-corrections repeat rows of Table S2 digit for digit, although these were made with
another first mask and other corrections.
"""

from __future__ import annotations

from collections.abc import Mapping

Printed = Mapping[str, float]
"""Figures by the names of `figures.KEYS`."""

_USER = {'NoC': 507, 'IDI': 12.6, 'ACI': 7.80}
_USER_IDU = {'NoC': 327, 'IDI': 18.3, 'ACI': 5.05}
_LAZY = {'NoC': 325, 'IDI': 18.4, 'ACI': 5.02}

TABLES: Mapping[str, Mapping[str, Printed]] = {
    'table1': {
        'XMem': {'J&F': 52.8, 'R@0.5': 49.0},
        'Lazy-XMem†': {'J&F': 56.4},
        'Lazy-QDMN': {'NoC': 360, 'IDI': 16.7, 'ACI': 5.64},
        'Rand-Lazy-XMem': {'NoC': 335, 'IDI': 17.9, 'ACI': 5.17},
        'Lazy-XMem': {'J&F': 64.3, 'R@0.1': 70.2, **_LAZY},
    },
    'table2': {
        'none': {'R@0.1': 57.0, 'R@0.25': 55.0},
        'UDU': {'R@0.1': 56.3, 'R@0.25': 54.5},
        'UDU + user': _USER,
        'UDU + user + IDU': _USER_IDU,
        'UDU + pseudo': {},
        'all but pseudo-IDU': _LAZY,
        'all': {'NoC': 352, 'IDI': 17.3, 'ACI': 5.91},
    },
    'tableS1': {
        'XMem': {'J&F': 53.7, 'R@0.5': 41.3},
        'Lazy-XMem†': {'J&F': 57.2},
        'Rand-Lazy-XMem': {'NoC': 320, 'IDI': 18.2, 'ACI': 5.05},
        'Lazy-XMem': {'J&F': 63.5, 'NoC': 315, 'IDI': 18.9, 'ACI': 4.86},
    },
    'tableS2': {
        'S-trigger': {'NoC': 3647, 'IDI': 1.9, 'ACI': 56.1},
        'S-trigger + IDU': {'NoC': 787, 'IDI': 8.5, 'ACI': 12.1},
        'dS-trigger': _USER,
        'dS-trigger + IDU': _USER_IDU,
    },
}
"""By table and row."""
