"""Evaluate the shipped weights on an even choice of MERL-RAV test faces: the whole set takes minutes.

python tools/measure_merl_rav.py DIR COUNT
"""

import sys
from pathlib import Path

import numpy as np

import rdrface
from rdrface.data.readers import read_set
from rdrface.evaluation.command import predict
from rdrface.evaluation.protocols import merl_rav


def main() -> None:
    """Print the tables of the protocol for COUNT faces of the test part in DIR."""
    records = read_set("merl-rav", Path(sys.argv[1]), "test")
    records = records.select(np.linspace(0, len(records) - 1, int(sys.argv[2])).astype(int))
    predictions, _ = predict(rdrface.load(), records)
    print("\n\n".join(table.to_text() for table in merl_rav(records, predictions)))


if __name__ == "__main__":
    main()
