import os
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import check_clicks
from lazy_vos_ros.engine.tracker import LazyTracker

SHARED = Path(
    os.environ.get('LAZY_VOS_SHARED', Path(__file__).resolve().parents[2] / '..' / 'shared')
)
HEIGHT, WIDTH, STRIPE = 24, 48, 12


@pytest.fixture(scope='session')
def lazy_layer_golden():
    path = SHARED / 'golden' / 'official' / 'lazy_layer.npz'
    if not path.is_file():
        pytest.skip(f'the golden vectors of the published lazy layer are not at {path}')
    with np.load(path) as vectors:
        return dict(vectors)


def box_of(object_id):
    """Where the scripted backend sees an object: a box of 8 x 6 pixels in its own stripe."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    left = (object_id - 1) % 4 * STRIPE
    mask[8:16, left + 3 : left + 9] = True
    return mask


def certainty(entropy, channels):
    """Return the probability p of one class, the others sharing 1 - p, that has this entropy."""
    low, high = 1 / channels + 1e-4, 1.0
    for _ in range(60):
        p = (low + high) / 2
        rest = (1 - p) / (channels - 1)
        value = -(p * np.log(p) + (channels - 1) * rest * np.log(max(rest, 1e-300)))
        low, high = (p, high) if value / np.log(channels) > entropy else (low, p)
    return 1.0 if entropy == 0 else p


@dataclass
class Frame:
    index: int
    image: np.ndarray = field(repr=False)

    @property
    def nbytes(self):
        return self.image.nbytes


class ScriptedBackend:
    """Sees every object in its box, as unsure as the script says; notes what it is told.

    `script[frame index][object id]` is S_R of the object in the frame, 0 where it is missing. A
    box and its stripe are equally unsure, so S_R is exactly the scripted value. A pair is S_R and
    the number of columns of the box that are seen, from its left.
    """

    name = 'scripted'
    device = torch.device('cpu')

    def __init__(self, script):
        self.script = script
        self.commits = []
        self.memorised = []
        self.left_out = []
        self.corrected = []
        self.reset()

    def reset(self):
        self.object_ids = ()
        self.index = -1
        self.pending = None

    def predict(self, image):
        if self.pending is not None:
            raise RuntimeError('the previous prediction was not committed')
        self.index += 1
        self.before = self.object_ids
        self.pending = self._prediction(Frame(self.index, image))
        return self.pending

    def _prediction(self, frame):
        channels = len(self.object_ids) + 1
        probabilities = np.zeros((channels, HEIGHT, WIDTH), np.float32)
        probabilities[0] = 1
        for channel, object_id in enumerate(self.object_ids, 1):
            scripted = self.script.get(frame.index, {}).get(object_id, 0.0)
            entropy, columns = scripted if isinstance(scripted, tuple) else (scripted, 6)
            p = certainty(entropy, channels)
            left = (object_id - 1) % 4 * STRIPE
            stripe = np.zeros((HEIGHT, WIDTH), bool)
            stripe[:, left : left + STRIPE] = True
            box = box_of(object_id)
            box[:, left + 3 + columns :] = False
            likely = np.where(box, channel, 0)
            for other in range(channels):
                value = np.where(likely == other, p, (1 - p) / (channels - 1))
                probabilities[other][stripe] = value[stripe]
        return Prediction(torch.from_numpy(probabilities), self.object_ids, frame)

    def add_objects(self, prediction, masks):
        assert prediction is self.pending
        kept = prediction.probabilities.clone()
        new = torch.stack([masks[item].float() for item in sorted(masks)])
        kept[:, new.any(0)] = 0
        self.object_ids = prediction.object_ids + tuple(sorted(masks))
        self.pending = Prediction(torch.cat([kept, new]), self.object_ids, prediction.frame)
        return self.pending

    def commit(
        self,
        prediction,
        write=MemoryWrite.SCHEDULED,
        probabilities=None,
        *,
        deep_update=False,
        without=(),
        corrected=(),
    ):
        assert prediction is self.pending
        self.pending = None
        self.left_out.append(tuple(without))
        self.corrected.append(tuple(corrected))
        self.commits.append((prediction.frame.index, write, probabilities, deep_update))
        return write is MemoryWrite.FORCED

    def discard(self):
        if self.pending is not None:
            self.object_ids = self.before
            self.pending = None

    def memorise(self, frame, object_ids, probabilities, corrected=()):
        self.corrected.append(tuple(corrected))
        self.memorised.append((frame, object_ids, probabilities))
        return True

    def remove_objects(self, object_ids):
        self.object_ids = tuple(i for i in self.object_ids if i not in object_ids)

    def memory_size(self):
        return MemorySize(len(self.commits), 0, 100, 1000)


class BoxRefiner:
    """Makes a box of 5 x 5 pixels around the last click; does what a test sets it to."""

    name = 'boxes'

    def __init__(self):
        self.calls = []
        self.scores = {}
        self.error = None
        self.mask = None

    def refine(self, frame, clicks, *, object_id, prior=None):
        check_clicks(frame, clicks)
        self.calls.append((frame.index, tuple(clicks), object_id, prior))
        if self.error is not None:
            raise self.error
        mask = self.mask
        if mask is None:
            row, column = clicks[-1].pixel
            mask = torch.zeros(frame.image.shape[:2], dtype=torch.bool)
            mask[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
        return RefinedMask(mask, self.scores.get(object_id, 0.5))


@dataclass(frozen=True)
class Position:
    """Where a scripted backend is."""

    index: int
    object_ids: tuple
    pending: object
    nbytes: int = 1000


class World:
    """A tracker over scripted uncertainties, with as many objects as the first frame is given."""

    box_of = staticmethod(box_of)
    size = (HEIGHT, WIDTH)

    def __init__(self, script=None, *, objects=1, operator=None, **settings):
        self.backend = ScriptedBackend(script or {})
        self.refiner = BoxRefiner()
        self.tracker = LazyTracker(
            self.backend, self.refiner, LazyConfig(**settings), operator=operator
        )
        prompts = [Prompt(mask=box_of(index + 1)) for index in range(objects)]
        if prompts:
            self.tracker.add_objects(self.image(0), prompts)

    def let_go_back(self):
        """Give the backend what a replay needs: a position, and the way back to it."""
        backend = self.backend

        def restore(position):
            backend.index, backend.object_ids = position.index, position.object_ids
            backend.pending = position.pending

        backend.snapshot = lambda: Position(backend.index, backend.object_ids, backend.pending)
        backend.restore = restore

    @staticmethod
    def image(seed):
        random = np.random.default_rng(seed)
        return random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)

    def step(self, stamp=None):
        """Take the next frame; return its result."""
        return self.tracker.step(self.image(self.backend.index + 1), stamp)

    def steps(self, number):
        return [self.step() for _ in range(number)][-1]

    @property
    def last_write(self):
        return self.backend.commits[-1][1]


@pytest.fixture
def make_world():
    return World
