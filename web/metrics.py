"""What an operator's Prometheus reads: requests by route and status, forged hooks, and which parts work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from laporhub.pipeline.channel_state import ChannelHealth

_OF_CHANNELS: Final = {
    "configured": "Whether the channel can answer (1) or nobody has set it up (0)",
    "last_in_timestamp_seconds": "When the last message came in",
    "last_out_timestamp_seconds": "When the last reply went out",
    "waiting": "Replies that wait",
    "sent_24h": "Replies that the platform took in the last 24 hours",
    "failed_24h": "Replies that the platform refused in the last 24 hours",
    "too_late_24h": "Of those that failed, how many because the platform's reply window was closed",
    "resting": "Whether sending rests because the platform does not work",
    "dead": "Whether the platform refuses our account",
    "account_ok": "What the last check of our account said",
    "token_expires_timestamp_seconds": "When the token ends",
    "polled_timestamp_seconds": "When the platform was last asked for messages",
    "poll_ok": "Whether it answered then",
}


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

        labels = ["profile", "channel"]
        self._channels = {
            name: Gauge(f"laporhub_channel_{name}", about, labels, registry=self.registry)
            for name, about in _OF_CHANNELS.items()
        }
        self._left = Gauge(
            "laporhub_channel_limit_left_ratio",
            "What share of a limit the platform still leaves us, as it last said",
            [*labels, "limit"],
            registry=self.registry,
        )
        self._credits = Gauge(
            "laporhub_channel_credits",
            "How much money our account on the platform has left, as it last said",
            [*labels, "currency"],
            registry=self.registry,
        )

    def show_channels(self, channels: Iterable[ChannelHealth]) -> None:
        """`channels` as `HubPort.channels` gives them. What never was has no value."""
        for gauge in (*self._channels.values(), self._left, self._credits):
            gauge.clear()
        for each in channels:
            values: dict[str, float | None] = {
                "configured": each.configured,
                "last_in_timestamp_seconds": _seconds(each.last_in),
                "last_out_timestamp_seconds": _seconds(each.last_out),
                "waiting": each.waiting,
                "sent_24h": each.sent,
                "failed_24h": each.failed,
                "too_late_24h": each.too_late,
                "resting": each.rests_until is not None,
                "dead": each.dead,
                "account_ok": each.ok,
                "token_expires_timestamp_seconds": _seconds(each.expires_at),
                "polled_timestamp_seconds": _seconds(each.polled_at),
                "poll_ok": None if each.polled_at is None else each.poll_trouble is None,
            }
            for name, value in values.items():
                if value is not None:
                    self._channels[name].labels(each.profile, each.channel).set(float(value))
            for limit, share in each.left.items():
                self._left.labels(each.profile, each.channel, limit).set(share)
            for currency, amount in each.credits.items():
                self._credits.labels(each.profile, each.channel, currency).set(amount)

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


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
