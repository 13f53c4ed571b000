"""XMem: the network, its memories and one time step (Cheng and Schwing, ECCV 2022)."""
