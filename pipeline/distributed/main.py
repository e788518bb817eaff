"""`faust -A laporhub.pipeline.distributed.main worker`: the worker's app, by the settings of the environment.

The pipeline does not know who puts its parts together; that is found by its entry point.
"""

from __future__ import annotations

from importlib.metadata import entry_points

app = next(iter(entry_points(group="laporhub.worker", name="app"))).load()()
