"""The working and the long-term memory: what is kept, what is read, what is forgotten."""

from collections.abc import Collection
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.consolidation import choose_prototypes
from lazy_vos_ros.engine.xmem.consolidation import compare_candidates
from lazy_vos_ros.engine.xmem.consolidation import least_used
from lazy_vos_ros.engine.xmem.consolidation import potentiate
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.given import MATCH_CHANNELS
from lazy_vos_ros.engine.xmem.given import given_channels
from lazy_vos_ros.engine.xmem.key_value_store import Flags
from lazy_vos_ros.engine.xmem.key_value_store import Indices
from lazy_vos_ros.engine.xmem.key_value_store import KeyValueStore
from lazy_vos_ros.engine.xmem.similarity import Affinity
from lazy_vos_ros.engine.xmem.similarity import rows
from lazy_vos_ros.engine.xmem.similarity import similarity
from lazy_vos_ros.engine.xmem.similarity import top_k_affinity
from lazy_vos_ros.engine.xmem.similarity import top_k_readout
from lazy_vos_ros.engine.xmem.similarity import unrows
from lazy_vos_ros.engine.xmem.similarity import usage


@dataclass(frozen=True)
class Reading:
    """What the memory answered; nothing is counted until :meth:`Memory.record`."""

    values: torch.Tensor
    """(1, n, C_v, h, w), objects by ascending id; more channels if given frames are read."""
    usage: torch.Tensor
    """(N,) affinity that each element received, the mean over objects."""


@dataclass(frozen=True)
class _Group:
    """Objects with values at the same elements; they share one affinity."""

    object_ids: tuple[int, ...]
    elements: torch.Tensor | None
    """Elements of the span with values of them, None for all."""
    given: slice | torch.Tensor
    """Elements of the span of the frames on which their masks were given or corrected."""


class Memory:
    """Elements of memorised frames and the prototypes made of them.

    A frame enters the working memory. The frames on which objects appeared are permanent, up to
    `max_permanent_frames`, and with `keep_corrected` so is the frame of the newest correction of
    each object. When the other frames reach their limit, the oldest of them are turned
    into long-term prototypes, or forgotten if there is no long-term memory. When that is full,
    its least used prototypes are forgotten.

    Buffers are allocated at the first write. Frames may differ in size; the working memory holds
    a fixed number of frames of the largest size written since the last :meth:`clear`.
    """

    def __init__(
        self,
        config: XMemConfig,
        *,
        key_dim: int,
        value_dim: int,
        device: torch.device,
        dtype: torch.dtype,
        given_dim: int = 0,
    ) -> None:
        """Prepare an empty memory; `dtype` is that of the values, `given_dim` as the network's."""
        self._config = config
        self._key_dim, self._value_dim = key_dim, value_dim
        self._given_dim = given_dim
        self._device, self._dtype = device, dtype
        self.clear()

    def clear(self) -> None:
        """Forget everything and free the buffers."""
        self._store: KeyValueStore | None = None
        self._cells = 0
        self._order: list[int] = []
        self._first: dict[int, int] = {}
        self._corrected: dict[int, int] = {}
        self._groups: list[_Group] | None = None

    @property
    def store(self) -> KeyValueStore | None:
        """The buffers, None before the first write."""
        return self._store

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames in the working memory in the order in which they were written."""
        return tuple(self._order)

    @property
    def permanent_frames(self) -> tuple[int, ...]:
        """Those of :attr:`frames` that are never consolidated or forgotten."""
        if self._config.compat:
            return tuple(self._order[:1])
        firsts = set(self._first.values()).intersection(self._order)
        corrected = set(self._corrected.values()).intersection(self._order) - firsts
        frames = [*sorted(firsts), *sorted(corrected, reverse=True)]
        return tuple(frames[: self._most_permanent()])

    def size(self) -> MemorySize:
        """Return how much is held."""
        store = self._store
        if store is None:
            return MemorySize(working=0, long_term=0, capacity=0, nbytes=0)
        return MemorySize(
            working=store.stop - store.boundary,
            long_term=store.boundary - store.start,
            capacity=store.capacity,
            nbytes=store.nbytes,
        )

    def read(self, features: KeyFeatures) -> Reading:
        """Read the values of all objects for the pixels of an image (Eq. 1).

        Raises
        ------
        RuntimeError
            If the memory is empty.
        """
        store = self._store
        if store is None or not store.values:
            raise RuntimeError('the memory holds no object to be read')
        similarities = similarity(
            store.key[store.span],
            store.shrinkage[store.span],
            rows(features.key)[0],
            rows(features.selection)[0],
        )
        groups = self._object_groups(store)
        values: dict[int, torch.Tensor] = {}
        total = torch.zeros_like(store.use[store.span])
        for number, group in enumerate(groups):
            affinity = _group_affinity(similarities, group, self._config.top_k)
            total += usage(affinity, len(total)) * self._share(number, group, len(store.values))
            for object_id in group.object_ids:
                values[object_id] = _read_object(affinity, store.values[object_id][store.span])
            if self._given_dim:
                own = self._read_given(store, affinity, similarities, group)
                for object_id, channels in zip(group.object_ids, own, strict=True):
                    values[object_id] = torch.cat([values[object_id], channels], -1)
        stacked = torch.stack([values[object_id] for object_id in sorted(values)])
        return Reading(unrows(stacked, features.size)[None], total)

    def record(self, reading: Reading) -> None:
        """Count a reading of the present memory as use of its elements."""
        if self._store is not None:
            self._store.use[self._store.span] += reading.usage
            self._store.life[self._store.span] += 1

    def write(
        self,
        frame: int,
        features: KeyFeatures,
        values: torch.Tensor,
        object_ids: tuple[int, ...],
        corrected: Collection[int] = (),
    ) -> None:
        """Memorise (1, n, C_v, h, w) values of objects at a frame.

        If the working memory still holds the frame, its values of these objects are replaced.
        The frame counts as the newest unless it is permanent. `corrected` are those of the
        objects whose masks a person has just made, and the refiner is sure of.
        """
        store = self._room_for(features.size[0] * features.size[1])
        for object_id in set(object_ids).difference(store.values):
            store.add_object(object_id)
        elements = self._place(store, frame, features)
        for object_id, value in zip(object_ids, rows(values[0]), strict=True):
            store.set_values(object_id, elements, value)
            self._first.setdefault(object_id, frame)
        if self._config.keep_corrected:
            self._corrected.update(dict.fromkeys(set(corrected).intersection(object_ids), frame))
        self._groups = None
        if self._config.long_term:
            self._consolidate_if_full(store)

    def empty(self) -> 'Memory':
        """Return a memory with the same settings that holds nothing."""
        other = copy(self)
        other.clear()
        return other

    def snapshot(self) -> 'Memory':
        """Return a memory with the same contents, which shares what is big; see the store."""
        other = copy(self)
        other._store = None if self._store is None else self._store.snapshot()
        other._order = [*self._order]
        other._first = dict(self._first)
        other._corrected = dict(self._corrected)
        return other

    def contents(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return everything that it holds, as tensors and as facts for a file."""
        store = self._store
        if store is None:
            return {}, {'first': {}, 'corrected': {}, 'order': [], 'long_term': 0}
        facts = {
            'first': {str(item): frame for item, frame in self._first.items()},
            'corrected': {str(item): frame for item, frame in self._corrected.items()},
            'order': self._order,
            'long_term': store.boundary - store.start,
        }
        return store.contents(), facts

    def take(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Hold what :meth:`contents` returned, and nothing else.

        Raises
        ------
        KeyError, TypeError, ValueError
            If they do not fit together, or do not fit this memory; it is then in no state to be
            used.
        """
        self.clear()
        self._order = [count(frame) for frame in facts['order']]
        self._first = {int(name): count(frame) for name, frame in facts['first'].items()}
        corrected = facts['corrected'].items()
        self._corrected = {int(name): count(frame) for name, frame in corrected}
        if not self._corrected.keys() <= self._first.keys():
            raise ValueError('objects were corrected that are not held')
        if not tensors:
            if self._order or self._first:
                raise ValueError('there are frames without elements')
            return
        frames = tensors['frame'][count(facts['long_term']) :]
        numbers, counts = np.unique(frames.numpy(), return_counts=True)
        held = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        if held.keys() != set(self._order) or len(set(self._order)) != len(self._order):
            raise ValueError('the order of the frames is not that of those held')
        store = self._room_for(max(held.values(), default=1))
        store.take(tensors, facts['long_term'])
        if self._first.keys() != store.values.keys():
            raise ValueError('the first frames are not those of the objects held')

    def remove(self, object_ids: tuple[int, ...]) -> None:
        """Forget objects and the elements that no other object needs."""
        for object_id in object_ids:
            self._first.pop(object_id, None)
            self._corrected.pop(object_id, None)
            if self._store is not None and object_id in self._store.values:
                self._store.remove_object(object_id)
        self._forget_lost_frames()

    def _object_groups(self, store: KeyValueStore) -> list[_Group]:
        if self._groups is None:
            self._groups = _group_objects(store, {*self._first.items(), *self._corrected.items()})
        return self._groups

    def _read_given(
        self,
        store: KeyValueStore,
        affinity: Affinity,
        similarities: torch.Tensor,
        group: _Group,
    ) -> torch.Tensor:
        """Return (n, Q, given_dim + 2) for the objects of a group."""
        given = similarities[:, group.given]
        if given.shape[-1] == 0:
            shape = (len(group.object_ids), len(similarities), self._given_dim + MATCH_CHANNELS)
            return torch.zeros(shape, device=self._device, dtype=self._dtype)
        values = [
            store.values[item][store.span][group.given, : self._given_dim]
            for item in group.object_ids
        ]
        return given_channels(affinity, given, torch.stack(values))

    def _share(self, number: int, group: _Group, objects: int) -> float:
        """Return how much a group's affinity counts as use."""
        if self._config.compat:
            return float(number == 0)
        return len(group.object_ids) / objects

    def _most_permanent(self) -> int:
        if self._config.compat:
            return 1
        if self._config.long_term:
            return self._config.max_permanent_frames
        return min(self._config.max_permanent_frames, self._config.max_working_frames - 1)

    def _ordinary_frames(self) -> list[int]:
        permanent = self.permanent_frames
        return [frame for frame in self._order if frame not in permanent]

    def _room_for(self, cells: int) -> KeyValueStore:
        """Return the store, with room for frames of this many elements."""
        config = self._config
        if config.long_term:
            frames = config.max_mid_term_frames - 1 + self._most_permanent()
        else:
            frames = config.max_working_frames
        if self._store is None:
            self._store = KeyValueStore(
                config.max_long_term_elements if config.long_term else 0,
                frames * cells,
                key_dim=self._key_dim,
                value_dim=self._value_dim,
                device=self._device,
                dtype=self._dtype,
            )
        elif cells > self._cells:
            self._store = self._store.enlarged(frames * cells)
        self._cells = max(cells, self._cells)
        return self._store

    def _place(self, store: KeyValueStore, frame: int, features: KeyFeatures) -> slice:
        """Return the rows of a frame, making them if it is not held."""
        if frame in self._order:
            if frame not in self.permanent_frames:
                self._order.remove(frame)
                self._order.append(frame)
            held = _rows_of(store, [frame])
            return slice(int(held[0]), int(held[-1]) + 1)
        if not self._config.long_term and len(self._order) >= self._config.max_working_frames:
            self._forget(store, self._ordinary_frames()[:1])
        self._order.append(frame)
        return store.append_working(
            frame,
            rows(features.key)[0],
            rows(features.shrinkage)[0, :, 0],
            rows(features.selection)[0],
        )

    def _forget(self, store: KeyValueStore, frames: list[int]) -> None:
        kept = np.ones(store.capacity, np.bool_)
        kept[_rows_of(store, frames)] = False
        store.keep(kept)
        self._forget_lost_frames()

    def _forget_lost_frames(self) -> None:
        held: set[int] = set()
        if self._store is not None:
            held.update(np.unique(self._store.frame[self._store.working]).tolist())
        self._order = [frame for frame in self._order if frame in held]
        self._groups = None

    def _consolidate_if_full(self, store: KeyValueStore) -> None:
        ordinary = self._ordinary_frames()
        if len(ordinary) < self._config.max_mid_term_frames - 1:
            return
        leaving = ordinary[: len(ordinary) - (self._config.min_mid_term_frames - 1)]
        if self._config.compat:
            self._pair_as_published(store, leaving)
        self._forget_prototypes(store)
        self._consolidate(store, _rows_of(store, leaving))
        self._forget(store, leaving)

    def _forget_prototypes(self, store: KeyValueStore) -> None:
        """Make room for new prototypes by forgetting the least used ones."""
        most = self._config.max_long_term_elements - self._config.num_prototypes
        used = store.usage(store.long_term)
        obsolete = least_used(used, len(used) - most, with_ties=self._config.compat)
        kept = np.ones(store.capacity, np.bool_)
        kept[store.long_term] = ~obsolete.cpu().numpy()
        store.keep(kept)

    def _consolidate(self, store: KeyValueStore, candidates: Indices) -> None:
        """Make prototypes of the candidate rows; objects use only their own valid ones."""
        index = torch.from_numpy(candidates).to(self._device)
        chosen = choose_prototypes(store.usage(index), self._config.num_prototypes)
        key, shrinkage = store.key[index], store.shrinkage[index]
        similarities = compare_candidates(key, shrinkage, store.selection[index], chosen)
        new = store.prepend_long_term(
            key[chosen], potentiate(similarities, shrinkage[:, None])[:, 0]
        )
        picked = chosen.cpu().numpy()
        for object_id in store.values:
            valid = store.valid[object_id][candidates]
            if not valid[picked].any():
                continue
            mine = torch.from_numpy(valid).to(self._device)
            values = potentiate(
                similarities[mine[chosen]][:, mine], store.values[object_id][index[mine]]
            )
            store.set_values(object_id, self._opposite(new, valid[picked]), values)

    def _opposite(self, new: slice, valid: Flags) -> torch.Tensor:
        """Return the rows of new prototypes that an object's values belong to.

        The published code knows only how many there are and puts them opposite the last ones.
        """
        if self._config.compat:
            valid = np.sort(valid)
        return torch.from_numpy(new.start + np.flatnonzero(valid)).to(self._device)

    def _pair_as_published(self, store: KeyValueStore, leaving: list[int]) -> None:
        """Move values as the published code does, which aligns values and keys at their ends.

        An object that was added later keeps the values of its first frame, but they come to lie
        opposite the keys of the very first frame of the memory. The one frame by which it
        exceeds what stays is dropped without being consolidated.
        """
        very_first = _rows_of(store, self._order[:1])
        candidates = _rows_of(store, leaving)
        for object_id, valid in store.valid.items():
            own = [frame for frame in self._order if valid[_rows_of(store, [frame])].all()]
            if not own or own[0] not in leaving:
                continue
            first = _rows_of(store, own[:1])
            if len(first) == len(very_first):
                values = store.values[object_id][torch.from_numpy(first).to(self._device)]
                target = torch.from_numpy(very_first).to(self._device)
                store.set_values(object_id, target, values)
                valid[first] = False
            if len(own) == self._config.min_mid_term_frames + 1:
                valid[candidates] = False


def _rows_of(store: KeyValueStore, frames: list[int]) -> Indices:
    working = np.isin(store.frame[store.working], frames)
    return store.boundary + np.flatnonzero(working)


def _group_objects(store: KeyValueStore, given: set[tuple[int, int]]) -> list[_Group]:
    """Group the objects; `given` are objects and frames on which they were given or corrected."""
    by_validity: dict[bytes, list[int]] = {}
    for object_id in sorted(store.valid):
        by_validity.setdefault(store.valid[object_id][store.span].tobytes(), []).append(object_id)
    groups = []
    for ids in by_validity.values():
        frames = [frame for object_id, frame in given if object_id in ids]
        groups.append(_group(store, tuple(ids), frames))
    return groups


def _group(store: KeyValueStore, object_ids: tuple[int, ...], frames: list[int]) -> _Group:
    valid = store.valid[object_ids[0]][store.span]
    given = valid & np.isin(store.frame[store.span], frames)
    # A frame beyond `max_permanent_frames` is forgotten in time; all is read then.
    given = given if given.any() else valid
    device = store.key.device
    elements = None if valid.all() else torch.from_numpy(np.flatnonzero(valid)).to(device)
    return _Group(object_ids, elements, _selection(given, device))


def _selection(flags: Flags, device: torch.device) -> slice | torch.Tensor:
    """Return the elements that are flagged as a slice if they lie together: it copies nothing."""
    elements = np.flatnonzero(flags)
    first, stop = int(elements.min(initial=len(flags))), int(elements.max(initial=-1)) + 1
    if len(elements) == stop - first:
        return slice(first, stop)
    return torch.from_numpy(elements).to(device)


def _group_affinity(similarities: torch.Tensor, group: _Group, top_k: int) -> Affinity:
    if group.elements is None:
        return top_k_affinity(similarities, top_k)
    affinity = top_k_affinity(similarities[:, group.elements], top_k)
    return affinity._replace(indices=group.elements[affinity.indices])


def _read_object(affinity: Affinity, values: torch.Tensor) -> torch.Tensor:
    """Read (Q, C_v); an object whose last element was forgotten reads nothing, that is zeros."""
    if affinity.indices.shape[-1] == 0:
        return values.new_zeros((affinity.indices.shape[0], values.shape[1]))
    return top_k_readout(affinity, values)
