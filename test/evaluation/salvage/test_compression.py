import random
from pathlib import Path

import lz4.frame
import pytest
from backports import zstd

from lazy_vos_ros.evaluation.salvage.compression import decompress_file
from lazy_vos_ros.evaluation.salvage.compression import decompress_part

PLAIN = random.Random(0).randbytes(700_000) + bytes(700_000)
PACKERS = {'zstd': zstd.compress, 'lz4': lz4.frame.compress, '': bytes}


@pytest.mark.parametrize('name', PACKERS)
def test_what_is_there_of_cut_data_is_their_beginning(name: str):
    packed = PACKERS[name](PLAIN)
    assert decompress_part(packed, name) == PLAIN
    lengths = []
    for part in (0.3, 0.6, 0.9):
        found = decompress_part(packed[: int(part * len(packed))], name)
        assert PLAIN.startswith(found)
        lengths.append(len(found))
    assert 100_000 < lengths[0] < lengths[1] < lengths[2]


def test_damage_ends_it_without_an_error():
    packed = bytearray(zstd.compress(bytes(range(256)) * 9000))
    packed[len(packed) // 2 :] = b'\xff' * (len(packed) - len(packed) // 2)
    assert (bytes(range(256)) * 9000).startswith(decompress_part(bytes(packed), 'zstd'))


def test_unknown_compression_is_refused():
    with pytest.raises(ValueError, match="compression is 'br'; allowed: zstd, lz4"):
        decompress_part(b'', 'br')


def test_file_is_written_as_far_as_it_goes(tmp_path: Path):
    packed, target = tmp_path / 'a.zstd', tmp_path / 'a'
    packed.write_bytes(zstd.compress(PLAIN))
    assert decompress_file(packed, target)
    assert target.read_bytes() == PLAIN
    packed.write_bytes(packed.read_bytes()[:400_000])
    assert not decompress_file(packed, target)
    assert PLAIN.startswith(target.read_bytes())
    assert target.stat().st_size > 250_000
