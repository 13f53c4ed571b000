"""What tells two trackers apart whose memories must not be mixed up."""

import json
from dataclasses import asdict
from hashlib import sha256

import torch
from torch import nn

from lazy_vos_ros.engine.xmem.config import XMemConfig


def fingerprint(network: nn.Module, config: XMemConfig) -> str:
    """Return the SHA-256 of all weights and settings, as 64 hexadecimal digits.

    How fast the same is computed does not count.
    """
    settings = {name: value for name, value in asdict(config).items() if name != 'compile'}
    digest = sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}'.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
