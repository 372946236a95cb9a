"""The errors of rdrface. Each message states what was received, what is expected and what to do."""


class RdrError(Exception):
    """Base class of all errors that rdrface raises on purpose."""


class ImageError(RdrError):
    """An image cannot be read, or has an unusable shape or dtype."""


class BoxError(RdrError, ValueError):
    """Boxes have the wrong shape, are not in image pixels, or do not belong to the image."""


class WeightsError(RdrError):
    """A weights file is missing or damaged, or was not written by rdrface."""


class DataError(RdrError):
    """A dataset, annotation file or record file is missing or damaged, or has an unexpected format."""


class ConfigError(RdrError):
    """A configuration or a command line contains an unknown key or an invalid value, or needs a missing package."""


class TrainingError(RdrError):
    """Training diverged."""
