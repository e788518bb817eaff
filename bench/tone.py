"""`make tone`: learns `classifiers/tone.tsv` from the labelled messages in tests/data/words, all of them made up, and
says how well it finds what it has not seen: each tenth by what the others teach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from laporhub.classifiers.disguise import put_right
from laporhub.classifiers.tone import FILE, LABELS, LEAST_LENGTH, UNIT, pieces, so_often
from laporhub.pipeline.text import normalise, words_of

SETS: Final = Path(__file__).parent.parent / "tests" / "data" / "words"
LABELLED: Final = ("hate.txt", "spam.txt", "flags_others.txt", "intents.txt", "neutral.txt", "veiled.txt")
HARMLESS: Final = ("province.txt",)
GROUP: Final = "{kelompok}"
_GROUP_WORDS = """
cina tionghoa arab india jawa sunda madura batak minang padang melayu betawi bugis makassar dayak banjar papua ambon
maluku flores timor nias toraja aceh bali sasak manado lampung islam muslim kristen katolik hindu buddha konghucu yahudi
ahmadiyah syiah rohingya pendatang waria lgbt minoritas pengungsi
"""
GROUPS: Final = tuple(_GROUP_WORDS.split())
"""For each of which a line with `GROUP` in it is learned from: whoever is named is not hated by that."""
RAREST, TURNS = 3, 10
ACCUSED: Final = 0.006
"""The share of harmless messages, which were written to tempt, that may sound like one of the labels."""

Item: TypeAlias = tuple[frozenset[str], str]
"""Labels and text; no labels where it is harmless."""


def items() -> tuple[list[Item], list[Item]]:
    """The messages, and those that only name a group, once for each."""
    written = _written()
    return [each for each in written if GROUP not in each[1]], [
        (labels, text.replace(GROUP, group)) for labels, text in written if GROUP in text for group in GROUPS
    ]


def _written() -> list[Item]:
    return [
        (frozenset(), text.rpartition("|")[2])
        if name in HARMLESS
        else (frozenset(labels.split()) - {"-"}, text)
        for name in (*LABELLED, *HARMLESS)
        for line in (SETS / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
        for labels, _, text in [line.partition("|")]
    ]


class Rows:
    """Texts as numbers: the pieces of their words, the rarer the heavier, each text of length 1."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = [sorted(words_of(put_right(normalise(text)))) for text in texts]
        seen = Counter(
            piece for words in self._words for piece in {piece for word in words for piece in pieces(word)}
        )
        self.column = {
            piece: n for n, piece in enumerate(sorted(p for p, times in seen.items() if times >= RAREST))
        }
        rarity = [1 + log((1 + len(texts)) / (1 + seen[piece])) for piece in self.column]
        self.weight = np.round(np.array(rarity) * UNIT) / UNIT

    def matrix(self) -> Any:
        rows = [self._row(words) for words in self._words]
        starts = np.cumsum([0, *(len(row) for row in rows)])
        columns = np.fromiter((column for row in rows for column in row), np.int64)
        values = np.fromiter((value for row in rows for value in row.values()), np.float64)
        return csr_matrix((values, columns, starts), shape=(len(rows), len(self.column)))

    def _row(self, words: Sequence[str]) -> dict[int, float]:
        row: dict[int, float] = {}
        square = 0.0
        for word in words:
            for piece, times in Counter(pieces(word)).items():
                if piece in self.column:
                    column = self.column[piece]
                    value = float(self.weight[column]) * so_often(times)
                    row[column] = row.get(column, 0.0) + value
                    square += value * value
        length = max(square**0.5, LEAST_LENGTH)
        return {column: value / length for column, value in row.items()}


def _unseen(matrix: Any, there: NDArray[np.bool_], messages: int) -> NDArray[np.float64]:
    """The score of each message by what the other tenths teach, and all that only name a group."""
    scores = np.zeros(messages)
    named = np.arange(messages, len(there))
    for learned_from, asked in StratifiedKFold(TURNS).split(np.zeros(messages), there[:messages]):
        seen = np.concatenate([learned_from, named])
        scores[asked] = learner().fit(matrix[seen], there[seen]).decision_function(matrix[asked])
    return scores


def learner() -> Any:
    return LinearSVC(C=1.0, class_weight="balanced", random_state=0)


def learned() -> tuple[list[str], dict[str, tuple[float, float]]]:
    """The lines of the file; and for each label which share of its messages was found, and of the harmless accused."""
    messages, named = items()
    every = [*messages, *named]
    rows = Rows([text for _, text in every])
    matrix = rows.matrix()
    harmless = np.array([not labels for labels, _ in messages])
    says, added, figures = [], [], {}
    for label in LABELS:
        there = np.array([label in labels for labels, _ in every])
        unseen = _unseen(matrix, there, len(messages))
        least = float(np.quantile(unseen[harmless], 1 - ACCUSED))
        found = unseen[there[: len(messages)]] >= least
        figures[label] = (float(found.mean()), float((unseen[harmless] >= least).mean()))
        fitted = learner().fit(matrix, there)
        says.append(fitted.coef_[0])
        added.append(float(fitted.intercept_[0]) - least)
    numbers = np.round(np.vstack([rows.weight, *says]) * UNIT).astype(int).T
    lines = ["\t".join(map(str, ("", 0, *(round(each * UNIT) for each in added))))]
    lines += [
        "\t".join(map(str, (piece, *own))) for piece, own in zip(rows.column, numbers.tolist(), strict=True)
    ]
    return lines, figures


if __name__ == "__main__":
    lines, figures = learned()
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for label, (found, accused) in figures.items():
        print(
            f"{label:8} found {found:.2f} of what was not learned from, accused {accused:.4f} of harmless messages"
        )
