"""PyAV, which is imported only when a video is read or written."""

from types import ModuleType

from rdrface.errors import ConfigError


def import_av() -> ModuleType:
    """The module `av`.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            f"videos need PyAV, which cannot be imported ({error}): pip install 'rdrface[video]'"
        ) from error
    return av


def reason(error: Exception) -> str:
    """The reason that an error of PyAV gives, without the number and the file name that its text contains."""
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]
