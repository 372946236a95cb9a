"""The errors of rdrface. Each message states what was received, what is expected and what to do.

Errors that depend on data, files or the installation are subclasses of `RdrError`. Arguments of the wrong type, shape
or range raise Python's `TypeError` and `ValueError`. `BoxError` and `FitError` are subclasses of both `RdrError` and
`ValueError`.
"""


class RdrError(Exception):
    """Base class of the errors that depend on data, files or the installation."""


class ImageError(RdrError):
    """An image cannot be read, or has an unusable shape or dtype."""


class BoxError(RdrError, ValueError):
    """Boxes have the wrong shape, are not in image pixels, or do not belong to the image."""


class FitError(RdrError, ValueError):
    """Points do not form a face, or too few of them have a position."""


class WeightsError(RdrError):
    """A weights file is missing or damaged, or was not written by rdrface."""


class DataError(RdrError):
    """A dataset, annotation file or record file is missing or damaged, or has an unexpected format."""


class ConfigError(RdrError):
    """A configuration or a command line contains an unknown key or an invalid value, or needs a missing package."""


class TrainingError(RdrError):
    """Training diverged."""
