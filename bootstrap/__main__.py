"""Second stage of ./lazy-vos, called by the script with the Python that it found."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from bootstrap.launch import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
