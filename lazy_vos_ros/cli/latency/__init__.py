"""How long an image takes through ROS to its mask, inference apart."""
