"""What an operator's Prometheus reads: requests by route and status, and forged hooks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest


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

    def count_request(self, route: str, method: str, status: int) -> None:
        self._requests.labels(route, method, str(status)).inc()

    def count_forged(self, connector: str) -> None:
        self._forged.labels(connector).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
