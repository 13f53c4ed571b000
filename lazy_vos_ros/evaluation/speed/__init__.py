"""How fast a machine tracks, and with how much memory."""
