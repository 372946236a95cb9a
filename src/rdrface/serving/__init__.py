"""The HTTP server of ``rdrface serve``: the API, the web page, metrics, and limits that protect the machine.

It needs the extra `serve`. docs/server.md describes its use.
"""
