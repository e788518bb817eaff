"""Languages of the pages: Indonesian is what the templates say, the others come from `locale/*.po`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "id"
LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
"""Language → its own name, as the switch shows it."""

_LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True)
class Translator:
    """Says a message in one language: `t("Sisa %(span)s", span=…)`. A percent sign is written twice."""

    language: str
    catalog: Catalog | None = None

    def __call__(self, message: str, **values: object) -> str:
        return self.gettext(message) % values

    def many(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The form that goes with `count`, which the message may use as `%(count)s`."""
        return self.ngettext(singular, plural, count) % {"count": count, **values}

    def gettext(self, message: str) -> str:
        found = self.catalog.get(message) if self.catalog is not None else None
        text = found.string if found is not None else None
        return str(text[0] if isinstance(text, (tuple, list)) else text) if text else message

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        found = self.catalog.get(singular) if self.catalog is not None else None
        if found is None or not isinstance(found.string, (tuple, list)) or not all(found.string):
            return singular if count == 1 else plural
        return str(found.string[0 if count == 1 else -1])


@cache
def translator(language: str) -> Translator:
    """The translator of one of `LANGUAGES`; Indonesian for any other."""
    if language not in LANGUAGES or language == SOURCE_LANGUAGE:
        return Translator(SOURCE_LANGUAGE)
    with (_LOCALE / language / "LC_MESSAGES" / "messages.po").open("rb") as po:
        return Translator(language, read_po(po, locale=language))
