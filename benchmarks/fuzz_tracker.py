"""The door of the tracker: any call in any order, with odd images, prompts, answers, settings."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from benchmarks.fuzz_door import Door
from benchmarks.fuzz_inputs import files
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.state_file import load_state
from lazy_vos_ros.engine.state_file import save_state
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig

SIZES = ((32, 48), (32, 48), (32, 48), (16, 16), (1, 1), (3, 80), (47, 33))
ASKING = LazyConfig(tau_u=0.0, tau_p=0.0, spare_absent=True, lost_area_ratio=0.2)
MOST_OBJECTS = 5


class MoodyRefiner:
    """A disc around the first click; now and then a failure, an empty mask, one of wrong size."""

    name = 'moody'

    def __init__(self) -> None:
        self._calls = count()

    def refine(
        self, frame: Any, clicks: Any, *, object_id: int, prior: torch.Tensor | None = None
    ) -> RefinedMask:
        """Return what this call's number says."""
        height, width = frame.image.shape[:2]
        mood = next(self._calls) % 12
        if mood == 3:
            raise RuntimeError('out of order')
        if mood == 5:
            return RefinedMask(torch.zeros(height, width, dtype=torch.bool), 0.0)
        if mood == 7:
            return RefinedMask(torch.ones(height + 1, width, dtype=torch.bool), 1.0)
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
        far = (rows - clicks[0].y) ** 2 + (columns - clicks[0].x) ** 2
        return RefinedMask(far <= 36, float('nan') if mood == 9 else 0.5)


def small_weights(folder: Path) -> Path:
    """Write a small compact network with random weights."""
    torch.manual_seed(5)
    config = CompactConfig(learnt=8, state=8, coarse=16, middle=8, fine=8)
    path = folder / 'small.safetensors'
    save_compact_network(compact_network(config), config, path)
    return path


def tracker_doors(folder: Path) -> list[Door]:
    """Return the doors of the tracker's calls and of its saved states."""
    torch.manual_seed(5)
    settings = XMemConfig(
        size=-1,
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=8,
        max_long_term_elements=40,
        mem_every=2,
    )
    backend = make_backend(str(small_weights(folder)), device='cpu', settings=settings)
    tracker = LazyTracker(backend, MoodyRefiner(), ASKING)
    saved = folder / 'saved.safetensors'
    tracker.add_object(np.full((32, 48, 3), 90, np.uint8), click=Click(20, 10))
    save_state(tracker, backend, saved)
    content = saved.read_bytes()

    def load(data: bytes) -> None:
        path = folder / 'state.safetensors'
        path.write_bytes(data)
        load_state(tracker, backend, path)
        tracker.step(np.zeros((32, 48, 3), np.uint8))

    calls = st.one_of(*(SEVERAL[name] for name in SEVERAL))
    return [
        Door('calls of the tracker', calls, lambda call: call_tracker(tracker, *call), share=55),
        Door('files of saved states', files(content), load, (ValueError, OSError), share=10),
    ]


def call_tracker(tracker: LazyTracker, name: str, given: Any) -> None:
    """Make one call; the tracker must go on afterwards whatever came of it."""
    if len(tracker.object_ids) > MOST_OBJECTS:
        tracker.remove_object(tracker.object_ids[0])
    CALLS[name](tracker, given)


def _images() -> SearchStrategy[Any]:
    def image(size: tuple[int, int], value: int, kind: str) -> Any:
        pixels = np.random.default_rng(value).integers(0, 255, (*size, 3), np.uint8)
        odd = {
            'float': lambda: pixels.astype(np.float32),
            'grey': lambda: pixels[..., 0],
            'alpha': lambda: pixels.repeat(2, 2)[..., :4],
            'empty': lambda: pixels[:0],
            'strided': lambda: pixels[:, ::-1],
            'list': pixels.tolist,
        }
        return odd[kind]() if kind in odd else pixels

    kinds = (*['usual'] * 12, 'float', 'grey', 'alpha', 'empty', 'strided', 'list')
    return st.builds(image, st.sampled_from(SIZES), st.integers(0, 20), st.sampled_from(kinds))


def _clicks() -> SearchStrategy[tuple[Click, ...]]:
    place = st.one_of(st.floats(-0.5, 31.4), st.floats(-0.5, 31.4), st.floats(-1e9, 1e9))
    return st.lists(st.builds(Click, place, place, st.booleans()), max_size=3).map(tuple)


def _prompts() -> SearchStrategy[list[dict[str, Any]]]:
    def mask(size: tuple[int, int], dense: bool) -> Any:
        return np.random.default_rng(1).random(size) > (0.3 if dense else 1.0)

    masks = st.one_of(st.none(), st.builds(mask, st.sampled_from(SIZES), st.booleans()))
    ids = st.one_of(st.none(), st.none(), st.integers(-2, 70), st.just(2**40))
    fields = {'clicks': _clicks(), 'mask': masks, 'object_id': ids}
    return st.lists(st.fixed_dictionaries(fields), max_size=3)


def _stamps() -> SearchStrategy[float | None]:
    return st.one_of(st.none(), st.floats(0, 100), st.floats())


def _answers() -> SearchStrategy[Any]:
    return st.one_of(
        _clicks(), st.just(Skip()), st.just(Absent()), st.builds(Click, st.just(5.0), st.just(6.0))
    )


def _open_request(tracker: LazyTracker, number: int) -> str:
    waiting = tracker.open_requests
    return waiting[number % len(waiting)].request_id if waiting and number >= 0 else 'unknown'


def _tracked(tracker: LazyTracker, number: int) -> int:
    return (
        tracker.object_ids[number % len(tracker.object_ids)]
        if tracker.object_ids and number >= 0
        else number
    )


CALLS: dict[str, Callable[[LazyTracker, Any], object]] = {
    'step': lambda tracker, given: tracker.step(*given),
    'add': lambda tracker, given: tracker.add_objects(
        given[0], [Prompt(**fields) for fields in given[1]], given[2]
    ),
    'answer': lambda tracker, given: tracker.answer(_open_request(tracker, given[0]), given[1]),
    'preview': lambda tracker, given: tracker.preview(_open_request(tracker, given[0]), given[1]),
    'correct': lambda tracker, given: tracker.correct(_tracked(tracker, given[0]), given[1]),
    'remove': lambda tracker, given: tracker.remove_object(_tracked(tracker, given)),
    'reset': lambda tracker, given: tracker.reset() if given == 0 else None,
    'configure': lambda tracker, given: tracker.configure(LazyConfig(**given)),
    'catch up': lambda tracker, given: tracker.catch_up(given),
}

_NUMBERS = st.integers(-1, 20)
SEVERAL: dict[str, SearchStrategy[tuple[str, Any]]] = {
    'step': st.tuples(st.just('step'), st.tuples(_images(), _stamps())),
    'step again': st.tuples(st.just('step'), st.tuples(_images(), _stamps())),
    'add': st.tuples(st.just('add'), st.tuples(_images(), _prompts(), _stamps())),
    'answer': st.tuples(st.just('answer'), st.tuples(_NUMBERS, _answers())),
    'preview': st.tuples(st.just('preview'), st.tuples(_NUMBERS, _clicks())),
    'correct': st.tuples(st.just('correct'), st.tuples(_NUMBERS, _answers())),
    'remove': st.tuples(st.just('remove'), _NUMBERS),
    'reset': st.tuples(st.just('reset'), st.integers(0, 30)),
    'configure': st.tuples(
        st.just('configure'),
        st.fixed_dictionaries(
            {
                'tau_u': st.sampled_from((0.0, 0.01, 0.5, float('inf'))),
                'tau_p': st.sampled_from((0.0, 0.01)),
                'trigger': st.sampled_from(('derivative', 'level')),
                'late': st.sampled_from(('memory', 'replay')),
                'dilation': st.sampled_from(('ratio', 'code', 'fixed')),
                'masked_entropy': st.sampled_from(('dilated', 'mask')),
                'pseudo_click': st.sampled_from(
                    ('boundary_distance', 'interior_distance', 'centre')
                ),
                'max_questions': st.sampled_from((1, 2, 256)),
                'replay_frames': st.sampled_from((1, 5, 600)),
                'replay_megabytes': st.sampled_from((0, 1, 64)),
                'question_timeout': st.sampled_from((0.1, 5.0, float('inf'))),
                'lost_area_ratio': st.sampled_from((0.0, 0.5, 1.0)),
                'deep_update_on_correction': st.booleans(),
                'soft_others': st.booleans(),
                'spare_absent': st.booleans(),
            }
        ),
    ),
    'catch up': st.tuples(st.just('catch up'), st.sampled_from((0.0, 0.01, 1.0))),
}
"""Names and arguments of calls."""
