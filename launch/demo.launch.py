"""The demo's graph under `ros2 launch`: a clip, the tracker, and an operator who was recorded.

Example::

    ros2 launch lazy_vos_ros demo.launch.py source:=bikes.mp4 click:="320,140" clicks:=clicks.yaml
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'lazy_vos_ros'


def generate_launch_description() -> LaunchDescription:
    """Describe the graph: lazy_vos.launch.py with a recorded operator in place of a person."""
    share = FindPackageShare(PACKAGE)
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([share, 'launch', 'lazy_vos.launch.py'])
        ),
        launch_arguments={
            'source': LaunchConfiguration('source'),
            'click': LaunchConfiguration('click'),
            # As in the paper: the recorded operator needs no sparing.
            'profile': 'paper',
            'operator': 'false',
            'record': 'true',
        }.items(),
    )
    agent = Node(
        package=PACKAGE,
        executable='lazy_vos_agent',
        name='lazy_vos_agent',
        parameters=[
            {
                'clicks': LaunchConfiguration('clicks'),
                'reaction_time': LaunchConfiguration('reaction_time'),
            }
        ],
        output='screen',
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument('source', description='Video file or image folder.'),
            DeclareLaunchArgument('click', description='The object in the first image: "x,y".'),
            DeclareLaunchArgument('clicks', description="File of the object's centre over time."),
            DeclareLaunchArgument(
                'reaction_time', default_value='1.5', description='Seconds until an answer.'
            ),
            included,
            agent,
        ]
    )
