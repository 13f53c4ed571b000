"""Settings of the tracker node beside those of the engine."""

from dataclasses import dataclass

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter


@dataclass(frozen=True)
class NodeConfig:
    """Settings of `lazy_vos`.

    Raises
    ------
    ValueError
        At construction, naming the field, its value and what is allowed.
    """

    weights: str = parameter(
        'auto',
        'Tracker weights: auto (the best that are present), a name that `lazy-vos weights list` '
        'shows, or a file.',
        dynamic=False,
    )
    refiner: str = parameter(
        'auto',
        'What makes a mask of a click: auto, or a refiner that `lazy-vos weights list` shows.',
        dynamic=False,
    )
    device: str = parameter(
        'auto', 'Where the networks run: auto, cpu, cuda or cuda:N.', dynamic=False
    )
    profile: str = parameter(
        'paper',
        'Defaults of the settings of the method: the published definitions, the published code, '
        'or the published definitions with the rules that spare the operator of a live camera.',
        choices=tuple(PROFILES),
        dynamic=False,
    )
    image_transport: str = parameter(
        'raw',
        'raw: read the topic image; compressed: read image/compressed (jpeg or png).',
        choices=('raw', 'compressed'),
        dynamic=False,
    )
    autostart: bool = parameter(
        True,
        'Configure and activate at start; false leaves it to a lifecycle manager.',
        dynamic=False,
    )
    initial_click: str = parameter(
        '',
        'Start with the object at this pixel of the first image: "x,y"; tried again with the '
        'next ones while nothing is found there; empty: with none.',
        dynamic=False,
    )
    initial_mask: str = parameter(
        '',
        'Start with the object that is not 0 in this image file, of the size of the first image; '
        'empty: with none.',
        dynamic=False,
    )
    initial_label: str = parameter('', "The first object's name for people.", dynamic=False)
    click_buffer_frames: int = parameter(
        60,
        'Newest images kept, so that a click on an earlier image takes effect on that one.',
        low=1,
        high=10000,
        dynamic=False,
    )
    click_buffer_megabytes: int = parameter(
        128,
        'Most memory for these images; the newest is kept in any case.',
        low=0,
        high=100000,
        dynamic=False,
    )
    replay_slice: float = parameter(
        0.05,
        'Seconds by which the replay of a late answer may hold up an image, beside the frame that '
        'it is at.',
        low=0.0,
        high=60.0,
        dynamic=False,
    )
    state_file: str = parameter(
        '',
        'File of `~/save_state` and `~/load_state`; empty: nothing is saved.',
        dynamic=False,
    )
    keep_state: bool = parameter(
        False,
        'Save the state at shutdown, and go on from it at the next start.',
        dynamic=False,
    )
    stale_after: float = parameter(
        1.0,
        'Seconds without an image after which /diagnostics warns; after five times as many it '
        'is an error.',
        low=0.05,
        high=3600.0,
    )

    def __post_init__(self) -> None:
        """Check every field and the first object."""
        check_parameters(self)
        if self.initial_click and self.initial_mask:
            raise ValueError('initial_click and initial_mask are both given; allowed: one of them')
        if self.keep_state and not self.state_file:
            raise ValueError('keep_state is true and state_file is empty; allowed: with a file')
        self.first_click()

    def first_click(self) -> Click | None:
        """Return the first object's click, or None."""
        if not self.initial_click:
            return None
        try:
            x, y = (float(part) for part in self.initial_click.split(','))
            return Click(x, y)
        except ValueError:
            raise ValueError(
                f'initial_click is {self.initial_click!r}; allowed: "x,y" in pixels, such as '
                '"320,240"'
            ) from None
