"""Building Cutie's network from the package `rf-cutie`, without a download and without Hydra."""

import warnings
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.resources import files
from typing import Any

VARIANTS = ('base', 'small')
"""Sizes of the published network: its image encoder is a ResNet-50 or a ResNet-18."""

_HELP = (
    "Cutie needs the Python package rf-cutie; install it with: pip install 'lazy_vos_ros[cutie]' "
    "or, beside the sources, .venv/bin/pip install 'rf-cutie>=1.0.1,<2'"
)
_NETWORK = 'cutie.model.cutie'


def published_sizes(variant: str = 'base') -> dict[str, Any]:
    """Return the published settings of a network, nested as in the package's own files.

    Raises
    ------
    ValueError
        If the variant is unknown.
    RuntimeError
        If the package is not installed; the message says what to do.
    """
    if variant not in VARIANTS:
        raise ValueError(f'variant is {variant!r}; allowed: {", ".join(VARIANTS)}')
    _import(_NETWORK)
    omegaconf = _import('omegaconf').OmegaConf
    folder = files('cutie.config').joinpath('model')
    parts = [omegaconf.create(folder.joinpath(f'{name}.yaml').read_text()) for name in VARIANTS]
    merged = omegaconf.merge(*parts[: 1 + VARIANTS.index(variant)])
    merged.pop('defaults', None)  # what Hydra would read to merge them itself
    # Some sizes refer to others by their path from the whole configuration's root.
    whole = omegaconf.to_container(omegaconf.create({'model': merged}), resolve=True)
    sizes: dict[str, Any] = whole['model']
    return sizes


def build_model(sizes: Mapping[str, Any]) -> Any:
    """Return the package's network with these sizes and random weights, in evaluation mode.

    Raises
    ------
    RuntimeError
        If the package is not installed; the message says what to do.
    """
    config = _import('omegaconf').OmegaConf.create({'model': dict(sizes)})
    network = _import(_NETWORK).CUTIE
    with _without_imagenet_weights(_import('cutie.model.utils.resnet')):
        return network(config).eval().requires_grad_(False)


def _import(name: str) -> Any:
    # Its calls of torch.cuda.amp.autocast do what they should, and warn at every first use.
    warnings.filterwarnings('ignore', category=FutureWarning, module=r'cutie\.')
    try:
        return import_module(name)
    except ImportError as error:
        raise RuntimeError(f'{_HELP} ({error})') from error


@contextmanager
def _without_imagenet_weights(resnet: Any) -> Iterator[None]:
    """Keep the package's constructors from downloading weights that a checkpoint replaces."""
    makers = {name: getattr(resnet, name) for name in ('resnet18', 'resnet50')}
    try:
        for name, maker in makers.items():
            setattr(resnet, name, partial(_untrained, maker))
        yield
    finally:
        for name, maker in makers.items():
            setattr(resnet, name, maker)


def _untrained(maker: Any, pretrained: bool = True, **arguments: Any) -> Any:
    del pretrained
    return maker(pretrained=False, **arguments)
