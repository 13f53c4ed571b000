"""The networks that a run needs: whether they are here, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.build import resolve_device
from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.refiners import refiner_entry
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.engine.weights import sha256_of
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.evaluation.benchmark.person import OracleForPerson
from lazy_vos_ros.evaluation.benchmark.person import Person
from lazy_vos_ros.evaluation.benchmark.settings import ORACLE
from lazy_vos_ros.evaluation.benchmark.settings import Settings


@dataclass(frozen=True)
class Networks:
    """Builds new networks for every sequence, so that none depends on the one before."""

    backend: Callable[[], Backend]
    refiner: Callable[[Backend, Person], Refiner]


def networks_for(settings: Settings) -> Networks:
    """Return what builds the networks that the settings name.

    Raises
    ------
    ValueError
        If this machine has weights of another SHA-256 than the settings say, or a name is
        unknown.
    RuntimeError
        If weights or packages are not on this machine.
    """
    here = sha256_of_weights(settings)
    for file, sha256 in settings.sha256.items():
        if here.get(file) != sha256:
            raise ValueError(
                f'weights {file} have SHA-256 {here.get(file)} on this machine; allowed: '
                f'{sha256}, as where the benchmark was started'
            )

    def new_backend() -> Backend:
        entry = tracker_entry(settings.weights, settings.backend)
        own = replace(XMemConfig(**entry.settings), precision=settings.precision)
        return make_backend(
            settings.weights,
            backend=settings.backend,
            device=settings.device,
            settings=own if settings.size is None else replace(own, size=settings.size),
        )

    def refiner_for(backend: Backend, person: Person) -> Refiner:
        name = refiner_name(settings)
        own = None if name is None else make_refiner(name, backend=backend, device=settings.device)
        if settings.refiner != ORACLE and own is not None:
            return own
        return OracleForPerson(person, own)

    return Networks(new_backend, refiner_for)


def with_sha256(settings: Settings) -> Settings:
    """Return the settings with the SHA-256 of all weights that they need.

    Raises
    ------
    ValueError, RuntimeError
        As :func:`networks_for`.
    """
    return replace(settings, sha256=sha256_of_weights(settings))


def sha256_of_weights(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of every file of weights that a run needs, by the file's name."""
    entries: list[WeightsEntry] = [tracker_entry(settings.weights, settings.backend)]
    name = refiner_name(settings)
    if name is not None:
        on_gpu = resolve_device(settings.device).type != 'cpu'
        entries.append(refiner_entry(name, on_gpu=on_gpu))
    paths = [checked_path(entry) for entry in entries]
    return {path.name: sha256_of(path) for path in paths}


def needs_refiner(settings: Settings) -> bool:
    """Return whether anybody clicks at all: the person, or the tracker itself."""
    method = settings.method
    return method.config.pseudo_corrections or method.asks or settings.init == 'click'


def refiner_name(settings: Settings) -> str | None:
    """Return the refiner that must be loaded; None where nobody but an oracle is needed.

    An oracle knows what the person clicks on, but not what the tracker's own clicks are on.
    """
    if settings.refiner == ORACLE:
        return 'auto' if settings.method.config.pseudo_corrections else None
    return settings.refiner if needs_refiner(settings) else None
