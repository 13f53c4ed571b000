"""The buffers of the memory: allocated once, written in place."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

_FRESH_LIFE = 1e-7


@dataclass
class _Shared:
    """Which rows of the buffers all stores that share them have written or may read."""

    low: int
    high: int
    """The first and the end of the rows that any of them has written."""
    frozen: slice | None = None
    """The rows that a snapshot reads, so that they may not be written again."""


class KeyValueStore:
    """Rows of keys and values, long-term ones before working ones, without a gap between them.

    The long-term part grows downwards from a fixed boundary and the working part upwards, so
    that both together are always one slice, :attr:`span`::

        0 .... start [long-term, newest first] boundary [working, oldest first] stop .... capacity

    An element has one key for all objects; each object has its own values and knows at which
    elements they are valid. Indices are rows of the buffers.

    A snapshot shares the big buffers. Rows are appended beyond what it reads; the first change of
    what it reads gives the changed store buffers of its own.
    """

    def __init__(
        self,
        long_term: int,
        working: int,
        *,
        key_dim: int,
        value_dim: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Allocate room for `long_term` and `working` elements; `dtype` is that of values."""
        self.value_dim = value_dim
        self.dtype = dtype
        self.boundary = self.start = self.stop = long_term
        self._shared = _Shared(long_term, long_term)
        rows = long_term + working
        self.key = torch.zeros(rows, key_dim, device=device)
        """(capacity, C_k) float32."""
        self.shrinkage = torch.zeros(rows, device=device)
        """(capacity,) float32."""
        self.selection = torch.zeros(rows, key_dim, device=device)
        """(capacity, C_k) float32; prototypes have none."""
        self.use = torch.zeros(rows, device=device)
        """(capacity,) float32, the affinity that query pixels gave the element so far."""
        self.life = torch.zeros(rows, device=device)
        """(capacity,) float32, reads since it was written."""
        self.frame: Indices = np.full(rows, -1, np.int64)
        """(capacity,) the frame an element came from; -1 for prototypes."""
        self.values: dict[int, torch.Tensor] = {}
        """(capacity, C_v) for each object."""
        self.valid: dict[int, Flags] = {}
        """(capacity,) for each object: which elements have a value of it."""

    @property
    def capacity(self) -> int:
        """Rows allocated."""
        return len(self.frame)

    @property
    def span(self) -> slice:
        """All elements."""
        return slice(self.start, self.stop)

    @property
    def long_term(self) -> slice:
        """The prototypes."""
        return slice(self.start, self.boundary)

    @property
    def working(self) -> slice:
        """The elements of memorised frames."""
        return slice(self.boundary, self.stop)

    @property
    def nbytes(self) -> int:
        """Bytes allocated, on the device and beside it."""
        tensors = [*self._columns(), *self.values.values()]
        flags = sum(valid.nbytes for valid in self.valid.values())
        return sum(t.nbytes for t in tensors) + self.frame.nbytes + flags

    def usage(self, elements: slice | torch.Tensor) -> torch.Tensor:
        """Return how much elements were used a read, on average since they were written."""
        return self.use[elements] / self.life[elements]

    def snapshot(self) -> 'KeyValueStore':
        """Return a store with the same elements that shares the keys and values."""
        other = copy(self)
        other.use, other.life = self.use.clone(), self.life.clone()
        other.frame = self.frame.copy()
        other.values = dict(self.values)
        other.valid = {object_id: valid.copy() for object_id, valid in self.valid.items()}
        frozen = self._shared.frozen or self.span
        self._shared.frozen = slice(min(frozen.start, self.start), max(frozen.stop, self.stop))
        return other

    def contents(self) -> dict[str, torch.Tensor]:
        """Return copies of all elements, by the names of the columns, on the CPU."""
        span = self.span
        columns = {name: column[span] for name, column in self._named_columns().items()}
        columns['frame'] = torch.from_numpy(self.frame[span])
        for object_id in self.values:
            columns[f'values.{object_id}'] = self.values[object_id][span]
            columns[f'valid.{object_id}'] = torch.from_numpy(self.valid[object_id][span])
        return {name: column.cpu().clone() for name, column in columns.items()}

    def take(self, columns: Mapping[str, torch.Tensor], long_term: int) -> None:
        """Hold these elements, of which the first `long_term` are prototypes; it must be empty.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a column is missing, too many, or of another length, width or type than it must be.
        """
        count = len(columns['frame'])
        if not (0 <= long_term <= min(count, self.boundary) and self._fits(count - long_term)):
            raise ValueError(f'{count} elements, {long_term} of them prototypes, do not fit')
        self.start, self.stop = self.boundary - long_term, self.boundary + count - long_term
        self._shared = _Shared(self.start, self.stop)
        names = [name for name in columns if name.startswith('values.')]
        for name in names:
            self.add_object(int(name.removeprefix('values.')))
        for name, column in self._named_columns().items():
            column[self.span] = _like(column, columns[name], name, count)
        self.frame[self.span] = _of_type(columns['frame'], torch.int64, 'frame', count).numpy()
        for object_id, values in self.values.items():
            name = f'values.{object_id}'
            values[self.span] = _like(values, columns[name], name, count)
            name = f'valid.{object_id}'
            self.valid[object_id][self.span] = _of_type(
                columns[name], torch.bool, name, count
            ).numpy()
        if len(columns) != 6 + 2 * len(names):
            raise ValueError(f'{len(columns)} columns for {len(names)} objects')

    def add_object(self, object_id: int) -> None:
        """Allocate values for a new object, valid nowhere."""
        self.values[object_id] = torch.zeros(
            self.capacity, self.value_dim, device=self.key.device, dtype=self.dtype
        )
        self.valid[object_id] = np.zeros(self.capacity, np.bool_)

    def remove_object(self, object_id: int) -> None:
        """Free the values of an object and drop the elements that no object needs any more."""
        del self.values[object_id], self.valid[object_id]
        needed = np.zeros(self.capacity, np.bool_)
        for valid in self.valid.values():
            needed |= valid
        self.keep(needed)

    def append_working(
        self, frame: int, key: torch.Tensor, shrinkage: torch.Tensor, selection: torch.Tensor
    ) -> slice:
        """Write the elements of a frame, (N, C_k), (N,) and (N, C_k); return their rows."""
        if self._shared.high != self.stop:
            self._own_buffers()
        new = slice(self.stop, self.stop + len(key))
        self.stop = self._shared.high = new.stop
        self.selection[new] = selection
        self._write(new, frame, key, shrinkage)
        return new

    def prepend_long_term(self, key: torch.Tensor, shrinkage: torch.Tensor) -> slice:
        """Write prototypes, (N, C_k) and (N,); return their rows."""
        if self._shared.low != self.start:
            self._own_buffers()
        new = slice(self.start - len(key), self.start)
        self.start = self._shared.low = new.start
        self._write(new, -1, key, shrinkage)
        return new

    def set_values(
        self, object_id: int, elements: slice | torch.Tensor, values: torch.Tensor
    ) -> None:
        """Write an object's (N, C_v) values of elements and mark them valid."""
        rows = elements if isinstance(elements, slice) else elements.cpu().numpy()
        if self._reads(rows):
            self._own_buffers()
        self.values[object_id][elements] = values.to(self.dtype)
        self.valid[object_id][rows] = True

    def keep(self, kept: Flags) -> None:
        """Drop all elements that `kept` (capacity,) does not mark, closing the gaps."""
        rows = np.arange(self.start, self.stop)[kept[self.span]]
        if len(rows) == self.stop - self.start:
            return
        if self._shared.frozen is not None:
            self._own_buffers()
        prototypes = int((rows < self.boundary).sum())
        self.start = self.boundary - prototypes
        self.stop = self.start + len(rows)
        self._shared = _Shared(self.start, self.stop)
        self._copy_rows(self, rows)

    def enlarged(self, working: int) -> 'KeyValueStore':
        """Return a store with the same elements and room for `working` working ones."""
        other = KeyValueStore(
            self.boundary,
            working,
            key_dim=self.key.shape[1],
            value_dim=self.value_dim,
            device=self.key.device,
            dtype=self.dtype,
        )
        for object_id in self.values:
            other.add_object(object_id)
        other.start, other.stop = self.start, self.stop
        other._shared = _Shared(self.start, self.stop)
        self._copy_rows(other, np.arange(self.start, self.stop))
        return other

    def _reads(self, rows: slice | Indices) -> bool:
        """Whether a snapshot reads one of these rows."""
        frozen = self._shared.frozen
        if frozen is None:
            return False
        first, end = (
            (rows.start, rows.stop)
            if isinstance(rows, slice)
            else (int(rows.min(initial=frozen.stop)), int(rows.max(initial=-1)) + 1)
        )
        return bool(first < frozen.stop and end > frozen.start)

    def _own_buffers(self) -> None:
        """Stop sharing: copy the elements into buffers that no snapshot reads."""
        self.key = _copy_of_rows(self.key, self.span)
        self.shrinkage = _copy_of_rows(self.shrinkage, self.span)
        self.selection = _copy_of_rows(self.selection, self.span)
        self.values = {
            object_id: _copy_of_rows(values, self.span)
            for object_id, values in self.values.items()
        }
        self._shared = _Shared(self.start, self.stop)

    def _fits(self, working: int) -> bool:
        return self.boundary + working <= self.capacity

    def _named_columns(self) -> dict[str, torch.Tensor]:
        names = ('key', 'shrinkage', 'selection', 'use', 'life')
        return dict(zip(names, self._columns(), strict=True))

    def _columns(self) -> tuple[torch.Tensor, ...]:
        return self.key, self.shrinkage, self.selection, self.use, self.life

    def _write(self, new: slice, frame: int, key: torch.Tensor, shrinkage: torch.Tensor) -> None:
        self.key[new] = key
        self.shrinkage[new] = shrinkage
        self.use[new] = 0
        self.life[new] = _FRESH_LIFE
        self.frame[new] = frame
        for valid in self.valid.values():
            valid[new] = False

    def _copy_rows(self, other: 'KeyValueStore', rows: Indices) -> None:
        """Make `rows` of this store the whole span of `other`, which may be this one."""
        index = torch.from_numpy(rows).to(self.key.device)
        for mine, its in zip(self._columns(), other._columns(), strict=True):
            its[other.span] = mine[index]
        other.frame[other.span] = self.frame[rows]
        for object_id, values in self.values.items():
            other.values[object_id][other.span] = values[index]
            other.valid[object_id][other.span] = self.valid[object_id][rows]
            other.valid[object_id][: other.start] = False
            other.valid[object_id][other.stop :] = False


def _like(buffer: torch.Tensor, column: torch.Tensor, name: str, count: int) -> torch.Tensor:
    """Return a column that fits a buffer; ValueError if it does not, or is not finite."""
    _of_type(column, buffer.dtype, name, count)
    if column.shape[1:] != buffer.shape[1:] or not column.isfinite().all():
        raise ValueError(f'{name} is of shape {tuple(column.shape)}, or not finite')
    return column.to(buffer.device)


def _of_type(column: torch.Tensor, dtype: torch.dtype, name: str, count: int) -> torch.Tensor:
    if column.dtype != dtype or len(column) != count:
        raise ValueError(f'{name} is {column.dtype} of {len(column)}; allowed: {dtype}, {count}')
    return column


def _copy_of_rows(buffer: torch.Tensor, rows: slice) -> torch.Tensor:
    """Return a buffer of the same size with these rows."""
    other = torch.zeros_like(buffer)
    other[rows] = buffer[rows]
    return other
