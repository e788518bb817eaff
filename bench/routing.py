"""`make bench`: how fast the whole routing of a text is, and writes it into bench/results.json.

The texts and their units are made up, as many words and as unlike as real ones are; speed does not depend on what they
mean. The whole of routing: what was learned, the units' description, place, urgency, flags and redaction.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from run import TEXTS, merge, row

from laporhub.classifiers.learned import Description, LearnedClassifier
from laporhub.classifiers.model_files import load as read
from laporhub.classifiers.model_files import save
from laporhub.classifiers.training import Case, train
from laporhub.hub.ground import collect_rarely
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.redact import redact
from laporhub.pipeline.text import clean

CASES, WORDS, MEASURED, ROUNDS = 10_000, 45, 2_000, 5
"""Cases to learn from, words of a text, texts in one round."""
_SYLLABLES = ("ba", "di", "ga", "ka", "li", "ma", "ni", "pe", "ra", "sa", "tu", "wa", "ya", "ko", "se")


def made_up(count: int, seed: int) -> list[tuple[str, int]]:
    """Texts of a vocabulary in which few words are frequent and many are rare, and a number that some words tell."""
    chance = random.Random(seed)
    words = ["".join(random.Random(n).choices(_SYLLABLES, k=2 + n % 3)) for n in range(20_000)]
    found = []
    for _ in range(count):
        unit = chance.randrange(40)
        said = [words[min(int(chance.paretovariate(0.7)), len(words) - 1)] for _ in range(WORDS)]
        said += [words[100 + 7 * unit + each] for each in range(3)]
        chance.shuffle(said)
        found.append((f"{' '.join(said)}. {chance.choice(TEXTS)}", unit))
    return found


def measured(classifier: LearnedClassifier, texts: list[str]) -> tuple[list[float], float]:
    """Seconds of each text, from what was typed to the suggestion; and of the processor for all."""
    times, busy = [], time.process_time()
    for text in texts:
        start = time.perf_counter()
        classifier.suggest(redact(clean(text)), None)
        times.append(time.perf_counter() - start)
    return times, time.process_time() - busy


def peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def learned(folder: Path) -> float:
    """Keeps a model in the folder. How long learning took, in seconds."""
    duties = sorted(set(Description(load("laporgub-jateng").units).duties.values()))
    told = enumerate(made_up(CASES, 1))
    cases = [Case(text, duties[unit % len(duties)], name=f"LG-{n}") for n, (text, unit) in told]
    start = time.perf_counter()
    save(train(cases), folder)
    return time.perf_counter() - start


def main(folder: Path, seconds: float) -> None:
    """What a process needs that only reads the model, set up as the hub's are."""
    collect_rarely()
    model = read(folder)
    classifier = LearnedClassifier(load("laporgub-jateng").units, model, version="bench")
    batches = [[text for text, _ in made_up(MEASURED, 100 + number)] for number in range(ROUNDS + 1)]
    rounds = [measured(classifier, batch) for batch in batches][1:]  # the first only warms up
    what = f"redaction to suggestion, {WORDS + 15} words, {len(model.labels)} labels"
    rate = statistics.median(MEASURED / busy for _, busy in rounds)
    slow = statistics.median(sorted(times)[int(0.99 * len(times))] * 1000 for times, _ in rounds)
    merge(
        [
            row(
                "routing.texts_per_s",
                rate,
                "1/s",
                f"one core, {what}",
            ),
            row("routing.p99_ms", slow, "ms", f"one at a time, {what}", 2),
            row("routing.peak_mib", peak_mib(), "MiB", "a process that routes"),
            row("routing.training_s", seconds, "s", f"{CASES} cases, in a process of its own", 1),
        ]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="laporhub-bench-") as name:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as another:
            spent = another.submit(learned, Path(name)).result()
        main(Path(name), spent)
