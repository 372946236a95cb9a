"""``python -m rdrface.fitting`` is ``rdrface fit``."""

import sys

from rdrface.fitting.command import main

sys.exit(main())
