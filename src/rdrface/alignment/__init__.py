"""From detections to faces: crops, retries at other angles, duplicates, and the conversion to `Face`."""
