"""The errors a user of rdrface can meet. Each message says what was got, what is wanted and what to do."""


class RdrError(Exception):
    """Base class: catch this to catch everything rdrface raises on purpose."""


class ImageError(RdrError):
    """A photo could not be read or has an unusable shape or type."""


class WeightsError(RdrError):
    """A weights file is missing, damaged, or not one of rdrface."""


class DataError(RdrError):
    """A data set, annotation file or record file is missing, damaged or of another format."""


class ConfigError(RdrError):
    """A training or command configuration holds an unknown key or an impossible value."""


class TrainingError(RdrError):
    """A training has diverged."""
