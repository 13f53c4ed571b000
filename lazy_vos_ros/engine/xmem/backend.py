"""XMem behind the backend interface: one time step, split where the lazy layer decides."""

import logging
from collections.abc import Collection
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.backend import Snapshot
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.compiled import compiled
from lazy_vos_ros.engine.xmem.compiled import rehearse
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.fingerprint import fingerprint
from lazy_vos_ros.engine.xmem.frame import XMemFrame
from lazy_vos_ros.engine.xmem.inference_form import inference_form
from lazy_vos_ros.engine.xmem.memory import Memory
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.preprocessing import Geometry
from lazy_vos_ros.engine.xmem.preprocessing import check_image
from lazy_vos_ros.engine.xmem.preprocessing import image_to_network
from lazy_vos_ros.engine.xmem.preprocessing import masks_to_network
from lazy_vos_ros.engine.xmem.preprocessing import objects_to_network
from lazy_vos_ros.engine.xmem.preprocessing import plan_geometry
from lazy_vos_ros.engine.xmem.preprocessing import probabilities_to_image
from lazy_vos_ros.engine.xmem.preprocessing import scaled_size
from lazy_vos_ros.engine.xmem.schedule import Schedule
from lazy_vos_ros.engine.xmem.sensory import SensoryMemory

_LOGGER = logging.getLogger(__name__)
_DTYPES = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}


@dataclass(frozen=True)
class _Pending:
    """A predicted frame that waits for its commit."""

    frame: XMemFrame
    probabilities: torch.Tensor
    """(n+1, H, W) at the network."""
    object_ids: tuple[int, ...]
    before: SensoryMemory
    """As the frame found it, at the frame's size."""
    after: SensoryMemory
    """As the decoder would update it."""
    brings_objects: bool = False


@dataclass(frozen=True)
class XMemSnapshot:
    """All that an :class:`XMemBackend` knew at one moment; shares what is big with it."""

    memory: Memory
    sensory: SensoryMemory
    schedule: Schedule
    index: int
    highest_id: int
    pending: _Pending | None

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive at most: memory, sensory memory and an unfinished frame."""
        frame = 0 if self.pending is None else self.pending.frame.nbytes
        return self.memory.size().nbytes + self.sensory.hidden.nbytes + frame


class XMemBackend:
    """Track objects with an XMem network; implements :class:`engine.backend.Backend`.

    The order of reading, writing and updating is that of the published inference code. Two
    things differ: the sensory update that a frame may need is computed in :meth:`predict` and
    taken or left in :meth:`commit`, and the use of memory elements is always counted, because a
    stream does not say how long it will be.
    """

    def __init__(
        self,
        network: XMemNetwork,
        config: XMemConfig | None = None,
        *,
        name: str = 'XMem',
        device: torch.device | str = 'cpu',
    ) -> None:
        """Run `network` in a form for inference only, on `device`; it stays as it is itself."""
        self._config = config or XMemConfig()
        self._name = name
        self._device = torch.device(device)
        self.scale = 1.0
        """Part of the working size, where memory is short."""
        self._dtype = _DTYPES[self._config.precision]
        self._fingerprint = fingerprint(network, self._config)
        self._network = inference_form(network, self._device, self._dtype)
        self._running = self._network
        self._to_compile = self._config.compile
        self._compiled_for: set[tuple[int, int]] = set()
        self._memory = Memory(
            self._config,
            key_dim=network.key_dim,
            value_dim=network.value_dim,
            device=self._device,
            dtype=self._dtype,
            given_dim=network.given_dim,
        )
        self.reset()

    @property
    def name(self) -> str:
        """Network and weights in words."""
        return self._name

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._device

    @property
    def network(self) -> XMemNetwork:
        """The network as it is run, uncompiled; refiners may share its encoder."""
        return self._network

    @property
    def config(self) -> XMemConfig:
        """The settings."""
        return self._config

    @property
    def memory(self) -> Memory:
        """The working and long-term memory, for inspection."""
        return self._memory

    @property
    def sensory(self) -> SensoryMemory:
        """The sensory memory, for inspection."""
        return self._sensory

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects being tracked, ascending."""
        return self._sensory.object_ids

    def reset(self) -> None:
        """Forget everything but the weights."""
        self._memory.clear()
        self._schedule = Schedule(self._config.mem_every, self._config.deep_update_every)
        hidden = torch.zeros(1, 0, self._network.hidden_dim, 1, 1, device=self._device)
        self._sensory = SensoryMemory(hidden.to(self._dtype), ())
        self._index = -1
        self._highest_id = self._highest_before = 0
        self._pending: _Pending | None = None

    def memory_size(self) -> MemorySize:
        """Return how much is remembered now."""
        return self._memory.size()

    @torch.inference_mode()
    def snapshot(self) -> XMemSnapshot:
        """Return the present state, also between predict and commit."""
        return XMemSnapshot(
            memory=self._memory.snapshot(),
            sensory=self._sensory,
            schedule=copy(self._schedule),
            index=self._index,
            highest_id=self._highest_id,
            pending=self._pending,
        )

    @torch.inference_mode()
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state of this tracker; ValueError if it is of another kind of tracker."""
        if not isinstance(snapshot, XMemSnapshot):
            raise ValueError(f'snapshot is {type(snapshot).__name__}; allowed: one of snapshot')
        self._memory = snapshot.memory.snapshot()
        self._sensory = snapshot.sensory
        self._schedule = copy(snapshot.schedule)
        self._index = snapshot.index
        self._highest_id = snapshot.highest_id
        self._pending = snapshot.pending

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights and settings, which give a memory its meaning."""
        return self._fingerprint

    @torch.inference_mode()
    def contents(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return everything that it remembers between two frames, as tensors and facts."""
        tensors, memory = self._memory.contents()
        facts = {
            'memory': memory,
            'objects': list(self.object_ids),
            'schedule': self._schedule.facts(),
            'index': self._index,
            'highest_id': self._highest_id,
        }
        hidden = self._sensory.hidden.cpu().clone(memory_format=torch.contiguous_format)
        return {
            **{f'memory.{name}': item for name, item in tensors.items()},
            'hidden': hidden,
        }, facts

    @torch.inference_mode()
    def take(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from what :meth:`contents` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If they are not what they must be; nothing has changed then.
        """
        memory = self._memory.empty()
        named = {
            name.removeprefix('memory.'): item
            for name, item in tensors.items()
            if name != 'hidden'
        }
        memory.take(named, facts['memory'])
        ids = tuple(count(item) for item in facts['objects'])
        held = () if memory.store is None else tuple(sorted(memory.store.values))
        if ids != held or max(ids, default=0) > count(facts['highest_id']):
            raise ValueError(f'objects are {ids}, and the memory holds {held}')
        hidden = tensors['hidden']
        wanted = (1, len(ids), self._network.hidden_dim)
        if hidden.shape[:3] != wanted or hidden.ndim != 5 or hidden.dtype != self._dtype:
            raise ValueError(f'hidden is {hidden.dtype} {tuple(hidden.shape)}; allowed: {wanted}')
        if not hidden.isfinite().all():
            raise ValueError('hidden is not finite')
        schedule = Schedule(self._config.mem_every, self._config.deep_update_every)
        schedule.take(facts['schedule'])
        self._index = count(facts['index'] + 1) - 1
        self._memory, self._schedule = memory, schedule
        self._sensory = SensoryMemory(hidden.to(self._device), ids)
        self._highest_id, self._pending = facts['highest_id'], None

    @torch.inference_mode()
    def predict(self, image: Image) -> Prediction:
        """Segment the next frame; the network is not run while there are no objects.

        Raises
        ------
        ValueError
            If `image` is not (H, W, 3) uint8 or is extremely oblong.
        RuntimeError
            If the previous prediction was not committed, or if the network returned something
            that is not finite; the tracker is then as before the call.
        """
        check_image(image)
        if self._pending is not None:
            raise RuntimeError('the previous prediction was not committed; call commit first')
        self._compile_for(image)
        pending = self._segment(self._new_frame(image))
        self._index = pending.frame.index
        self._schedule.tick()
        self._highest_before = self._highest_id
        pending.frame.sensory = self._sensory_of_value(pending)
        self._pending = pending
        return _published(pending)

    @torch.inference_mode()
    def add_objects(self, prediction: Prediction, masks: Mapping[int, torch.Tensor]) -> Prediction:
        """Return `prediction` with objects added by their (H, W) bool masks.

        Raises
        ------
        ValueError
            If an id was used before or a mask has not the size of the image.
        RuntimeError
            If `prediction` is not the one that waits for its commit.
        """
        pending = self._expect(prediction)
        if not masks:
            return prediction
        new = tuple(sorted(masks))
        self._check_new(new, masks, pending)
        given = masks_to_network(
            torch.stack([masks[object_id].to(self._device) for object_id in new]),
            pending.frame.geometry,
        )
        claimed = given.amax(0) > 0.5
        kept = pending.probabilities[1:].masked_fill(claimed, 0)
        self._highest_id = new[-1]
        self._pending = replace(
            pending,
            probabilities=aggregate(torch.cat([kept, given])),
            object_ids=pending.object_ids + new,
            brings_objects=True,
        )
        return _published(self._pending)

    @torch.inference_mode()
    def commit(
        self,
        prediction: Prediction,
        write: MemoryWrite = MemoryWrite.SCHEDULED,
        probabilities: torch.Tensor | None = None,
        *,
        deep_update: bool = False,
        without: Collection[int] = (),
        corrected: Collection[int] = (),
    ) -> bool:
        """Finish the frame; return whether it was memorised.

        A frame that brings objects is memorised like one that is due. A due frame that is
        memorised gets the deep update in place of the decoder's update of the sensory memory, if
        deep updates follow the memory's schedule; every other frame gets the decoder's. (The
        published code leaves the sensory memory as it is on a due frame that is kept out of the
        memory; so does `compat`.) Objects that are left out keep their sensory memory as the
        decoder updates it.

        Raises
        ------
        ValueError
            If a frame that brings objects is to be kept out of the memory, or if
            `probabilities` do not fit the prediction.
        RuntimeError
            If `prediction` is not the one that waits, or if its value is not finite; it still
            waits then and may be committed BLOCKED.
        """
        pending = self._expect(prediction)
        keep_out = write in (MemoryWrite.BLOCKED, MemoryWrite.FROZEN)
        if pending.brings_objects and keep_out:
            raise ValueError(
                f'write is {write} on a frame that brings objects; allowed: FORCED, SCHEDULED'
            )
        natural = self._schedule.memory_due or pending.brings_objects
        fed = tuple(item for item in pending.object_ids if item not in without)
        memorise = bool(fed) and not keep_out
        memorise = memorise and (natural or write is MemoryWrite.FORCED)
        replaced = natural and (memorise or self._config.compat) and self._deep_replaces
        sensory = (pending.before if replaced else pending.after).of(pending.object_ids)
        if memorise:
            deep = deep_update or self._schedule.deep_due(natural)
            objects = self._objects_of(pending, probabilities)
            if len(fed) < len(objects):
                objects = objects[[pending.object_ids.index(item) for item in fed]]
            written = self._write(pending.frame, sensory.of(fed), objects, corrected, deep=deep)
            sensory = pending.after.of(pending.object_ids).replaced_by(written)
            self._schedule.memorised(deep=deep)
        elif write is MemoryWrite.FROZEN:
            self._schedule.hold()
        self._sensory = sensory
        self._pending = None
        return memorise

    def discard(self) -> None:
        """Give up the frame that waits for its commit, if there is one."""
        if self._pending is not None:
            self._pending = None
            self._highest_id = self._highest_before

    @torch.inference_mode()
    def memorise(
        self,
        frame: FrozenFrame,
        object_ids: tuple[int, ...],
        probabilities: torch.Tensor,
        corrected: Collection[int] = (),
    ) -> bool:
        """Write an earlier frame with its own features and the sensory memory of its time.

        The present sensory memory and the schedule stay as they are.

        Raises
        ------
        ValueError
            If the frame is not one of this backend, or `probabilities` do not fit.
        RuntimeError
            If the value is not finite; nothing is written then.
        """
        if not isinstance(frame, XMemFrame):
            raise ValueError(f'frame is {type(frame).__name__}; allowed: a frame of predict')
        _check_probabilities(probabilities, len(object_ids), frame)
        channels = [c for c, i in enumerate(object_ids, 1) if i in self.object_ids]
        if not channels:
            return False
        kept = tuple(object_ids[channel - 1] for channel in channels)
        objects = probabilities.to(self._device)[channels]
        objects = objects_to_network(objects, frame.geometry)
        self._write(frame, frame.sensory.of(kept), objects, corrected, deep=False)
        return True

    @torch.inference_mode()
    def remove_objects(self, object_ids: tuple[int, ...]) -> None:
        """Forget objects and free their memory.

        Raises
        ------
        KeyError
            Naming an id that is not tracked; nothing is removed then.
        RuntimeError
            Between predict and commit.
        """
        for object_id in object_ids:
            if object_id not in self.object_ids:
                raise KeyError(object_id)
        if self._pending is not None:
            raise RuntimeError('a prediction waits for its commit; remove objects afterwards')
        self._memory.remove(object_ids)
        self._sensory = self._sensory.of(i for i in self.object_ids if i not in object_ids)

    def _compile_for(self, image: Image) -> None:
        """Compile for images of a new size, if that is wanted and this machine can."""
        size = self._geometry_of(image).padded
        if not self._to_compile or size in self._compiled_for:
            return
        self._compiled_for.add(size)
        before = self.snapshot()
        if self._running is self._network:
            self._running = compiled(self._network, self._device)
        try:
            rehearse(self, image)
        except Exception as error:  # whatever a compiler may raise: without it all goes on
            _LOGGER.warning(
                'xmem.compile is true, and this machine does not compile the network; it runs as '
                'it is, with the same results: %s',
                str(error).strip().partition('\n')[0],
            )
            self._running, self._to_compile = self._network, False
        finally:
            self.restore(before)

    def _geometry_of(self, image: Image) -> Geometry:
        return plan_geometry(
            (image.shape[0], image.shape[1]),
            size=scaled_size(image, self._config, self.scale),
            enlarge=self._config.enlarge,
            multiple=self._network.padding_multiple,
        )

    def _new_frame(self, image: Image) -> XMemFrame:
        geometry = self._geometry_of(image)
        maps = image_to_network(image, geometry, self._device).to(self._dtype)
        return XMemFrame(self._index + 1, image, geometry, maps, self._running)

    def _segment(self, frame: XMemFrame) -> _Pending:
        if not self.object_ids:
            height, width = frame.geometry.padded
            background = torch.ones(1, height, width, device=self._device)
            return _Pending(frame, background, (), self._sensory, self._sensory)
        features = frame.features
        before = self._sensory.resized(features.size)
        reading = self._memory.read(features)
        hidden, logits = self._running.decode(
            features,
            reading.values,
            before.hidden,
            update_hidden=True,
        )
        probabilities = aggregate(logits[0].float().sigmoid())
        after = before if hidden is None else before.with_hidden(hidden)
        _check_finite('prediction', probabilities, after.hidden)
        self._memory.record(reading)
        return _Pending(frame, probabilities, self.object_ids, before, after)

    def _sensory_of_value(self, pending: _Pending) -> SensoryMemory:
        """Return the sensory memory that a value of this frame is encoded with."""
        due = self._schedule.memory_due and self._deep_replaces
        return pending.before if due else pending.after

    @property
    def _deep_replaces(self) -> bool:
        """Whether a deep update takes the place of the decoder's update."""
        return self._config.deep_update_every < 0

    def _write(
        self,
        frame: XMemFrame,
        sensory: SensoryMemory,
        objects: torch.Tensor,
        corrected: Collection[int],
        *,
        deep: bool,
    ) -> SensoryMemory:
        """Memorise (n, H, W) objects of a frame; return the sensory memory after it."""
        features = frame.features
        sensory = sensory.resized(features.size)
        value, hidden = self._running.encode_value(
            frame.maps,
            features,
            sensory.hidden,
            objects[None].to(self._dtype),
            deep_update=deep,
        )
        _check_finite('memory value', features.key, features.shrinkage, value, hidden)
        self._memory.write(frame.index, features, value, sensory.object_ids, corrected)
        return sensory.with_hidden(hidden)

    def _objects_of(self, pending: _Pending, probabilities: torch.Tensor | None) -> torch.Tensor:
        """Return (n, H, W) soft masks to be memorised, at the network."""
        if probabilities is None:
            return pending.probabilities[1:]
        _check_probabilities(probabilities, len(pending.object_ids), pending.frame)
        return objects_to_network(probabilities[1:].to(self._device), pending.frame.geometry)

    def _expect(self, prediction: Prediction) -> _Pending:
        if self._pending is None or prediction.frame is not self._pending.frame:
            raise RuntimeError('this prediction does not wait for a commit; call predict first')
        return self._pending

    def _check_new(
        self, new: tuple[int, ...], masks: Mapping[int, torch.Tensor], pending: _Pending
    ) -> None:
        if new[0] <= self._highest_id:
            raise ValueError(
                f'id {new[0]} for a new object; allowed: above {self._highest_id}, the highest '
                'used so far'
            )
        size = pending.frame.geometry.image
        for object_id, mask in masks.items():
            if mask.dtype != torch.bool or tuple(mask.shape) != size:
                raise ValueError(
                    f'mask of object {object_id} is {tuple(mask.shape)} {mask.dtype}; allowed: '
                    f'{size} torch.bool'
                )


def _published(pending: _Pending) -> Prediction:
    probabilities = probabilities_to_image(pending.probabilities, pending.frame.geometry)
    return Prediction(probabilities, pending.object_ids, pending.frame)


def _check_probabilities(probabilities: torch.Tensor, objects: int, frame: XMemFrame) -> None:
    allowed = (objects + 1, *frame.geometry.image)
    if tuple(probabilities.shape) != allowed:
        raise ValueError(f'probabilities are {tuple(probabilities.shape)}; allowed: {allowed}')


def _check_finite(what: str, *tensors: torch.Tensor) -> None:
    finite = torch.stack([tensor.isfinite().all() for tensor in tensors])
    if not bool(finite.all()):  # the GPU is waited for once
        raise RuntimeError(
            f'the network returned a {what} with NaN or infinite numbers; the weights or the '
            'precision do not suit it'
        )
