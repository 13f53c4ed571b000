"""`small_tracker.py` whose network and refiner fail as a file says, from one image to the next.

The file that `LAZY_VOS_FAULTS` names holds a JSON object, which may be replaced at any time:
`nan` (the network returns no numbers), `pixels` (the accelerator has memory for so many pixels of
all objects together), `refiner` ("fails" or "empty"), `seconds` (each image takes so long).
"""

import json
import os
import sys
from pathlib import Path
from time import sleep

import small_tracker
import torch

from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.xmem.backend import XMemBackend

FILE = Path(os.environ['LAZY_VOS_FAULTS'])
SEGMENT = XMemBackend._segment
REFINE = small_tracker.DiscRefiner.refine


def faults():
    return json.loads(FILE.read_text()) if FILE.is_file() else {}


def segment(backend, frame):
    now = faults()
    height, width = frame.geometry.padded
    if seconds := now.get('seconds'):
        print(f'inside the network for {seconds} s', flush=True)
        sleep(seconds)
    if height * width * len(backend.object_ids) > now.get('pixels', float('inf')):
        raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
    if not now.get('nan'):
        return SEGMENT(backend, frame)
    decode = backend.network.decode

    def broken(*arguments, **options):
        hidden, logits = decode(*arguments, **options)
        return hidden, logits * float('nan')

    backend.network.decode = broken
    try:
        return SEGMENT(backend, frame)
    finally:
        del backend.network.decode


def refine(self, frame, clicks, **rest):
    mood = faults().get('refiner')
    if mood == 'fails':
        raise RuntimeError('the refiner has lost its weights')
    if mood == 'empty':
        return RefinedMask(torch.zeros(frame.image.shape[:2], dtype=torch.bool), 1.0)
    return REFINE(self, frame, clicks, **rest)


if __name__ == '__main__':
    XMemBackend._segment = segment
    small_tracker.DiscRefiner.refine = refine
    sys.exit(small_tracker.main())
