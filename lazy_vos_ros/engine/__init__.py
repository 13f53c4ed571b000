"""The algorithm: torch, no ROS, no file formats."""
