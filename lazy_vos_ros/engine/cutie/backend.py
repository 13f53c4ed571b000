"""Cutie behind the backend interface: one time step, split where the lazy layer decides."""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from dataclasses import replace

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.backend import Snapshot
from lazy_vos_ros.engine.cutie.checks import check_finite
from lazy_vos_ros.engine.cutie.checks import check_new
from lazy_vos_ros.engine.cutie.checks import check_probabilities
from lazy_vos_ros.engine.cutie.frame import CutieFrame
from lazy_vos_ros.engine.cutie.network import STRIDE
from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.cutie.object_memory import ObjectMemory
from lazy_vos_ros.engine.cutie.pending import Pending
from lazy_vos_ros.engine.cutie.pending import at_stride
from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.memory import Memory
from lazy_vos_ros.engine.xmem.preprocessing import check_image
from lazy_vos_ros.engine.xmem.preprocessing import masks_to_network
from lazy_vos_ros.engine.xmem.preprocessing import objects_to_network
from lazy_vos_ros.engine.xmem.preprocessing import plan_geometry
from lazy_vos_ros.engine.xmem.preprocessing import scaled_size
from lazy_vos_ros.engine.xmem.schedule import Schedule
from lazy_vos_ros.engine.xmem.sensory import SensoryMemory

_DTYPES = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}


@dataclass(frozen=True)
class CutieSnapshot:
    """All that a :class:`CutieBackend` knew at one moment; shares what is big with it."""

    memory: Memory
    objects: ObjectMemory
    sensory: SensoryMemory
    last_masks: SensoryMemory
    schedule: Schedule
    appeared: Mapping[int, int]
    index: int
    highest_id: int
    pending: Pending | None

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive at most: the memories and an unfinished frame."""
        states = self.sensory.hidden.nbytes + self.last_masks.hidden.nbytes
        frame = 0 if self.pending is None else self.pending.frame.nbytes
        return self.memory.size().nbytes + self.objects.nbytes + states + frame


class CutieBackend:
    """Track objects with Cutie's network; implements :class:`engine.backend.Backend`.

    Cutie reads and writes a pixel memory as XMem does, so it shares XMem's memory, schedule and
    settings here. Its own are the object memory and the masks of the frame before. The order of
    reading, writing and updating is that of the published inference code; three things differ:
    the sensory memory is updated at every frame (there: at five frames of each memory interval,
    which is the same at the default interval), the long-term memory is one for all objects
    (there: one for all that appeared together), and it forgets no more than it must.
    """

    def __init__(
        self,
        network: CutieNetwork,
        config: XMemConfig | None = None,
        *,
        name: str = 'Cutie',
        device: torch.device | str = 'cpu',
    ) -> None:
        """Take over `network`: it is moved to `device`, put into evaluation mode and frozen.

        Raises
        ------
        ValueError
            If the settings ask for what only XMem has.
        """
        self._config = config or XMemConfig()
        if self._config.compat:
            raise ValueError('compat is True; allowed with Cutie: False, it is about XMem')
        if self._config.compile:
            raise ValueError('compile is True; allowed with Cutie: False, only XMem is compiled')
        self._name = name
        self._device = torch.device(device)
        self.scale = 1.0
        """Part of the working size, where memory is short."""
        dtype = _DTYPES[self._config.precision]
        self._network = network.to(self._device).eval().requires_grad_(False)
        self._network.precision = dtype
        self._memory = Memory(
            self._config,
            key_dim=network.key_dim,
            value_dim=network.value_dim,
            device=self._device,
            dtype=dtype,
        )
        self._objects = ObjectMemory()
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
    def network(self) -> CutieNetwork:
        """The network, frozen."""
        return self._network

    @property
    def config(self) -> XMemConfig:
        """The settings."""
        return self._config

    @property
    def memory(self) -> Memory:
        """The working and long-term memory of pixels, for inspection."""
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
        self._objects.clear()
        self._schedule = Schedule(self._config.mem_every, self._config.deep_update_every)
        nothing = torch.zeros(1, 0, self._network.sensory_dim, 1, 1, device=self._device)
        self._sensory = SensoryMemory(nothing, ())
        self._last_masks = SensoryMemory(nothing[:, :, :1], ())
        self._appeared: dict[int, int] = {}
        self._index = -1
        self._highest_id = self._highest_before = 0
        self._pending: Pending | None = None

    def memory_size(self) -> MemorySize:
        """Return how much is remembered now."""
        size = self._memory.size()
        return replace(size, nbytes=size.nbytes + self._objects.nbytes)

    @torch.inference_mode()
    def snapshot(self) -> CutieSnapshot:
        """Return the present state, also between predict and commit."""
        return CutieSnapshot(
            memory=self._memory.snapshot(),
            objects=self._objects.snapshot(),
            sensory=self._sensory,
            last_masks=self._last_masks,
            schedule=copy(self._schedule),
            appeared=dict(self._appeared),
            index=self._index,
            highest_id=self._highest_id,
            pending=self._pending,
        )

    @torch.inference_mode()
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state of this tracker; ValueError if it is of another kind of tracker."""
        if not isinstance(snapshot, CutieSnapshot):
            raise ValueError(f'snapshot is {type(snapshot).__name__}; allowed: one of snapshot')
        self._memory = snapshot.memory.snapshot()
        self._objects = snapshot.objects.snapshot()
        self._sensory = snapshot.sensory
        self._last_masks = snapshot.last_masks
        self._schedule = copy(snapshot.schedule)
        self._appeared = dict(snapshot.appeared)
        self._index = snapshot.index
        self._highest_id = snapshot.highest_id
        self._pending = snapshot.pending

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
        pending = self._segment(self._new_frame(image))
        self._index = pending.frame.index
        self._schedule.tick()
        self._highest_before = self._highest_id
        self._pending = pending
        return pending.published()

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
        check_new(new[0], self._highest_id, masks, pending.frame)
        # Channels follow `new` and `object_ids` by construction and are never looked up by an
        # id or by a place among all objects, as the package does with `mask[tmp_id]`.
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
        return self._pending.published()

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

        A frame that brings objects is memorised like one that is due. Probabilities that are
        memorised in place of the predicted ones are also what the next frame sees as the last
        masks. The objects `without` a part in it are seen by the others, and nothing of the
        frame enters their own memories; an object that appears on the frame always has a part.

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
        fed = tuple(i for i in pending.object_ids if i not in without or i not in self._appeared)
        memorise = bool(fed) and not keep_out
        memorise = memorise and (natural or write is MemoryWrite.FORCED)
        objects = pending.probabilities[1:]
        sensory = pending.frame.sensory.of(pending.object_ids)
        if memorise:
            deep = deep_update or self._schedule.deep_due(natural)
            objects = pending.objects(probabilities)
            sensory = self._write(pending.frame, sensory, objects, fed, corrected, deep=deep)
            self._schedule.memorised(deep=deep)
        elif write is MemoryWrite.FROZEN:
            self._schedule.hold()
        self._sensory = sensory
        self._last_masks = at_stride(objects, pending.object_ids)
        for object_id in pending.object_ids:
            self._appeared.setdefault(object_id, pending.frame.index)
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

        The present sensory memory, the last masks and the schedule stay as they are.

        Raises
        ------
        ValueError
            If the frame is not one of this backend, or `probabilities` do not fit.
        RuntimeError
            If the value is not finite; nothing is written then.
        """
        if not isinstance(frame, CutieFrame):
            raise ValueError(f'frame is {type(frame).__name__}; allowed: a frame of predict')
        check_probabilities(probabilities, len(object_ids), frame)
        channels = [c for c, i in enumerate(object_ids, 1) if i in self.object_ids]
        if not channels:
            return False
        kept = tuple(object_ids[channel - 1] for channel in channels)
        objects = objects_to_network(probabilities.to(self._device)[channels], frame.geometry)
        self._write(frame, frame.sensory.of(kept), objects, kept, corrected, deep=False)
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
        self._objects.remove(object_ids)
        left = tuple(i for i in self.object_ids if i not in object_ids)
        self._appeared = {i: frame for i, frame in self._appeared.items() if i in left}
        self._sensory = self._sensory.of(left)
        self._last_masks = self._last_masks.of(left)

    def _new_frame(self, image: Image) -> CutieFrame:
        geometry = plan_geometry(
            (image.shape[0], image.shape[1]),
            size=scaled_size(image, self._config, self.scale),
            enlarge=self._config.enlarge,
            multiple=STRIDE,
        )
        return CutieFrame(self._index + 1, image, geometry, self._device)

    def _segment(self, frame: CutieFrame) -> Pending:
        height, width = frame.geometry.padded
        size = (height // STRIDE, width // STRIDE)
        before = self._sensory.resized(size)
        if not self.object_ids:
            frame.sensory = before
            return Pending(frame, torch.ones(1, height, width, device=self._device), ())
        features = frame.features(self._network)
        reading = self._memory.read(features.key)
        readout = torch.empty(0)
        last_masks = self._last_masks.resized(size)
        for rows in self._appeared_together():
            ids = [self.object_ids[row] for row in rows]
            fused = self._network.fuse(
                features,
                reading.values[:, rows],
                before.hidden[:, rows],
                last_masks.hidden[:, rows, 0],
                self._objects.read(ids),
            )
            if not readout.numel():
                readout = fused.new_empty((1, len(self.object_ids), *fused.shape[2:]))
            readout[:, rows] = fused
        hidden, probabilities = self._network.decode(features, readout, before.hidden)
        check_finite('prediction', probabilities, hidden)
        self._memory.record(reading)
        frame.sensory = before.with_hidden(hidden)
        return Pending(frame, probabilities, self.object_ids)

    def _appeared_together(self) -> Iterator[list[int]]:
        """Return the rows of objects by the frame on which they appeared.

        As in the published code, only such objects are told of each other's masks when what is
        remembered of them is fused.
        """
        for index in sorted(set(self._appeared.values())):
            yield [row for row, i in enumerate(self.object_ids) if self._appeared[i] == index]

    def _write(
        self,
        frame: CutieFrame,
        sensory: SensoryMemory,
        objects: torch.Tensor,
        fed: tuple[int, ...],
        corrected: Collection[int],
        *,
        deep: bool,
    ) -> SensoryMemory:
        """Memorise (n, H, W) objects for those `fed`; return the sensory memory after it."""
        features = frame.features(self._network)
        value = self._network.encode_value(
            frame.maps, features, sensory.hidden, objects[None], deep_update=deep
        )
        key = features.key
        check_finite('memory value', key.key, key.shrinkage, value.pixels, value.summaries)
        check_finite('memory value', value.sensory)
        rows = [sensory.object_ids.index(object_id) for object_id in fed]
        self._memory.write(frame.index, key, value.pixels[:, rows], fed, corrected)
        self._objects.write(frame.index, fed, value.summaries[rows])
        self._objects.settle(self._memory.frames)
        return sensory.replaced_by(SensoryMemory(value.sensory[:, rows], fed))

    def _expect(self, prediction: Prediction) -> Pending:
        if self._pending is None or prediction.frame is not self._pending.frame:
            raise RuntimeError('this prediction does not wait for a commit; call predict first')
        return self._pending
