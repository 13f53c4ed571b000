"""Make the project's own code and files known to the virtual environment, without copies."""

from bootstrap.commands import Commands
from bootstrap.layout import Layout
from bootstrap.venv import site_packages

PACKAGE = 'lazy_vos_ros'
SHARED = ('launch', 'config', 'weights', 'package.xml')


def link_project(_commands: Commands, layout: Layout) -> str:
    """Put the sources on the import path and the shared files into the ament index."""
    (site_packages(layout) / f'{PACKAGE}.pth').write_text(f'{layout.root}\n')
    share = layout.venv / 'share'
    marker = share / 'ament_index' / 'resource_index' / 'packages' / PACKAGE
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text('')
    (share / PACKAGE).mkdir(exist_ok=True)
    for name in SHARED:
        link = share / PACKAGE / name
        link.unlink(missing_ok=True)
        link.symlink_to(layout.root / name)
    return 'linked'
