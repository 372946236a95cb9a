"""``rdrface hub``: writes weights as a folder for the Hugging Face Hub."""

import argparse
import re
import sys

from rdrface.cli.options import add_output, add_overwrite, weights_file
from rdrface.errors import ConfigError
from rdrface.hub.card import is_model_name
from rdrface.hub.facts import measurements
from rdrface.hub.folder import check_target, write_hub_folder
from rdrface.loading import weights_path
from rdrface.runtime.weights import read_info

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LICENSE_OF_PACKAGE = "mit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface hub`."""
    parser.add_argument(
        "--weights",
        type=weights_file,
        metavar="FILE|DIR|lite",
        help="weights file, its folder, or lite for the packaged light weights (default: the packaged full weights)",
    )
    add_output(parser, "DIR", "folder to write: the weights, config.json and a model card, README.md")
    parser.add_argument(
        "--model",
        metavar="USER/NAME",
        help="name of the model on the Hub, for the commands in the card (default: USER/ and the weights file's name)",
    )
    parser.add_argument(
        "--license",
        metavar="ID",
        help=f"identifier of the weights' license on the Hub, for example {_LICENSE_OF_PACKAGE} or cc-by-nc-4.0 "
        f"(default: {_LICENSE_OF_PACKAGE} for the packaged weights; other cards state none)",
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Write the folder; returns 0.

    Raises:
        RdrError: an option is invalid, the weights cannot be used, or the folder cannot be written.
    """
    if args.model is not None and not is_model_name(args.model):
        raise ConfigError(f"--model must be USER/NAME, letters, digits and . _ -; got {args.model!r}")
    if args.license is not None and not _LICENSE.fullmatch(args.license):
        raise ConfigError(
            f"--license must be an identifier of the Hub, such as mit, cc-by-nc-4.0 or other; got {args.license!r}"
        )
    check_target(args.out, args.overwrite)
    weights = weights_path(args.weights)
    info, _ = read_info(weights)
    is_packaged = measurements(info.checksum) is not None
    license = args.license or (_LICENSE_OF_PACKAGE if is_packaged else None)
    model = args.model or f"USER/{re.sub(r'[^A-Za-z0-9_.-]', '-', weights.stem)}"
    written = write_hub_folder(weights, args.out, model=model, license=license, overwrite=args.overwrite)
    size = sum(file.stat().st_size for file in args.out.iterdir())
    print(f"{args.out}: {written.name}, {size / 1e6:.1f} MB; upload it with `hf upload {model} {args.out}`")
    if license is None:
        print("the model card states no license; see --license", file=sys.stderr)
    return 0
