"""The object memory: what all memorised frames together say of each object, without pixels."""

from collections.abc import Collection
from collections.abc import Iterable

import torch


class ObjectMemory:
    """Sums of object summaries over frames.

    A frame's share can be replaced for as long as the frame is in the working memory; after that
    it is settled in the sum, which never forgets.
    """

    def __init__(self) -> None:
        self._settled: dict[int, torch.Tensor] = {}
        self._recent: dict[int, dict[int, torch.Tensor]] = {}
        """By frame, then by object."""

    @property
    def nbytes(self) -> int:
        """Bytes of all sums."""
        shares = [share for frame in self._recent.values() for share in frame.values()]
        return sum(tensor.nbytes for tensor in (*self._settled.values(), *shares))

    def snapshot(self) -> 'ObjectMemory':
        """Return a memory with the same contents, which shares their tensors."""
        other = ObjectMemory()
        other._settled = dict(self._settled)
        other._recent = {frame: dict(shares) for frame, shares in self._recent.items()}
        return other

    def clear(self) -> None:
        """Forget everything."""
        self._settled.clear()
        self._recent.clear()

    def write(self, frame: int, object_ids: Iterable[int], summaries: torch.Tensor) -> None:
        """Add (n, Q, C) summaries of objects at a frame, or replace those it had."""
        shares = self._recent.setdefault(frame, {})
        for object_id, summary in zip(object_ids, summaries, strict=True):
            shares[object_id] = summary.clone()

    def settle(self, working: Collection[int]) -> None:
        """Fix the shares of all frames but those in the working memory."""
        for frame in [frame for frame in self._recent if frame not in working]:
            for object_id, share in self._recent.pop(frame).items():
                settled = self._settled.get(object_id)
                self._settled[object_id] = share if settled is None else settled + share

    def read(self, object_ids: Iterable[int]) -> torch.Tensor:
        """Return (n, Q, C) sums over all frames.

        Raises
        ------
        KeyError
            If nothing is known of an object.
        """
        return torch.stack([self._sum(object_id) for object_id in object_ids])

    def remove(self, object_ids: Iterable[int]) -> None:
        """Forget objects."""
        for object_id in object_ids:
            self._settled.pop(object_id, None)
            for shares in self._recent.values():
                shares.pop(object_id, None)

    def _sum(self, object_id: int) -> torch.Tensor:
        shares = [shares[object_id] for shares in self._recent.values() if object_id in shares]
        if object_id in self._settled:
            shares.append(self._settled[object_id])
        if not shares:
            raise KeyError(object_id)
        return torch.stack(shares).sum(0)
