"""Optional packages: absent is well, half there is not."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import warning

EXTRAS = {
    'sam': ('segment-anything-hq', 'timm', 'torchvision'),
    'cutie': ('rf-cutie', 'einops', 'omegaconf'),
    'rerun': ('rerun-sdk', 'pyarrow'),
    'cluster': ('dask', 'distributed'),
}
"""What each extra of setup.py needs, by the names of the distributions."""


def check_extras() -> Iterator[Finding]:
    """Say which extras are there, and which lack a part."""
    whole, absent = [], []
    for extra, names in EXTRAS.items():
        missing = [name for name in names if not _installed(name)]
        if not missing:
            whole.append(extra)
        elif missing[0] == names[0]:
            absent.append(extra)
        else:
            words = f'{extra}: {names[0]} is here without {", ".join(missing)}'
            yield warning('extras', words, f'pip install "lazy_vos_ros[{extra}]"')
    told = ', '.join(whole) or 'none'
    yield ok('extras', f'installed: {told}; not installed: {", ".join(absent) or "none"}')


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
