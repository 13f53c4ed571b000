"""`lazy_vos_recorder` on a disk that takes 300 kB a file."""

import resource
import sys

from lazy_vos_ros.nodes import recorder

if __name__ == '__main__':
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    sys.exit(recorder.main())
