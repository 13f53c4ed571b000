"""Run the rows of a table and set them beside the paper's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from lazy_vos_ros.evaluation.benchmark.figures import KEYS
from lazy_vos_ros.evaluation.benchmark.figures import QUALITY
from lazy_vos_ros.evaluation.benchmark.paper_tables import TABLES
from lazy_vos_ros.evaluation.benchmark.results import Results
from lazy_vos_ros.evaluation.benchmark.results import figures_text
from lazy_vos_ros.evaluation.benchmark.run import Means
from lazy_vos_ros.evaluation.benchmark.run import Plan
from lazy_vos_ros.evaluation.benchmark.run import run_benchmark
from lazy_vos_ros.evaluation.benchmark.suites import BUDGET_ROW
from lazy_vos_ros.evaluation.benchmark.suites import Suite
from lazy_vos_ros.evaluation.benchmark.suites import SuiteRow
from lazy_vos_ros.evaluation.counts import counted

ROWS = 'rows'
"""Folder of the rows; equal rows of several suites are run once."""

COMPARED = ('J&F', 'R@0.1', 'R@0.25', 'R@0.5', 'NoC')
"""Figures by which the order of the rows is compared with the paper's."""

PlanOf = Callable[[SuiteRow], Plan]


@dataclass(frozen=True)
class SuiteTable:
    """A table that was run."""

    suite: Suite
    results: Mapping[str, Results]
    """By row."""
    missing: Mapping[str, str]
    """What the rows that were not run would need."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            'suite': self.suite.name,
            'title': self.suite.title,
            'rows': [
                {
                    'name': row.name,
                    'paper': dict(TABLES[self.suite.name].get(row.name, {})),
                    'missing': self.missing.get(row.name),
                    'results': self.results[row.name].to_json()
                    if row.name in self.results
                    else None,
                }
                for row in self.suite.rows
            ],
        }

    def text(self) -> str:
        """Return the table for people: each row as it came out here, and as printed."""
        lines = [
            f'{self.suite.name}: {self.suite.title}',
            *self._made_with(),
            f'{"":<28}' + ''.join(f'{key:>8}' for key in KEYS),
        ]
        for row in self.suite.rows:
            if row.name in self.results:
                lines.append(f'{row.name:<22}{"here":<6}{self._figures(row.name)}')
            else:
                lines.append(f'{row.name:<22}{"here":<6}  missing: {self.missing[row.name]}')
            lines.append(f'{"":<22}{"paper":<6}{_paper_text(self.suite.name, row.name)}')
        return '\n'.join([*lines, *self.order()])

    def _made_with(self) -> list[str]:
        """Return on what data and with which weights the rows were run, if any was."""
        if not self.results:
            return []
        every = list(self.results.values())
        one = every[0]
        weights = {
            f'{file} (SHA-256 {sha256[:12]})': None
            for item in every
            for file, sha256 in item.about['settings']['sha256'].items()
        }
        size = one.about['settings']['size']
        return [
            f'here: {Path(one.about["dataset"]).name}, '
            f'{counted(len(one.sequences), "sequence")}, '
            f'{counted(one.mean["objects"], "object")}, size '
            f'{"of the weights" if size is None else size}; {", ".join(weights)}'
        ]

    def _figures(self, row: str) -> str:
        results = self.results[row]
        note = f'   mean of {len(results.seeds)} seeds' if len(results.seeds) > 1 else ''
        return figures_text(results.mean) + note

    def order(self) -> list[str]:
        """Return, for each pair of rows that differ in the paper, whether they do so here."""
        texts = []
        for key in COMPARED:
            same, other = self._compare(key)
            if same or other:
                wrong = f'; not: {", ".join(other)}' if other else ''
                texts.append(
                    f'order by {key}: {same} of {same + len(other)} pairs as printed{wrong}'
                )
        return texts

    def _compare(self, key: str) -> tuple[int, list[str]]:
        printed = TABLES[self.suite.name]
        rows = [
            row.name
            for row in self.suite.rows
            if row.name in self.results and key in printed.get(row.name, {})
        ]
        same, other = 0, []
        for one, two in combinations(rows, 2):
            here = [self.results[row].mean[key] for row in (one, two)]
            if None in here or printed[one][key] == printed[two][key]:
                continue
            if (here[0] < here[1]) == (printed[one][key] < printed[two][key]) and here[0] != here[
                1
            ]:
                same += 1
            else:
                low, high = sorted((one, two), key=lambda row: printed[row][key])
                other.append(f'{low} < {high}')
        return same, other


def run_suite(
    suite: Suite,
    plan_of: PlanOf,
    folder: Path,
    means: Means,
    *,
    say: Callable[[str], None],
    random_mean: float | None = None,
) -> SuiteTable:
    """Run all rows that can be run, each in a folder of its own below `folder`.

    Parameters
    ----------
    suite
        The table.
    plan_of
        Returns what is run for a row; RuntimeError says what is missing.
    folder, means
        As of :func:`~.run.run_benchmark`.
    say
        Takes what is being done, for people.
    random_mean
        Mean number of corrections of an object that are drawn at random; None: as many as
        :data:`~.suites.BUDGET_ROW` needed, so that the rows cost the person about the same.
    """
    results: dict[str, Results] = {}
    missing = {row.name: row.missing for row in suite.rows if row.method is None}
    budget = random_mean
    for row in sorted((row for row in suite.rows if row.method is not None), key=_after_budget):
        try:
            plan = plan_of(row)
        except RuntimeError as error:
            missing[row.name] = str(error)
            continue
        if plan.settings.method.random and budget is not None:
            plan = replace(plan, settings=replace(plan.settings, random_mean=budget))
        say(f'{suite.name}, {row.name}: method {plan.settings.method.name}')
        where = folder / ROWS / row_folder(plan)
        results[row.name] = run_benchmark(plan, where, _own_masks(means, where))
        results[row.name].write(where / 'results.json')
        if row.method == BUDGET_ROW and random_mean is None:
            mean = results[row.name].mean
            budget = mean['NoC'] / mean['objects']
    return SuiteTable(suite, results, missing)


def row_folder(plan: Plan) -> str:
    """Return the folder of a row: readable, and another one for other settings."""
    text = json.dumps([str(plan.dataset.path.resolve()), plan.settings.record()], sort_keys=True)
    words = re.sub(r'[^a-z0-9]+', '-', plan.settings.method.name.lower()).strip('-')
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f'{words}-{plan.settings.init}-{digest}'


def _after_budget(row: SuiteRow) -> bool:
    return row.method == 'rand-lazy'


def _own_masks(means: Means, where: Path) -> Means:
    return means if means.masks is None else replace(means, masks=means.masks / where.name)


def _paper_text(suite: str, row: str) -> str:
    """Return the printed figures of a row; qualities are percent there too."""
    printed = TABLES[suite].get(row, {})
    texts = []
    for key in KEYS:
        value = printed.get(key)
        text = '-' if value is None else f'{value:.1f}' if key in QUALITY else f'{value:g}'
        texts.append(f'{text:>8}')
    return ''.join(texts)
