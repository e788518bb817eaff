"""A report's figures counted again: slowly, from the events as JSON, one question at a time, without the core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import mean, median
from typing import Any

Json = dict[str, Any]


class Recount:
    """`events` are of any cases; `start` and `end` the period; `unit` None for the whole profile."""

    def __init__(
        self, events: Iterable[Json], start: datetime, end: datetime, at: datetime, unit: str | None
    ) -> None:
        self.events = [event for event in events if when(event) < end]
        self.inside = [event for event in self.events if when(event) >= start]
        self.at, self.unit = at, unit
        self.cases = sorted({event["subject"] for event in self.events})

    # ── of one case ──

    def of(self, case: str, *kinds: str) -> list[Json]:
        return [e for e in self.events if e["subject"] == case and e["data"]["kind"] in kinds]

    def last(self, case: str, *kinds: str) -> Json | None:
        return self.of(case, *kinds)[-1]["data"] if self.of(case, *kinds) else None

    def unit_of(self, case: str) -> str | None:
        found = self.last(case, "assigned")
        return found["unit"] if found else None

    def suggestion_of(self, case: str) -> Json:
        found = self.last(case, "classified")
        return (
            found["suggestion"] if found else {"units": [], "topic": None, "urgency": "normal", "place": None}
        )

    def is_open(self, case: str) -> bool:
        step = self.last(case, "transitioned")
        return step is None or not step["ends"]

    def clocks_of(self, case: str) -> dict[str, str]:
        """Running clocks → when they are due."""
        running: dict[str, str] = {}
        for event in self.of(case, "clock_started", "clock_resumed", "clock_paused", "clock_stopped"):
            data = event["data"]
            running.pop(data["clock"], None)
            if data["kind"] in ("clock_started", "clock_resumed"):
                running[data["clock"]] = data["due_at"]
        return running

    def is_overdue(self, case: str) -> bool:
        return self.is_open(case) and any(moment(due) < self.at for due in self.clocks_of(case).values())

    # ── in the period ──

    def happened(self, *kinds: str, whoever: bool = False) -> list[Json]:
        """Events of these kinds in the period; of one unit, those while it had the case."""
        found = [event for event in self.inside if event["data"]["kind"] in kinds]
        return [event for event in found if whoever or self.unit in (None, event["unit"])]

    def arrivals(self) -> dict[str, datetime]:
        if self.unit is None:
            return {event["subject"]: when(event) for event in self.happened("opened")}
        given = [event for event in self.happened("assigned") if event["data"]["unit"] == self.unit]
        return {event["subject"]: when(event) for event in reversed(given)}

    def endings(self) -> dict[str, Json]:
        """Case → the last of its endings in the period."""
        return {e["subject"]: e for e in self.happened("transitioned") if self.ended_by(e)}

    def ended_by(self, step: Json) -> bool:
        """Whether the case was open before this step, and not after it."""
        steps = self.of(step["subject"], "transitioned")
        before = steps[: steps.index(step)]
        return step["data"]["ends"] and not (before and before[-1]["data"]["ends"])

    def rejections(self) -> list[Json]:
        """The first of each case, if it is in the period and the unit's."""
        first: dict[str, Json] = {}
        for event in self.events:
            if event["data"].get("transition") in ("reject", "reject_with_main") and self.ended_by(event):
                first.setdefault(event["subject"], event)
        return [event["data"] for event in self.happened("transitioned") if event in first.values()]

    def returns(self) -> list[str]:
        taken = [e["data"] for e in self.happened("assigned", whoever=True)]
        given_back = [d["previous"] for d in taken if d["unit"] is None and d["previous"]]
        return [unit for unit in given_back if self.unit in (None, unit)]

    def hours(self, case: str, ending: Json) -> float:
        """From opening to the first of the endings that no step undid, up to this one."""
        opened = next(e for e in self.events if e["subject"] == case and e["data"]["kind"] == "opened")
        ended = None
        for event in self.of(case, "transitioned"):
            ended = (ended or when(event)) if event["data"]["ends"] else None
            if event["sequence"] == ending["sequence"]:
                break
        assert ended
        return (ended - when(opened)).total_seconds() / 3600

    def figures(self) -> Json:
        """What there must be in a report, as far as it can be asked so simply."""
        arrived = self.arrivals()
        open_cases = [c for c in self.cases if self.is_open(c) and self.unit in (None, self.unit_of(c))]
        stopped = self.happened("clock_stopped")
        judged = [
            (self.suggestion_of(case), self.unit_of(case))
            for case in arrived
            if self.suggestion_of(case)["units"] and self.unit_of(case)
        ]
        hours = [self.hours(case, ending) for case, ending in self.endings().items()]
        rejections = self.rejections()
        return {
            "cases": len(arrived),
            "by_topic": counted(self.suggestion_of(case)["topic"] or "" for case in arrived),
            "by_urgency": counted(self.suggestion_of(case)["urgency"] for case in arrived),
            "by_place": counted(
                (self.suggestion_of(case)["place"] or {"region": ""})["region"] for case in arrived
            ),
            "by_unit": counted(self.unit_of(case) or "" for case in arrived),
            "closed": len(self.endings()),
            "by_outcome": counted(ending["data"]["target"] for ending in self.endings().values()),
            "mean_hours": round(mean(hours), 3) if hours else None,
            "median_hours": round(median(hours), 3) if hours else None,
            "rejected": len(rejections),
            "by_reason": counted(step["fields"].get("reason", "") for step in rejections),
            "returned": len(self.returns()),
            "late_cases": len({e["subject"] for e in self.happened("clock_alarmed") if e["data"]["late"]}),
            "ratings": counted(str(e["data"]["rating"]) for e in self.happened("rated")),
            "open": len(open_cases),
            "overdue": sum(self.is_overdue(case) for case in open_cases),
            "clocks": {
                name: {
                    "in_time": sum(e["data"]["clock"] == name and not e["data"]["late"] for e in stopped),
                    "late": sum(e["data"]["clock"] == name and e["data"]["late"] for e in stopped),
                    "overdue": sum(
                        moment(self.clocks_of(case).get(name, "9999-01-01T00:00:00Z")) < self.at
                        for case in open_cases
                    ),
                }
                for name in {e["data"]["clock"] for e in stopped}
                | {name for case in open_cases for name in self.clocks_of(case)}
            },
            "routing": {
                "judged": len(judged),
                "first_right": sum(said["units"][0]["unit"] == unit for said, unit in judged),
                "in_top3": sum(unit in [u["unit"] for u in said["units"][:3]] for said, unit in judged),
            },
        }


def counted(values: Iterable[str]) -> Mapping[str, int]:
    return dict(Counter(values))


def when(event: Json) -> datetime:
    return moment(event["time"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
