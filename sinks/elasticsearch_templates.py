"""The indices on Elasticsearch: their names, their strict templates, and how they are installed and checked.

With the prefix `laporhub`:

- `laporhub-cases`: every case, one document each, by case id.
- `laporhub-events-<year>`: every event, by event id, in the year (UTC) in which it happened.
- `laporhub-unit-<profile>.<unit>`: the cases that a unit has, or had (`active: false`). A dot parts the names,
  for neither may hold one: so a role on `laporhub-unit-<profile>.*` opens no other government's.
- templates `laporhub-cases`, `laporhub-events` and `laporhub-unit`, composed of `laporhub-text-indonesian`, or of
  `laporhub-text-standard` where the server has no Indonesian analysis.

Nothing may be in a document that its template does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    BadRequestError,
    Elasticsearch,
    NotFoundError,
    TransportError,
)

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.sinks.documents import CASE_FIELDS, EVENT_FIELDS, SEARCHED_ONLY, UNIT_FIELDS, Fields

VERSION: Final = 2
"""Raised with every change of fields or settings."""

_PRIORITY: Final = 500
_ANSWERS_WITHIN: Final = 3.0
_MADE_AT_ONCE: Final = 8
"""Indices: the server joins what is asked for together, which takes two thirds of the time."""
_SETTINGS: Final = {
    "index.number_of_shards": 1,
    "index.auto_expand_replicas": "0-1",  # a single node is green, a further one gets a copy
}
_REFRESH: Final = "index.refresh_interval"
_ANALYZER: Final = "index.analysis.analyzer.id_text.type"
ANALYZERS: Final = ("indonesian", "standard")
"""What `id_text` may be, the best first."""


@dataclass(frozen=True, slots=True)
class Indices:
    """The names of the indices under one prefix."""

    prefix: str = "laporhub"

    @property
    def cases(self) -> str:
        return f"{self.prefix}-cases"

    def events(self, at: datetime) -> str:
        return f"{self.prefix}-events-{at.year:04d}"

    def unit(self, profile: str, unit: str) -> str:
        return f"{self.prefix}-unit-{profile}.{unit}"

    def units(self, books: Iterable[Rulebook]) -> list[str]:
        """Of all units of these profiles."""
        return [self.unit(book.name, unit) for book in books for unit in book.units]

    @property
    def patterns(self) -> Mapping[str, str]:
        """Template → the indices it is for."""
        return {
            self.cases: self.cases,
            f"{self.prefix}-events": f"{self.prefix}-events-*",
            f"{self.prefix}-unit": f"{self.prefix}-unit-*",
        }


def text_template(analyzer: str) -> dict[str, Any]:
    """The component template that says what `id_text` is."""
    return {
        "template": {"settings": {_ANALYZER: analyzer}},
        "_meta": {"version": VERSION},
    }


def templates(indices: Indices, analyzer: str) -> dict[str, dict[str, Any]]:
    """The index templates, by name, as the server takes them."""
    fields: tuple[Fields, ...] = (CASE_FIELDS, EVENT_FIELDS, UNIT_FIELDS)
    return {
        name: {
            "index_patterns": [pattern],
            "composed_of": [f"{indices.prefix}-text-{analyzer}"],
            "priority": _PRIORITY,
            "template": {"settings": _SETTINGS | _refreshed(name, indices), "mappings": _mappings(of)},
            "_meta": {"version": VERSION},
        }
        for (name, pattern), of in zip(indices.patterns.items(), fields, strict=True)
    }


def _refreshed(name: str, indices: Indices) -> dict[str, str]:
    """All cases are refreshed in any case. Of the rest the server refreshes what was searched of late, and an index of
    a unit that nobody looks at when somebody does: with a hundred of them that is a third of the server's work.
    """
    return {_REFRESH: "1s"} if name == indices.cases else {}


def _mappings(fields: Fields) -> dict[str, Any]:
    mappings: dict[str, Any] = {
        "dynamic": "strict",
        "_meta": {"version": VERSION},
        "properties": {name: dict(each) for name, each in fields.items()},
    }
    if unkept := [name for name in SEARCHED_ONLY if name in fields]:
        mappings["_source"] = {"excludes": unkept}
    return mappings


def install(client: Elasticsearch, indices: Indices, units: Sequence[str] = ()) -> list[str]:
    """Brings templates and existing indices up to date; what was done, nothing if there was nothing to do.

    `units` are indices that are made beforehand. Any other is made by the first document that goes there, and who
    waits for that waits: a bulk to fifty new indices takes two seconds, to fifty that are there a fifteenth of one.
    Raises `Misconfigured` where a later version has been at work, or an index cannot be brought up to date.
    """
    analyzer = _analyzer(client)
    wanted = templates(indices, analyzer)
    installed = _installed(client, indices)
    for name, template in installed.items():
        if (version := template.get("_meta", {}).get("version", 0)) > VERSION:
            raise Misconfigured(
                f"Elasticsearch's template {name} is of version {version}, newer than this program's ({VERSION}):"
                " set up with the newer program"
            )
    text = text_template(analyzer)
    client.cluster.put_component_template(
        name=f"{indices.prefix}-text-{analyzer}", template=text["template"], meta=text["_meta"]
    )
    done = []
    for name, template in wanted.items():
        if _unlike(installed.get(name), template):
            client.indices.put_index_template(name=name, **_arguments(template))
            done.append(f"template {name}")
    if not client.indices.exists(index=indices.cases):
        client.indices.create(index=indices.cases)
        done.append(f"index {indices.cases}")
    if missing := _missing(client, indices, units):
        with ThreadPoolExecutor(_MADE_AT_ONCE) as pool:
            list(pool.map(lambda name: _make(client, name), missing))
        done.append(f"indices of {len(missing)} units")
    done += _mend(client, indices, wanted)
    return done


def check(client: Elasticsearch, indices: Indices, units: Sequence[str] = ()) -> list[str]:
    """What differs from what `install` would make, in words; nothing when all is well. Changes nothing."""
    installed = _installed(client, indices)
    analyzer = _analyzer(client)
    found = []
    for name, template in templates(indices, analyzer).items():
        if name not in installed:
            found.append(f"the template {name} is missing: run `laporhub setup`")
        elif _unlike(installed[name], template):
            found.append(f"the template {name} is not this version's: run `laporhub setup`")
    if not client.indices.exists(index=indices.cases):
        found.append(f"the index {indices.cases} is missing: run `laporhub setup`")
    if missing := _missing(client, indices, units):
        found.append(f"the indices of {len(missing)} units are missing: run `laporhub setup`")
    return found + list(_differences(client, indices, analyzer))


async def prepared(client: AsyncElasticsearch, indices: Indices) -> str:
    """ "ok", or what is to be done before anything is written: without templates an index takes every field, for good.

    It asks the index of all cases, which those may do who must not see templates.
    """
    asking = client.options(max_retries=0, request_timeout=_ANSWERS_WITHIN)
    try:
        found = await asking.indices.get_mapping(index=indices.cases)
    except NotFoundError:
        return f"the index {indices.cases} is missing: run `laporhub setup`"
    except (ApiError, TransportError):
        return "cannot be asked"
    version = found[indices.cases]["mappings"].get("_meta", {}).get("version", 0)
    return "ok" if version >= VERSION else f"{indices.cases} is not this version's: run `laporhub setup`"


def delete_all(client: Elasticsearch, indices: Indices) -> None:
    """Deletes every index under the prefix, by its own name; the templates stay."""
    names = sorted(_existing(client, indices))
    for start in range(0, len(names), 50):  # the names stand in the address, whose length is limited
        client.indices.delete(index=names[start : start + 50])


def uninstall(client: Elasticsearch, indices: Indices) -> None:
    """Deletes the templates; for tests, and for who moves to another prefix."""
    there = client.options(ignore_status=404)
    for name in indices.patterns:
        there.indices.delete_index_template(name=name)
    for analyzer in ANALYZERS:
        there.cluster.delete_component_template(name=f"{indices.prefix}-text-{analyzer}")


# ── templates ────────────────────────────────────────────────────────────────────────────────────


def _analyzer(client: Elasticsearch) -> str:
    """The best analyzer that the server has."""
    for analyzer in ANALYZERS[:-1]:
        try:
            client.indices.analyze(analyzer=analyzer, text="jalan")
        except BadRequestError:
            continue
        return analyzer
    return ANALYZERS[-1]


def _installed(client: Elasticsearch, indices: Indices) -> dict[str, dict[str, Any]]:
    found = client.options(ignore_status=404).indices.get_index_template(
        name=f"{indices.prefix}-*", flat_settings=True
    )
    return {
        each["name"]: each["index_template"]
        for each in found.get("index_templates", ())
        if each["name"] in indices.patterns
    }


def _arguments(template: Mapping[str, Any]) -> dict[str, Any]:
    return {"meta" if key == "_meta" else key: value for key, value in template.items()}


def _unlike(installed: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether the server's copy says something else; it keeps all settings as strings."""
    return installed is None or _comparable(installed) != _comparable(wanted)


def _comparable(template: Mapping[str, Any]) -> list[Any]:
    body = template["template"]
    return [
        template["index_patterns"],
        template.get("composed_of"),
        template.get("priority"),
        template.get("_meta"),
        body.get("mappings"),
        {name: str(value) for name, value in body.get("settings", {}).items()},
    ]


# ── indices that exist ───────────────────────────────────────────────────────────────────────────


def _existing(client: Elasticsearch, indices: Indices) -> dict[str, dict[str, Any]]:
    """Index → its mappings and settings."""
    every = ",".join(indices.patterns.values())
    found = client.indices.get(
        index=every, ignore_unavailable=True, features=["mappings", "settings"], flat_settings=True
    )
    return dict(found)


def _missing(client: Elasticsearch, indices: Indices, wanted: Sequence[str]) -> list[str]:
    there = _existing(client, indices) if wanted else {}
    return [name for name in wanted if name not in there]


def _make(client: Elasticsearch, name: str) -> None:
    """By its template. A worker may have been faster."""
    try:
        client.indices.create(index=name)
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise


def _template_of(name: str, indices: Indices) -> str:
    return next(
        template
        for template, pattern in indices.patterns.items()
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
    )


def _mend(client: Elasticsearch, indices: Indices, wanted: Mapping[str, Any]) -> list[str]:
    """Gives existing indices the fields that are new, and refreshes them as they are refreshed today."""
    done = []
    for name, kept in _existing(client, indices).items():
        template = wanted[_template_of(name, indices)]["template"]
        often, mappings = template["settings"].get(_REFRESH), template["mappings"]
        if kept["settings"].get(_REFRESH) != often:
            client.indices.put_settings(index=name, settings={_REFRESH: often})
            done.append(f"settings of {name}")
        if kept["mappings"] == mappings:
            continue
        try:
            client.indices.put_mapping(
                index=name,
                properties=mappings["properties"],
                dynamic=mappings["dynamic"],
                meta=mappings["_meta"],
            )
        except BadRequestError as error:
            raise Misconfigured(
                f"The index {name} cannot be brought up to date ({error.message}):"
                " run `laporhub rebuild`, which makes it anew"
            ) from error
        done.append(f"fields of {name}")
    return done


def _differences(client: Elasticsearch, indices: Indices, analyzer: str) -> Iterator[str]:
    wanted = templates(indices, analyzer)
    for name, kept in sorted(_existing(client, indices).items()):
        have = kept["mappings"].get("properties", {})
        should = wanted[_template_of(name, indices)]["template"]["mappings"]["properties"]
        missing = sorted(should.keys() - have.keys())
        other = sorted(field for field in have if field not in should or have[field] != should[field])
        if missing:
            yield f"{name}: fields are missing ({', '.join(missing)}): run `laporhub setup`"
        if other:
            yield f"{name}: fields are not as they should be ({', '.join(other)}): run `laporhub rebuild`"
        if kept["mappings"].get("dynamic") != "strict":
            yield f"{name}: takes fields that nobody named: run `laporhub rebuild`"
        made_with = kept["settings"].get(_ANALYZER, analyzer)
        if made_with != analyzer:
            yield f"{name}: made with the analyzer {made_with}, not {analyzer}: run `laporhub rebuild`"
