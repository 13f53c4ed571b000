"""ROS 2 nodes: convert, queue, publish."""
