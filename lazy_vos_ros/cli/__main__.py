"""Let `python -m lazy_vos_ros.cli` do the same as `lazy-vos`."""

import sys

from lazy_vos_ros.cli.main import main

sys.exit(main())
