"""Read storage files of rosbag2, also damaged ones, up to the last whole message."""
