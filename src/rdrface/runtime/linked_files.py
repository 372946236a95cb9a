"""Graphs and weights files behind symbolic links, as in the cache of Hugging Face and in environments of uv.

The runtimes look for the tensors in the folder of the graph, under the name that the graph contains. OpenVINO cannot
load tensors through a symbolic link to another folder, and a cache stores the files under other names.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rdrface.errors import WeightsError
from rdrface.files import real_path


@contextmanager
def without_links(weights: Path, found_graph: Path, file_name: str) -> Iterator[Path]:
    """Make a graph and its tensors available in one folder, without symbolic links.

    Args:
        weights: weights file, possibly a symbolic link.
        found_graph: a graph for its tensors, possibly a symbolic link.
        file_name: name of the weights file in the graph.

    Yields:
        Path of a graph with its tensors in the same folder under the name `file_name`: of the files themselves if they
        fulfill this, otherwise of copies, which are removed at the end of the block.

    Raises:
        WeightsError: the copies cannot be written.
    """
    graph, tensors = real_path(found_graph), real_path(weights)
    if graph.with_name(file_name) == tensors:
        yield graph
        return
    with ExitStack() as stack:
        try:
            # On Windows, a file that a runtime has mapped cannot be removed.
            temporary = TemporaryDirectory(prefix="rdrface-", ignore_cleanup_errors=True)
            copied = real_path(Path(stack.enter_context(temporary))) / found_graph.name
            shutil.copyfile(graph, copied)
            shutil.copyfile(tensors, copied.with_name(file_name))
        except OSError as error:
            raise WeightsError(
                f"{weights} or its graph is a symbolic link, so both must be copied to a temporary folder; this "
                f"failed: {error}. Copy the two files to one folder"
            ) from error
        yield copied
