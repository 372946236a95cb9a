"""Videos and cameras: frames with their times. Needs PyAV (``pip install rdrface[video]``)."""
