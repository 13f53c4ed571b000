"""Settings of the tracker: schedule, memory sizes, working resolution and precision."""

from dataclasses import dataclass

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter


@dataclass(frozen=True)
class XMemConfig:
    """Settings of :class:`~lazy_vos_ros.engine.xmem.backend.XMemBackend`.

    Raises
    ------
    ValueError
        At construction, naming the field, its value and what is allowed.
    """

    size: int = parameter(
        480,
        'Short side in pixels at which the network works; -1: as the images come.',
        low=-1,
        high=4096,
        dynamic=False,
    )
    enlarge: bool = parameter(
        False, 'Enlarge images whose short side is below size.', dynamic=False
    )
    precision: str = parameter(
        'fp32',
        'Arithmetic of the network; similarities are always fp32.',
        choices=('fp32', 'fp16', 'bf16'),
        dynamic=False,
    )
    compile: bool = parameter(
        False,
        'Let PyTorch compile the network when the first image of a size comes, before objects are '
        'tracked on it: that takes a minute or more. Needs a C++ compiler, on a CUDA device '
        'Triton; without, the network runs as it is.',
        dynamic=False,
    )
    mem_every: int = parameter(
        5, 'Frames from one memorised frame to the next.', low=1, high=10000, dynamic=False
    )
    deep_update_every: int = parameter(
        -1,
        'Frames between refreshments of the sensory memory from a memorised value; -1: at every '
        'memorised frame.',
        low=-1,
        high=10000,
        dynamic=False,
    )
    top_k: int = parameter(
        30, 'Memory elements that each query pixel reads.', low=1, high=1000, dynamic=False
    )
    long_term: bool = parameter(
        True,
        'Consolidate old frames into long-term prototypes instead of forgetting them.',
        dynamic=False,
    )
    max_mid_term_frames: int = parameter(
        10,
        'Frames in the working memory, the first included, at which it is consolidated.',
        low=3,
        high=1000,
        dynamic=False,
    )
    min_mid_term_frames: int = parameter(
        5,
        'Frames, the first included, that a consolidation leaves in the working memory.',
        low=2,
        high=999,
        dynamic=False,
    )
    num_prototypes: int = parameter(
        128, 'Prototypes that one consolidation makes.', low=1, high=100000, dynamic=False
    )
    max_long_term_elements: int = parameter(
        10000, 'Most prototypes in the long-term memory.', low=1, high=1000000, dynamic=False
    )
    max_working_frames: int = parameter(
        20, 'Most frames in the memory without long-term memory.', low=2, high=1000, dynamic=False
    )
    max_permanent_frames: int = parameter(
        4,
        'Most frames that never leave the working memory; the frame on which an object appeared '
        'is one while there is room.',
        low=1,
        high=100,
        dynamic=False,
    )
    keep_corrected: bool = parameter(
        False,
        'Keep also the frame of the newest correction of each object by a person, if the '
        'refiner gave its mask a score of at least 0.9, in the working memory, while '
        'max_permanent_frames has room, and take it for a frame whose mask was given.',
        dynamic=False,
    )
    compat: bool = parameter(
        False,
        'Reproduce how the published code pairs keys and values of objects added later, breaks '
        'ties between seldom used prototypes, and leaves the sensory memory as it is on a due '
        'frame that is kept out of the memory.',
        dynamic=False,
    )

    def __post_init__(self) -> None:
        """Check every field and what must hold between them."""
        check_parameters(self)
        if self.size == 0:
            raise ValueError('size is 0; allowed: -1, or a short side in pixels from 1 to 4096')
        if self.min_mid_term_frames >= self.max_mid_term_frames:
            raise ValueError(
                f'min_mid_term_frames is {self.min_mid_term_frames} and max_mid_term_frames is '
                f'{self.max_mid_term_frames}; allowed: min_mid_term_frames < max_mid_term_frames'
            )
        if self.num_prototypes > self.max_long_term_elements:
            raise ValueError(
                f'num_prototypes is {self.num_prototypes} and max_long_term_elements is '
                f'{self.max_long_term_elements}; allowed: num_prototypes <= '
                'max_long_term_elements'
            )
