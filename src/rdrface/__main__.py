"""``python -m rdrface`` is the command ``rdrface``."""

import sys

from rdrface.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
