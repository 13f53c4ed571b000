"""Sub-commands of lazy-vos."""
