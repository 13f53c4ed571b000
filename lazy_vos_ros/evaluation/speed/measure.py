"""Measure one case in this process."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from time import process_time

import numpy as np
import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.build import resolve_device
from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official import official_network
from lazy_vos_ros.evaluation.speed.case import Case
from lazy_vos_ros.evaluation.speed.corrections import pseudo_correction
from lazy_vos_ros.evaluation.speed.corrections import user_correction
from lazy_vos_ros.evaluation.speed.figures import Figures
from lazy_vos_ros.evaluation.speed.figures import FrameTime
from lazy_vos_ros.evaluation.speed.figures import course
from lazy_vos_ros.evaluation.speed.figures import mean_ms
from lazy_vos_ros.evaluation.speed.figures import percentiles
from lazy_vos_ros.evaluation.speed.floor import count_work
from lazy_vos_ros.evaluation.speed.floor import measure_rates
from lazy_vos_ros.evaluation.speed.memory_use import MIB
from lazy_vos_ros.evaluation.speed.memory_use import peak_device_mib
from lazy_vos_ros.evaluation.speed.memory_use import peak_resident_mib
from lazy_vos_ros.evaluation.speed.memory_use import resident_mib
from lazy_vos_ros.evaluation.speed.scene import MovingScene

_DTYPES = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}

OFFICIAL_RANDOM = 'official-random'
"""In place of weights: the published layout with random numbers, the same work without meaning."""

WARM_UP = 6
"""Frames after the first that are not counted; one of them is memorised."""

FEWEST = 11
"""Frames that are measured however long they take; two of them are memorised."""

UNDISTURBED = LazyConfig(
    uncertainty_driven_update=False, pseudo_corrections=False, user_corrections=False
)
"""Frames are memorised when they are due, whatever the network makes of them."""


def measure(case: Case, on_frame: Callable[[int], None] = lambda done: None) -> Figures:
    """Track through the moving scene; call `on_frame` with the number of measured frames.

    Raises
    ------
    ValueError, RuntimeError
        If weights, device or packages are not as they must be.
    """
    begin = perf_counter()
    torch.set_num_threads(case.threads)
    backend = backend_of(case)
    refiner = make_refiner('auto', backend=backend, device=case.device)
    tracker = LazyTracker(backend, refiner, UNDISTURBED)
    scene = MovingScene(case.height, case.width, case.objects)
    masks = [scene.mask(0, number + 1) for number in range(case.objects)]
    tracker.add_objects(scene.frame(0), [Prompt(mask=mask) for mask in masks])
    for index in range(1, 1 + WARM_UP):
        tracker.step(scene.frame(index))
    warm_up = perf_counter() - begin
    times = frame_times(tracker, scene, case, on_frame)
    following = 1 + WARM_UP + len(times)
    size = tracker.memory_size()
    peak, device_peak = peak_resident_mib(), peak_device_mib(backend.device)
    plain = [item.total for item in times if not item.memorised]
    pseudo = pseudo_correction(tracker, scene, following + 1)
    typical = float(np.median(plain)) if plain else 0.0
    return Figures(
        backend=backend.name,
        refiner=refiner.name,
        frames=len(times),
        plain_ms=percentiles(plain),
        memory_ms=percentiles([item.total for item in times if item.memorised]),
        fps=round(1 / float(np.mean([item.total for item in times])), 3),
        cpu_ms=mean_ms([item.cpu for item in times]),
        parts_ms={
            part: mean_ms([getattr(item, part) for item in times])
            for part in ('predict', 'lazy', 'commit')
        },
        lazy_share=round(sum(item.lazy for item in times) / sum(item.total for item in times), 5),
        pseudo_ms=None if pseudo is None else round(1e3 * max(0.0, pseudo - typical), 3),
        user_ms=_milliseconds(user_correction(tracker, backend.device, masks[0])),
        warm_up_s=round(warm_up, 2),
        resident_mib=_tenth_and_last(times),
        peak_mib=round(peak, 2),
        device_peak_mib=round(device_peak, 2),
        memory_elements=size.working + size.long_term,
        memory_mib=round(size.nbytes / MIB, 2),
        floor=_floor(tracker, backend, scene.frame(following), _DTYPES[case.precision]),
        course=course(times),
    )


def _floor(
    tracker: LazyTracker, backend: Backend, image: Image, dtype: torch.dtype
) -> dict[str, float]:
    """Return the least that one more frame takes; it is tracked."""
    work = count_work(lambda: tracker.step(image))
    rates = measure_rates(backend.device, dtype)
    fewest = fewest_bytes(tracker, backend, image)
    return {
        'gflop': round(1e-9 * work.flops, 3),
        'fewest_mb': round(1e-6 * fewest, 2),
        'moved_mb': round(1e-6 * work.moved, 1),
        'gflop_per_s': round(1e-9 * rates.flops, 1),
        'gb_per_s': round(1e-9 * rates.bandwidth, 2),
        'ms': round(work.floor_ms(rates, fewest), 3),
    }


def fewest_bytes(tracker: LazyTracker, backend: Backend, image: Image) -> float:
    """Return the bytes that a frame must move: weights, memory and image in, the result out."""
    network = getattr(backend, 'network', None)
    held_by = [] if network is None else [*network.parameters(), *network.buffers()]
    weights = sum(item.nbytes for item in held_by)
    result = tracker.latest
    given = 0 if result is None else result.labels.nbytes + result.entropy.nbytes
    size = tracker.memory_size()
    held = size.nbytes * (size.working + size.long_term) / max(1, size.capacity)
    return weights + held + image.nbytes + given


def backend_of(case: Case) -> Backend:
    """Build the tracker of a case."""
    device = resolve_device(case.device)
    if case.weights == OFFICIAL_RANDOM:
        torch.manual_seed(0)
        settings = XMemConfig(size=case.size, precision=case.precision)
        name = 'XMem (layout of the published network, random numbers)'
        return XMemBackend(official_network(), settings, name=name, device=device)
    own = XMemConfig(**tracker_entry(case.weights).settings)
    settings = replace(own, size=case.size, precision=case.precision)
    return make_backend(case.weights, device=str(device), settings=settings)


def frame_times(
    tracker: LazyTracker, scene: MovingScene, case: Case, on_frame: Callable[[int], None]
) -> list[FrameTime]:
    """Track frame by frame as long as the case says."""
    times: list[FrameTime] = []
    begin = perf_counter()
    while len(times) < case.frames:
        if case.seconds and len(times) >= FEWEST and perf_counter() - begin > case.seconds:
            break
        image = scene.frame(1 + WARM_UP + len(times))
        cpu = process_time()
        result = tracker.step(image)
        cpu = process_time() - cpu
        parts = result.timings
        times.append(
            FrameTime(
                predict=parts.predict,
                lazy=parts.lazy,
                commit=parts.commit,
                refine=parts.refine,
                cpu=cpu,
                memorised=result.memorised,
                resident=resident_mib(),
            )
        )
        on_frame(len(times))
    return times


def _tenth_and_last(times: list[FrameTime]) -> dict[int, float]:
    tenth = max(1, len(times) // 10)
    return {number: round(times[number - 1].resident, 2) for number in (tenth, len(times))}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1e3 * seconds, 3)
