"""Importing the package `segment-anything-hq`, also beside a build of PyTorch without CUDA."""

import sys
import warnings
from importlib import import_module
from typing import Any

import torch

_HELP = (
    'SAM-HQ needs the Python packages segment-anything-hq, timm and torchvision; install them '
    "with: pip install 'lazy_vos_ros[sam]'"
)
_MISSING_SCHEMAS = (
    'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
)
_libraries: list[torch.library.Library] = []
"""Schemas vanish with the object that defined them."""


def import_sam() -> Any:
    """Return the module ``segment_anything_hq``.

    Raises
    ------
    RuntimeError
        If it or one of the packages that it needs is not installed; the message says what to do.
    """
    try:
        _import_torchvision()
        with warnings.catch_warnings():
            # It imports from places that timm calls deprecated, and registers models twice.
            warnings.simplefilter('ignore')
            return import_module('segment_anything_hq')
    except ImportError as error:
        raise RuntimeError(f'{_HELP} ({error})') from error


def _import_torchvision() -> None:
    """Import torchvision, and where its compiled operators do not load, without them.

    The wheels of torchvision on the usual index are built for CUDA. Beside a PyTorch without
    CUDA their operators are missing, and the import fails because two of them are given a
    fallback. Declaring these two is enough; SAM-HQ uses none of them.
    """
    try:
        import_module('torchvision')
    except RuntimeError as error:
        if 'torchvision::' not in str(error):
            raise
        for name in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
            del sys.modules[name]
        library = torch.library.Library('torchvision', 'FRAGMENT')  # type: ignore[no-untyped-call]
        for schema in _MISSING_SCHEMAS:
            library.define(schema)  # type: ignore[no-untyped-call]
        _libraries.append(library)
        import_module('torchvision')
