"""Make a virtual environment with the wheels of ROS a prefix that ament and colcon accept.

Runs with the environment's own Python, once after the wheels are installed; a second run
changes nothing.

The wheels carry the include folders of the machine that built them, which stops CMake; and
they lack the `local_setup.*` and `setup.*` files of a prefix, which the ROS package
`ros_workspace` brings to a real one and without which colcon ignores it.
"""

import re
import sys
import sysconfig
from pathlib import Path

EXPORTS = 'share/*/cmake/*rosidl_generator_pyExport.cmake'
PYTHON_INCLUDE = re.compile(r'/opt/python/[^/;"]+/include/python3\.\d+')
NUMPY_INCLUDE = re.compile(r'/opt/[^;"]*?/site-packages/numpy/(?:_core|core)/include')


def correct_includes(prefix: Path, python_include: str, numpy_include: str) -> int:
    """Replace the build machine's include folders; return how many files changed."""
    changed = 0
    for path in sorted(prefix.glob(EXPORTS)):
        text = path.read_text()
        corrected = NUMPY_INCLUDE.sub(lambda _: numpy_include, text)
        corrected = PYTHON_INCLUDE.sub(lambda _: python_include, corrected)
        if corrected != text:
            path.write_text(corrected)
            changed += 1
    return changed


def write_prefix_scripts(prefix: Path) -> list[str]:
    """Expand ament_package's templates of a prefix's scripts into its root."""
    from ament_package import templates

    values = {
        'CMAKE_INSTALL_PREFIX': str(prefix),
        'ament_package_PYTHON_EXECUTABLE': str(prefix / 'bin' / 'python'),
    }
    written = []
    for name in templates.get_prefix_level_template_names():
        source = templates.get_prefix_level_template_path(name)
        target = name.removesuffix('.in')
        if name.endswith('.in'):
            content = templates.configure_file(source, values)
        else:
            content = Path(source).read_text()
        (prefix / target).write_text(content)
        written.append(target)
    return written


def main() -> None:
    """Prepare the prefix of the running interpreter."""
    import numpy

    prefix = Path(sys.prefix)
    changed = correct_includes(prefix, sysconfig.get_path('include'), numpy.get_include())
    written = write_prefix_scripts(prefix)
    print(f'{changed} exports corrected; wrote {", ".join(written)}')


if __name__ == '__main__':
    main()
