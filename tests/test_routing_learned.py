"""What past cases teach: to whom a text goes, how sure that is, why, and when to leave it to a person."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_labels import made_up_cases, office_cases

from laporhub.classifiers.evaluation import calibration_error, figures
from laporhub.classifiers.features import Buckets, words_of
from laporhub.classifiers.labels import NOWHERE, Where, learn_offices, template
from laporhub.classifiers.learned import LearnedClassifier
from laporhub.classifiers.linear import Linear
from laporhub.classifiers.model_files import load, read_about, save
from laporhub.classifiers.thresholds import NEVER, covered, threshold
from laporhub.classifiers.training import Case, train
from laporhub.hub.cli import main
from laporhub.pipeline.errors import Misconfigured, Refused
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.schema_units import Territory, Unit


@pytest.fixture(scope="module")
def model() -> Linear:
    return train(made_up_cases(400))


def best(model: Linear, text: str, where: Where = NOWHERE) -> str:
    return model.ranked(words_of(text), where)[0][0]


# ── what is learned ──────────────────────────────────────────────────────────────────────────────


def test_it_knows_whose_a_text_is_though_it_is_new(model: Linear) -> None:
    later = made_up_cases(200, seed=2)
    assert np.mean([best(model, case.text) == case.label for case in later]) > 0.97
    assert best(model, "aspalnya brlubang di jl baru") == "roads"


def test_probabilities_sum_up_to_one_and_are_high_where_it_is_clear(model: Linear) -> None:
    shares = model.probabilities(model.weighed(words_of("pipa bocor")))
    assert shares.sum() == pytest.approx(1)
    assert shares.max() > 0.9
    nothing = model.probabilities(model.weighed([]))
    assert nothing.max() < 0.8


def test_the_same_cases_give_the_same_model(model: Linear) -> None:
    again = train(made_up_cases(400))
    assert np.array_equal(again.weights, model.weights)
    assert (again.sharpness, again.held_back.labels) == (model.sharpness, model.held_back.labels)


def test_where_labels_are_wrong_it_is_less_sure() -> None:
    def sure(wrong: float) -> float:
        learned = train(made_up_cases(400, wrong=wrong))
        rows = [learned.weighed(words_of(case.text)) for case in made_up_cases(50, seed=3)]
        return float(np.mean([learned.probabilities(row).max() for row in rows]))

    assert sure(0.3) < sure(0.0) - 0.1


@given(
    st.lists(
        st.sampled_from(["pipa", "bocor", "lubang", "jalan", "lampu", "bocor", "xyzzy", "ñandu"]), max_size=30
    )
)
def test_what_is_remembered_of_words_says_what_their_columns_say(model: Linear, words: list[str]) -> None:
    ((own, pieces),) = model.features.halves([words], Buckets())
    told = sum((row.values @ model.weights[row.columns] for row in (own, pieces)), model.bias)
    assert model.weighed(words).scores == pytest.approx(told, abs=1e-4)
    for row in (own, pieces):
        assert row.values @ row.values == pytest.approx(1 if len(row.columns) else 0)


def test_reasons_are_words_of_the_text_that_speak_for_the_unit(model: Linear) -> None:
    words = words_of("tolong pak pipa bocor warga resah")
    (reasons,) = model.reasons(words, model.weighed(words), ["water"], 2)
    assert set(" ".join(reasons).split()) <= set(words)
    assert "bocor" in " ".join(reasons)


def test_similar_cases_are_named_with_their_label(model: Linear) -> None:
    case = made_up_cases(400)[10]
    found = model.past.similar(model.weighed(words_of(case.text)).own)
    assert found[0][0] == "LG-0010" or found[0][2] > 0.9
    assert model.labels[found[0][1]] == case.label


@pytest.mark.parametrize("cases", [[], made_up_cases(5), [Case("sama saja", "one")] * 50])
def test_too_few_cases_are_refused(cases: list[Case]) -> None:
    with pytest.raises(Refused, match="too few"):
        train(cases)


def test_two_labels_are_enough() -> None:
    learned = train(
        [Case(case.text, "yes" if case.label == "water" else "no") for case in made_up_cases(100)]
    )
    assert best(learned, "pipa bocor") == "yes"


def test_a_description_counts_while_cases_are_few() -> None:
    cases = [
        Case(case.text, case.label, prior={case.label: 0.9}) for case in made_up_cases(30, wrong=0.0, seed=4)
    ]
    learned = train(cases)
    assert learned.trust_in_prior > 0
    words = words_of("sesuatu yang lain")
    assert learned.ranked(words, NOWHERE, {"water": 0.95})[0][0] == "water"


def test_what_an_office_says_of_itself_is_learned_where_it_has_no_case_yet() -> None:
    mixed = [Case("kucing di jalan berlubang", "roads"), Case("kucing dekat pipa bocor", "water")]
    cases = [*made_up_cases(60), *mixed]
    said = [("kucing", "animals"), ("kucing liar", "animals"), ("steril kucing", "animals")]
    assert best(train(cases, labels=["animals"]), "kucing") != "animals"
    assert best(train(cases, labels=["animals"], sayings=said), "kucing") == "animals"


def test_what_is_said_of_two_labels_together_tells_neither() -> None:
    cases = made_up_cases(60)
    plain = train(cases, key_of=lambda _: "office")
    told = train(cases, key_of=lambda _: "office", sayings=[("pipa bocor", "office")])
    assert np.array_equal(told.weights, plain.weights)


# ── one office in many places ────────────────────────────────────────────────────────────────────


def test_an_office_is_told_by_the_place() -> None:
    learned = train(office_cases(500))
    assert sorted(learned.labels) == ["Dinas lights", "Dinas roads", "Dinas water", "kelurahan {village}"]
    text = "pungli iuran rt di sini"
    assert best(learned, text, Where("Melati", "Kulon")) == "Kelurahan Melati"
    assert best(learned, text, Where("KENANGA", "Wetan")) == "Kelurahan Kenanga"
    assert best(learned, text, Where("Anggrek Baru", "Wetan")) == "Kelurahan Anggrek Baru"
    assert best(learned, "pipa bocor", Where("Melati", "Kulon")) == "Dinas water"


@pytest.mark.parametrize(
    ("label", "village", "district", "expected"),
    [
        ("Kelurahan Karang Pilang", "Karangpilang", "Wetan", "kelurahan {village}"),
        ("Kecamatan Kulon", "Mawar", "Kulon", "kecamatan {district}"),
        ("Dinas Kesehatan", "Mawar", "Kulon", None),
        ("Mawar", "Mawar", "Kulon", None),
        ("Kelurahan Mawar", "", "", None),
    ],
)
def test_a_label_that_names_its_place(label: str, village: str, district: str, expected: str | None) -> None:
    assert template(label, Where(village, district)) == expected


def test_a_name_two_villages_share_is_told_by_the_district() -> None:
    cases = [
        ("Kelurahan Mawar - Kulon", Where("Mawar", "Kulon")),
        ("Kelurahan Mawar Wetan", Where("Mawar", "Wetan")),
    ]
    cases += [(f"Kelurahan {name}", Where(name, "Kulon")) for name in ("Melati", "Dahlia")]
    offices = learn_offices(cases * 3)
    told = offices.told_by_place("kelurahan {village}", Where("Mawar", "Wetan"))
    assert told == {"Kelurahan Mawar Wetan": 1.0}


@pytest.mark.parametrize(("elsewhere", "expected"), [(1, "Kelurahan Mawar"), (3, "Kelurahan Dahlia")])
def test_one_case_that_went_elsewhere_is_no_rule_for_the_place(elsewhere: int, expected: str) -> None:
    names = ("Mawar", "Melati", "Dahlia", "Kenanga")
    cases = [(f"Kelurahan {name}", Where(name, "Kulon")) for name in names[1:] for _ in range(4)]
    cases += [("Kelurahan Mawar", Where("Mawar", "Wetan"))]
    cases += [("Kelurahan Dahlia", Where("Mawar", "Kulon"))] * elsewhere
    told = learn_offices(cases).told_by_place("kelurahan {village}", Where("Mawar", "Kulon"))
    assert max(told, key=lambda label: told[label]) == expected
    assert sum(told.values()) == pytest.approx(1)


# ── when it may be trusted ───────────────────────────────────────────────────────────────────────


@given(
    st.lists(st.tuples(st.sampled_from([0.3, 0.5, 0.7, 0.9, 0.99]), st.booleans()), max_size=80),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_what_passes_a_threshold_was_right_often_enough(
    told: list[tuple[float, bool]], precision: float
) -> None:
    probability, right = np.array([p for p, _ in told]), np.array([r for _, r in told], np.bool_)
    least = threshold(probability, right, precision)
    passed = right[probability >= least]
    assert len(passed) == 0 or passed.mean() >= precision
    assert (least == NEVER) == (len(passed) == 0)
    assert 0 <= covered(probability, right, precision) <= 1


def test_a_label_that_is_mostly_wrong_is_never_sure() -> None:
    assert threshold(np.full(40, 0.99), np.arange(40) % 2 == 0, 0.95) == NEVER


def test_where_labels_are_wrong_it_says_as_much() -> None:
    learned = train(made_up_cases(1200, wrong=0.4))
    later = made_up_cases(400, seed=7, wrong=0.4)
    told = [learned.ranked(words_of(case.text), NOWHERE)[0] for case in later]
    right = np.mean([label == case.label for (label, _), case in zip(told, later, strict=True)])
    assert np.mean([probability for _, probability in told]) == pytest.approx(right, abs=0.07)


def test_figures_of_what_is_always_right() -> None:
    labels = ["a", "b", "a"]
    found = figures([[(label, 1.0)] for label in labels], labels, {"": 0.5})
    assert (found["accuracy"], found["top3"], found["macro_f1"], found["ece"]) == (1, 1, 1, 0)
    assert (found["coverage_at_95"], found["automatic"]) == (1, {"coverage": 1.0, "precision": 1.0})


def test_calibration_error_is_the_distance_of_saying_from_being() -> None:
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 5) == pytest.approx(0.4)


# ── as the hub asks it ───────────────────────────────────────────────────────────────────────────


def units() -> dict[str, Unit]:
    plain = [
        Unit(id=name, title=f"Dinas {name}", kind="opd", tasks=("pelayanan",))
        for name in ("roads", "water", "lights")
    ]
    towns = [
        Unit(
            id=f"kab-{name}",
            title=f"Pemerintah Kabupaten {name.title()}",
            kind="kabupaten",
            tasks=("pasar",),
            territory=Territory(codes=(code,), names=(name,)),
        )
        for name, code in (("amerta", "99.01"), ("bahari", "99.02"))
    ]
    return {unit.id: unit for unit in (*plain, *towns)}


def test_the_classifier_names_three_with_reasons_and_abstains_where_it_must(model: Linear) -> None:
    classifier = LearnedClassifier(units(), model, version="learned/1")
    clear = classifier.suggest("tolong pipa bocor, kapan diperbaiki", None)
    assert (clear.units[0].unit, clear.sure, clear.model) == ("water", True, "learned/1")
    assert any("bocor" in reason for reason in clear.units[0].reasons)
    doubtful = classifier.suggest("selamat pagi semuanya", None)
    assert not doubtful.sure


def test_governments_alike_are_told_by_the_place_in_the_text() -> None:
    cases = made_up_cases(300)
    cases = [
        Case(f"pasar kotor {each.text}", "kind:kabupaten") if n % 3 == 0 else each
        for n, each in enumerate(cases)
    ]
    classifier = LearnedClassifier(units(), train(cases), version="learned/1")
    text = "pasar kotor di kabupaten bahari, lapor"
    assert classifier.suggest(text, None).units[0].unit == "kab-bahari"
    assert (
        classifier.suggest("pasar kotor", Location(address="Jalan Contoh, Amerta")).units[0].unit
        == "kab-amerta"
    )
    assert not classifier.suggest("pasar kotor lapor", None).sure


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_the_same_after_it_was_kept(model: Linear, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    back = load(tmp_path / "m")
    for case in made_up_cases(20, seed=5):
        assert back.ranked(words_of(case.text), NOWHERE) == model.ranked(words_of(case.text), NOWHERE)
    assert read_about(tmp_path / "m")["cases"] == 400
    assert not any("bocor" in file.read_bytes().decode("latin-1") for file in (tmp_path / "m").iterdir())


def test_a_file_with_code_in_it_is_not_run(model: Linear, tmp_path: Path) -> None:
    save(model, tmp_path)
    with np.load(tmp_path / "numbers.npz") as numbers:
        kept = {name: numbers[name] for name in numbers.files}
    kept["bias"] = np.array([Path], object)
    np.savez(tmp_path / "numbers.npz", **kept)
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(tmp_path)


def test_a_model_of_another_format_is_not_taken_for_one_of_this(model: Linear, tmp_path: Path) -> None:
    save(model, tmp_path)
    about = json.loads((tmp_path / "model.json").read_text("utf-8"))
    (tmp_path / "model.json").write_text(json.dumps({"format": 1, "labels": about["labels"]}), "utf-8")
    with pytest.raises(Misconfigured, match="format 1: train it anew"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["numbers.npz", "model.json"])
def test_a_broken_or_missing_file_is_told(model: Linear, tmp_path: Path, name: str) -> None:
    save(model, tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    with pytest.raises(Misconfigured, match="train it anew"):
        load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(Misconfigured, match="laporhub train"):
        load(tmp_path)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


def table(file: Path, cases: list[Case]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["id", "text", "unit", "village", "district", "received_on", "more"])
        for number, case in enumerate(cases):
            day = f"2026-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}"
            writer.writerow(
                [case.name, case.text, case.label, case.where.village, case.where.district, day, "x"]
            )
    return file


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["laporhub", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_evaluate_prints_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past, later = (
        table(tmp_path / "a.csv", made_up_cases(300)),
        table(tmp_path / "b.csv", made_up_cases(100, seed=9)),
    )
    status, out, _ = run(monkeypatch, capsys, "evaluate", "--train", str(past), "--test", str(later))
    assert status == 0
    found = json.loads(out)
    assert {
        "accuracy",
        "top3",
        "macro_f1",
        "ece",
        "coverage_at_95",
        "per_unit",
        "learning_curve",
    } <= found.keys()
    assert found["accuracy"] > 0.95
    assert found["per_unit"].keys() == {"roads", "water", "lights"}
    assert [point["dispositions"] for point in found["learning_curve"]] == [0, 50, 200, 300]


def test_what_train_made_can_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past, later = (
        table(tmp_path / "a.csv", office_cases(300)),
        table(tmp_path / "b.csv", office_cases(50, seed=9)),
    )
    made = str(tmp_path / "model")
    status, out, _ = run(monkeypatch, capsys, "train", "--train", str(past), "--out", made)
    assert (status, json.loads(out)["cases"]) == (0, 300)
    status, out, _ = run(monkeypatch, capsys, "evaluate", "--model", made, "--test", str(later))
    assert json.loads(out)["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate",), "--test"),
        (("evaluate", "--test", "a.csv", "--train", "a.csv", "--label", "office"), "no column 'office'"),
        (("evaluate", "--test", "nowhere.csv", "--train", "a.csv"), "is no file"),
        (("train", "--train", "a.csv"), "--out"),
    ],
)
def test_wrong_use_is_told_in_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    table(tmp_path / "a.csv", made_up_cases(30))
    monkeypatch.chdir(tmp_path)
    status, _, err = run(monkeypatch, capsys, *arguments)
    assert (status, err.count("\n")) == (1, 1)
    assert said in err
