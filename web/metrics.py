"""What an operator's Prometheus reads: requests by route and status, forged hooks, and which parts work."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """Counters in a registry of their own, so that two applications in one process do not collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "laporhub_http_requests",
            "Answered requests",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._forged = Counter(
            "laporhub_hooks_forged",
            "Hooks whose signature did not match",
            ["connector"],
            registry=self.registry,
        )

        self._parts = Gauge(
            "laporhub_part_ok",
            "Whether a part of the hub works (1) or not (0), as /readyz says",
            ["part"],
            registry=self.registry,
        )

    def count_request(self, route: str, method: str, status: int) -> None:
        self._requests.labels(route, method, str(status)).inc()

    def count_forged(self, connector: str) -> None:
        self._forged.labels(connector).inc()

    def show_parts(self, parts: Mapping[str, str]) -> None:
        """`parts` as `HubPort.ready` gives them."""
        for name, state in parts.items():
            self._parts.labels(name).set(state == "ok")

    def text(self) -> bytes:
        return generate_latest(self.registry)
