"""Makes each fault of docs/reliability.md in real processes and measures how it is survived."""
