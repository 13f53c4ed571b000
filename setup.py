"""The ROS package lazy_vos_ros, for colcon and for pip."""

from pathlib import Path

from setuptools import find_packages
from setuptools import setup

PACKAGE = 'lazy_vos_ros'
ROOT = Path(__file__).parent
SHARED = {'launch': '*.py', 'config': '*', 'config/sros2': '*', 'weights': '*'}
UNSHARED = {'.pth'}  # official checkpoints: large, and fetched where they are wanted


def shared_files():
    """Return the data files: index marker, package.xml and the folders that nodes read."""
    share = f'share/{PACKAGE}'
    files = [
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (share, ['package.xml']),
    ]
    for folder, pattern in SHARED.items():
        names = [
            f'{folder}/{path.name}'
            for path in sorted((ROOT / folder).glob(pattern))
            if path.is_file() and path.suffix not in UNSHARED
        ]
        files.append((f'{share}/{folder}', names))
    return files


setup(
    name=PACKAGE,
    version='0.1.0',
    description='Keep hold of an object in a live camera stream; ask for a click when unsure.',
    author='lazy_vos_ros maintainers',
    maintainer='lazy_vos_ros maintainers',
    maintainer_email='maintainers@lazy-vos-ros.example',
    license='MIT',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={
        PACKAGE: ['py.typed'],
        f'{PACKAGE}.evaluation.report': ['templates/*'],
        f'{PACKAGE}.nodes.web': ['page/*'],
    },
    data_files=shared_files(),
    python_requires='>=3.10',
    install_requires=['setuptools'],
    extras_require={
        'cluster': ['dask', 'distributed'],
        'cutie': ['rf-cutie>=1.0.1,<2'],
        'rerun': ['rerun-sdk==0.23.1', 'pyarrow<25', 'numpy<2'],
        'sam': ['segment-anything-hq', 'timm', 'torchvision'],
        'test': ['hypothesis', 'pytest', 'pytest-xdist', 'vos-benchmark'],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            'lazy-vos = lazy_vos_ros.cli.main:main',
            'lazy_vos = lazy_vos_ros.nodes.start:lazy_vos',
            'lazy_vos_agent = lazy_vos_ros.nodes.start:lazy_vos_agent',
            'lazy_vos_camera = lazy_vos_ros.nodes.start:lazy_vos_camera',
            'lazy_vos_operator = lazy_vos_ros.nodes.start:lazy_vos_operator',
            'lazy_vos_recorder = lazy_vos_ros.nodes.start:lazy_vos_recorder',
        ],
    },
)
