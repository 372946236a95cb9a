"""Prints the work of every stage of RDR and of the detector, and its time on one core in units of the fastest possible.

python benchmarks/speed/floor.py [--weights FILE] [--precision float32|bfloat16|int8] [--crop-size N]
    [--size WIDTH HEIGHT]

The floor of a stage is the longer of two times: its multiply-adds at this processor's peak, and its weights at the
bandwidth of the memory. Both peaks are measured in the same run. Everything runs in OpenVINO on one core. The int8
graphs are measured with --precision int8. Prints the tables of docs/speed.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
from peaks import PRECISIONS, Peaks, measure_peaks
from stages import Stage, measure_stages

from rdrface.cli.script import reports_errors
from rdrface.detection.retinaface import GRAPH, INT8_GRAPH
from rdrface.detection.retinaface_pass import pad
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.loading import PACKAGED_WEIGHTS, weights_path
from rdrface.runtime.bfloat16 import use_bfloat16
from rdrface.runtime.crop_size import choose_size
from rdrface.runtime.int8_graph import suffix as int8_suffix
from rdrface.runtime.weights import find_graph, read_info

BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}
"""Bytes of a number by precision."""

NEGLIGIBLE = 1e-5
"""Floor, seconds, below which no ratio is printed."""

NETWORK_STAGES = {
    "backbone.stem": "stem",
    "backbone.res2": "Res2",
    "backbone.res3": "Res3",
    "backbone.res4": "Res4",
    "backbone.res5": "Res5",
    "initialization": "pool5, fc5, fc6",
    "regression_features.deconv4": "deconv4",
    "ConvolutionBackpropData": "deconv4",
    "sampling": "deconv5 at the landmarks",
    "reduce": "reduced features",
    "lstm": "LSTM cells",
    "pe_lstm": "LSTM cells",
    "c_lstm": "LSTM cells",
    "correct": "LSTM cells",
    "face": "geometry",
    "feasible": "geometry",
    "geometry": "geometry",
    "uncertainty": "uncertainty",
}
"""First words of the names of modules in RDR's graph -> stages."""

DETECTOR_STAGES = {"fx": "backbone", "fpn": "feature pyramid", "ssh": "context modules"}
"""First words of the names in the detector's graph -> stages; the rest is its heads."""


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=weights_path, default=PACKAGED_WEIGHTS, metavar="FILE", help="weights of RDR")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="arithmetic (default: float32)")
    parser.add_argument(
        "--crop-size", type=int, metavar="N", help="side of RDR's crops in pixels (default: that of the weights file)"
    )
    parser.add_argument(
        "--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"), help="image of the detector"
    )
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    info, _ = read_info(args.weights)
    side = choose_size(args.weights, info, args.crop_size)
    rng = np.random.default_rng(0)
    peaks = measure_peaks()
    crop = rng.uniform(0, 255, (1, 3, side, side)).astype(np.float32)
    image = pad(rng.integers(0, 256, (args.size[1], args.size[0], 3), np.uint8))
    is_int8 = args.precision == "int8"
    graph = find_graph(args.weights, int8_suffix(info, side) if is_int8 else info.graph_suffix(side))
    network = measure(graph, network_stage, crop, args.precision)
    detector = measure(INT8_GRAPH if is_int8 else GRAPH, detector_stage, image, args.precision)
    print(
        "\n\n".join(
            table.to_text()
            for table in (
                peak_table(peaks),
                stage_table(f"RDR, {side} px crop, {args.precision}", network, peaks, args.precision),
                stage_table(
                    f"Detector, {args.size[0]} x {args.size[1]}, {args.precision}", detector, peaks, args.precision
                ),
            )
        )
    )
    return 0


def measure(graph: Path, stage_of: Callable[[str], str], image: np.ndarray, precision: str) -> dict[str, Stage]:
    """Stages of a graph in a precision, converted to bfloat16 as in `rdrface.runtime.session`."""
    model = ov.Core().read_model(str(graph))
    is_converted = precision == "bfloat16" and use_bfloat16(model) > 0
    return measure_stages(model, stage_of, image, "float32" if is_converted else precision)


def network_stage(nodes: str) -> str:
    """The stage of nodes of RDR's graph: the exporter names them MODULE/OPERATION."""
    names = nodes.split(",")
    module = next((name for name in names if "/" in name), names[0]).partition("/")[0]
    for prefix, stage in NETWORK_STAGES.items():
        if module.startswith(prefix):
            return stage
    return "other"


def detector_stage(nodes: str) -> str:
    """The stage of nodes of the detector's graph."""
    return DETECTOR_STAGES.get(nodes.strip("/").partition("/")[0].rstrip("0123456789"), "heads")


def peak_table(peaks: Peaks) -> Table:
    """The measured peaks of this processor."""
    rows = [Row(f"{name}, GMAC/s", (f"{value / 1e9:.0f}",)) for name, value in peaks.operations.items()]
    rows.append(Row("memory, GB/s", (f"{peaks.bandwidth / 1e9:.1f}",)))
    return Table("Peaks of one core", ("measured",), tuple(rows))


def stage_table(title: str, stages: dict[str, Stage], peaks: Peaks, precision: str) -> Table:
    """Work and time of the stages of a graph, and of the whole graph."""
    floors = {name: floor(stage, peaks, precision) for name, stage in stages.items()}
    whole = Stage(*(sum(getattr(stage, name) for stage in stages.values()) for name in vars(Stage())))
    rows = []
    for name, stage in {**stages, "all": whole}.items():
        least = floors.get(name, sum(floors.values()))
        cells = (
            f"{stage.operations / 1e6:.1f}",
            f"{stage.weights * BYTES[precision] / 1e6:.2f}",
            stage.nodes,
            1e3 * least,
            1e3 * stage.seconds,
            f"{stage.seconds / least:.1f}" if least > NEGLIGIBLE else None,
        )
        rows.append(Row(name, cells))
    columns = ("million MAC", "weights, MB", "nodes", "floor, ms", "time, ms", "ratio")
    return Table(title, columns, tuple(rows))


def floor(stage: Stage, peaks: Peaks, precision: str) -> float:
    """Shortest possible time of a stage, seconds."""
    return max(stage.operations / peaks.operations[precision], stage.weights * BYTES[precision] / peaks.bandwidth)


if __name__ == "__main__":
    sys.exit(main())
