"""Track objects in a camera's images: tracker, operator, and on request camera, RViz, recording.

Examples::

    ros2 launch lazy_vos_ros lazy_vos.launch.py image:=/camera/image_raw click:="320,200"
    ros2 launch lazy_vos_ros lazy_vos.launch.py source:=clip.mp4 rviz:=true record:=true
"""

from typing import List  # noqa: UP035 - launch knows lists of texts by this name alone

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.actions import SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import EnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'lazy_vos_ros'

ARGUMENTS = (
    ('image', 'image', 'Topic of the images (sensor_msgs/Image).'),
    ('image_transport', 'raw', 'raw, or compressed to read <image>/compressed.'),
    ('namespace', '', 'Namespace of all nodes, one for each robot.'),
    ('weights', 'auto', 'Tracker weights: a name of `lazy-vos weights list`, a file, or auto.'),
    ('device', 'auto', 'cpu, cuda, cuda:1, or auto.'),
    (
        'profile',
        'live',
        'live: with the rules that spare the operator, and undo; paper or code: without. Wins '
        'over params_file.',
    ),
    ('click', '', 'Start at once with the object at this pixel of the first image: "x,y".'),
    ('operator', 'true', 'Start the node that shows questions and takes clicks.'),
    ('trackers', '[lazy_vos]', 'Trackers whose questions it shows, such as [/r1/lazy_vos].'),
    ('source', '', 'Video file, image folder or webcam number to play as the camera.'),
    ('rate', '0.0', "Frames per second of `source`; 0.0 is the source's own rate."),
    ('loop', 'false', 'Play `source` again and again.'),
    ('rviz', 'false', 'Start RViz with the operator set-up.'),
    ('record', 'false', 'Record the topics that an evaluation needs.'),
    ('bag', '', 'Folder of the recording; empty: a new one named by the time.'),
    ('one_host', 'true', 'Use the Fast DDS profile for large images on one host.'),
)

TRACKER_PARAMETERS = {
    'image_transport': 'image_transport',
    'weights': 'weights',
    'profile': 'profile',
    'device': 'device',
    'initial_click': 'click',
}


def share(*parts: str) -> PathJoinSubstitution:
    """Return a path inside the installed package."""
    return PathJoinSubstitution([FindPackageShare(PACKAGE), *parts])


def is_true(name: str, context: LaunchContext) -> bool:
    """Return whether an argument says yes, in the spellings that conditions of launch know.

    Raises
    ------
    ValueError
        If it says neither yes nor no.
    """
    text = LaunchConfiguration(name).perform(context)
    word = text.strip().lower()
    if word not in ('true', 'false', '1', '0'):
        raise ValueError(f'{name} is {text!r}; allowed: true, false, 1 or 0')
    return word in ('true', '1')


def camera(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make the camera if there is a source to play."""
    source = LaunchConfiguration('source').perform(context)
    if not source:
        return []
    settings = {
        'source': source,
        'rate': float(LaunchConfiguration('rate').perform(context)),
        'loop': is_true('loop', context),
        # The clip begins when the tracker, and the recorder if there is one, are ready for it.
        'wait_for_subscribers': 2 if is_true('record', context) else 1,
    }
    return [
        Node(
            package=PACKAGE,
            executable='lazy_vos_camera',
            name='lazy_vos_camera',
            namespace=LaunchConfiguration('namespace'),
            parameters=[settings],
            remappings=[('image', LaunchConfiguration('image'))],
            output='screen',
        )
    ]


def recorder(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make the recorder if asked for."""
    if not is_true('record', context):
        return []
    return [
        Node(
            package=PACKAGE,
            executable='lazy_vos_recorder',
            name='lazy_vos_recorder',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{'bag': LaunchConfiguration('bag').perform(context)}],
            remappings=[('image', LaunchConfiguration('image'))],
            output='screen',
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe the whole graph."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    declared.append(
        DeclareLaunchArgument(
            'params_file',
            default_value=share('config', 'lazy_vos.yaml'),
            description='Parameters of the tracker.',
        )
    )
    profile = SetEnvironmentVariable(
        'FASTRTPS_DEFAULT_PROFILES_FILE',
        # A profile that the user has already named is kept.
        EnvironmentVariable(
            'FASTRTPS_DEFAULT_PROFILES_FILE', default_value=share('config', 'fastdds.xml')
        ),
        condition=IfCondition(LaunchConfiguration('one_host')),
    )
    tracker = Node(
        package=PACKAGE,
        executable='lazy_vos',
        name='lazy_vos',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            LaunchConfiguration('params_file'),
            {
                # All are text, though a click may look like a list and a name like a number.
                name: ParameterValue(LaunchConfiguration(argument), value_type=str)
                for name, argument in TRACKER_PARAMETERS.items()
            },
        ],
        remappings=[('image', LaunchConfiguration('image'))],
        output='screen',
        respawn=True,
        respawn_delay=2.0,
    )
    operator = Node(
        package=PACKAGE,
        executable='lazy_vos_operator',
        name='lazy_vos_operator',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {'trackers': ParameterValue(LaunchConfiguration('trackers'), value_type=List[str])}  # noqa: UP006
        ],
        condition=IfCondition(LaunchConfiguration('operator')),
        output='screen',
        respawn=True,
        respawn_delay=2.0,
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        name='rviz',
        namespace=LaunchConfiguration('namespace'),
        arguments=['-d', share('config', 'operator.rviz')],
        condition=IfCondition(LaunchConfiguration('rviz')),
        output='screen',
    )
    # RViz warns of a frame that it does not know.
    frame = Node(
        package='tf2_ros',
        executable='static_transform_publisher',
        name='lazy_vos_canvas_frame',
        arguments=['--frame-id', 'map', '--child-frame-id', 'lazy_vos_canvas'],
        condition=IfCondition(LaunchConfiguration('rviz')),
        output='screen',
    )
    return LaunchDescription(
        [
            *declared,
            profile,
            tracker,
            operator,
            OpaqueFunction(function=camera),
            OpaqueFunction(function=recorder),
            rviz,
            frame,
        ]
    )
