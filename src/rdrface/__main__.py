"""Entry point of ``python -m rdrface``, which is the same as the command ``rdrface``."""

import sys

from rdrface.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
