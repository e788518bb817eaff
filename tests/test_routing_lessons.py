"""What the log of the cases teaches, how a new model is held against the one in use, and the way back."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from support import ADMIN, Clock, form, hub_on, laporgub, unit_admin

from laporhub.classifiers.lessons import Lesson, changed, contradictions, cost, drift, objections
from laporhub.hub.cli import main
from laporhub.hub.hub import Hub
from laporhub.hub.learning import learn, lessons_of, replayed
from laporhub.hub.routing import Router
from laporhub.hub.settings import Settings
from laporhub.hub.shelf import COLD_START, Shelf, shelf_of
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.errors import Misconfigured, NotFound, Refused
from laporhub.pipeline.profile.rulebook import Rulebook

PROFILE = "laporgub-jateng"
START = datetime(2026, 1, 5, tzinfo=UTC)


async def sent(hub: Hub, number: int, text: str) -> str:
    return (await hub.receive(PROFILE, "web", form(number, text))).case_id


def silent(_: str, __: float) -> None:
    pass


# ── labels ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_disposition_a_return_and_a_correction_are_lessons(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        kept = await sent(hub, 1, "Lampu jalan di Desa Contoh Kabupaten Pati mati sudah tiga hari lamanya")
        await hub.act(kept, "dispose", {"unit": "dishub"}, ADMIN)
        mended = await sent(hub, 2, "Ijazah anak saya ditahan SMA Contoh Kabupaten Pati sejak bulan lalu")
        await hub.act(mended, "dispose", {"unit": "dishub"}, ADMIN)
        clock.forward(hours=1)
        await hub.act(mended, "return", {"reason": "Bukan urusan kami"}, unit_admin("dishub"))
        given_back = await sent(hub, 3, "Sampah menumpuk di depan Pasar Contoh Kabupaten Pati")
        await hub.act(given_back, "dispose", {"unit": "dishub"}, ADMIN)
        await hub.act(given_back, "return", {"reason": "Bukan urusan kami"}, unit_admin("dishub"))
        await hub.act(mended, "dispose", {"unit": "dinas-pendidikan"}, ADMIN)
        await sent(hub, 4, "Bansos di Desa Contoh Kabupaten Pati belum cair sejak bulan lalu")
        found = lessons_of(hub.database, PROFILE)
    assert [(each.unit, each.returned) for each in found] == [
        ("dishub", ()),
        ("dinas-pendidikan", ("dishub",)),
    ]
    assert all(each.said is not None and each.said.model.startswith("cold-start/") for each in found)


# ── better or not ────────────────────────────────────────────────────────────────────────────────

MATTERS = {
    "dinas-pupr": ("jembatan gantung goyang", "bahu aspal remuk"),
    "dishub": ("halte bus kotor gelap", "sopir angkutan ugal-ugalan"),
    "dinas-pendidikan": ("guru honorer belum dibayar", "kursi kelas kurang"),
}


def lessons(count: int, *, since: datetime = START, swap: bool = False) -> list[Lesson]:
    """`swap`: the same matters go to another unit each."""
    units = sorted(MATTERS)
    made = []
    for number in range(count):
        place = number % len(units)
        matter = MATTERS[units[place]][number // 3 % 2]
        unit = units[(place + swap) % len(units)]
        text = f"{matter} laporan ke {number} di tempat contoh"
        at = since + timedelta(hours=number)
        made.append(Lesson(f"LG-{since:%m}-{number:03d}", text, None, unit, at, None))
    return made


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return laporgub()


def test_a_better_model_is_promoted_and_is_used_at_once(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    router = Router(book, shelf)
    assert router.model.startswith("cold-start/")
    told = learn(book, lessons(300), shelf, silent)
    assert (told["learned"], told["promoted"], told["objections"]) == ("0001", True, [])
    assert told["new"]["accuracy"] > told["old"]["accuracy"]
    assert router.refresh() and not router.refresh()
    said = router.suggest("kursi kelas kurang di sini", None)
    assert (said.model, said.units[0].unit) == ("learned/0001", "dinas-pendidikan")
    progress = shelf.progress()
    assert progress is not None and progress["share"] == 1


def test_nothing_is_learned_of_too_little_that_is_new(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    assert learn(book, lessons(10), shelf, silent)["learned"] is None
    assert learn(book, lessons(300), shelf, silent)["learned"] == "0001"
    again = learn(book, lessons(305), shelf, silent)
    assert (again["learned"], shelf.versions()) == (None, ["0001"])
    assert "5 cases" in again["why"]


def test_a_model_that_is_no_better_waits(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(300), shelf, silent)
    told = learn(book, lessons(520), shelf, silent)
    assert (told["learned"], told["promoted"], shelf.in_use()) == ("0002", False, "0001")
    assert told["objections"]


def test_the_same_cases_are_not_tried_twice(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(300), shelf, silent)
    learn(book, lessons(520), shelf, silent)
    again = learn(book, lessons(520), shelf, silent)
    assert (again["learned"], shelf.versions()) == (None, ["0001", "0002"])
    assert "only 0 cases were decided since the last try" in again["why"]
    shelf.use(COLD_START, "operator", START)
    assert learn(book, lessons(530), shelf, silent)["learned"] is None, "a person's way back is not overruled"
    assert learn(book, lessons(550), shelf, silent)["learned"] == "0003"


@pytest.mark.parametrize(("count", "held"), [(60, 30), (198, 99), (200, 100), (450, 100), (600, 120)])
def test_few_cases_held_back_promote_nothing_by_themselves(
    tmp_path: Path, book: Rulebook, count: int, held: int
) -> None:
    told = learn(book, lessons(count), shelf_of(tmp_path, book.name), silent)
    assert (told["held_back"], told["promoted"]) == (held, held >= 100)
    said = f"only {held} cases were held back to compare: 100 are needed" in " ".join(told["objections"])
    assert said is (held < 100)


def test_while_another_process_learns_nobody_else_does(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    with shelf.alone(), pytest.raises(Refused, match="Another process learns"):
        learn(book, lessons(300), shelf, silent)
    assert learn(book, lessons(300), shelf, silent)["learned"] == "0001"


def test_when_the_offices_change_it_learns_that(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(200), shelf, silent)
    changed = [*lessons(200), *lessons(900, since=START + timedelta(days=60), swap=True)]
    told = learn(book, changed, shelf, silent)
    assert (told["promoted"], shelf.in_use()) == (True, "0002")
    assert told["old"]["accuracy"] < 0.1 < 0.8 < told["new"]["accuracy"]


def test_a_profile_can_leave_it_to_a_person_or_do_without(tmp_path: Path, book: Rulebook) -> None:
    def with_learning(how: str) -> Rulebook:
        routing = book.profile.routing.model_copy(update={"learning": how})
        return replace(book, profile=book.profile.model_copy(update={"routing": routing}))

    shelf = shelf_of(tmp_path, book.name)
    told = learn(with_learning("proposed"), lessons(300), shelf, silent)
    assert (told["learned"], told["objections"], shelf.in_use()) == ("0001", [], COLD_START)
    assert learn(with_learning("off"), lessons(300), shelf, silent)["learned"] is None


def objecting(**changes: object) -> list[str]:
    old = {"cost": 0.5, "accuracy": 0.8, "ece": 0.02, "per_unit": {"a": {"cases": 50, "recall": 0.9}}}
    return objections(old | {"cost": 0.4} | changes, old)


def test_what_speaks_against_a_new_model() -> None:
    assert objecting() == []
    assert "cost" in objecting(cost=0.5)[0]
    assert "right in" in objecting(accuracy=0.7)[0]
    assert "further" in objecting(ece=0.1)[0]
    assert "of a it finds 50%" in objecting(per_unit={"a": {"cases": 50, "recall": 0.5}})[0]
    assert objecting(per_unit={"a": {"cases": 5, "recall": 0.5}}) == []


def test_a_wrong_disposition_costs_more_than_a_doubt() -> None:
    right, wrong = [("a", 0.9), ("b", 0.1)], [("b", 0.9), ("a", 0.1)]
    costs = [
        cost([said], [sure], ["a"])
        for said, sure in ((right, True), (right, False), (wrong, False), (wrong, True))
    ]
    assert costs == sorted(set(costs))
    assert cost([[("b", 0.5)]], [False], ["a"]) > costs[2]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────


def test_the_way_back_is_one_step(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(300), shelf, silent)
    router = Router(book, shelf)
    assert router.model == "learned/0001"
    shelf.use(shelf.before(), "operator", START)
    assert router.refresh() and router.model.startswith("cold-start/")
    assert [each["by"] for each in shelf.history()] == ["system", "operator"]
    shelf.use(shelf.before(), "operator", START)
    assert router.refresh() and router.model == "learned/0001"


def test_why_a_model_cannot_be_used_is_said_once(
    tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(300), shelf, silent)
    with monkeypatch.context() as without, capture_logs() as said:
        without.setitem(sys.modules, "laporhub.classifiers.model_files", None)
        router = Router(book, shelf)
        assert not any(router.refresh() for _ in range(3))
    assert [each["event"] for each in said] == ["the learned model cannot be used"]
    assert "pip install 'laporhub[routing]'" in said[0]["reason"]
    assert router.refresh() and router.model == "learned/0001"


def test_a_model_is_read_by_numpy_alone(tmp_path: Path, book: Rulebook) -> None:
    learn(book, lessons(300), shelf_of(tmp_path, book.name), silent)
    program = (
        "import sys; from pathlib import Path\n"
        "sys.modules['sklearn'] = sys.modules['scipy'] = None\n"
        "from laporhub.hub.routing import Router; from laporhub.hub.shelf import shelf_of\n"
        "from laporhub.pipeline.profile.load import load\n"
        f"book = load({PROFILE!r}); router = Router(book, shelf_of(Path({str(tmp_path)!r}), book.name))\n"
        "print(router.suggest('kursi kelas kurang di sini', None).model)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "learned/0001"


def test_a_broken_model_does_not_stop_the_hub(tmp_path: Path, book: Rulebook) -> None:
    shelf = shelf_of(tmp_path, book.name)
    learn(book, lessons(300), shelf, silent)
    (shelf.folder / "0001" / "numbers.npz").write_bytes(b"nothing")
    assert Router(book, shelf).model.startswith("cold-start/")
    again = learn(book, lessons(520), shelf, silent)
    assert (again["in_use"], again["learned"], Router(book, shelf).model) == (
        COLD_START,
        "0002",
        "learned/0002",
    )
    (shelf.folder / "in-use.json").write_text("{", encoding="utf-8")
    assert Router(book, shelf).suggest("jalan provinsi rusak", None).units
    with pytest.raises(Misconfigured, match="model use"):
        shelf.in_use()


@pytest.fixture
def full(tmp_path: Path) -> Shelf:
    """Of twelve versions and one that was broken off: promoted 1 and 3, chosen 2, in use 9, before it 4."""
    shelf = Shelf(tmp_path)
    for number in range(1, 13):
        (shelf.new()[1] / "model.json").write_text("{}", encoding="utf-8")
        by = {2: "operator"}.get(number, "system")
        if number in (1, 2, 3, 4):
            shelf.use(f"{number:04d}", by, START)
    shelf.use("0009", "system", START)
    shelf.new()
    return shelf


def test_old_versions_go_but_for_those_one_may_want_back(full: Shelf) -> None:
    assert full.prune() == ["0001", "0003", "0005", "0006", "0007"]
    assert full.versions() == ["0002", "0004", "0008", "0009", "0010", "0011", "0012"]
    assert not (full.folder / "0013").exists() and full.before() == "0004"
    assert full.prune() == []
    assert full.new()[0] == "0013", "a number is given once"


def test_where_nobody_knows_what_was_chosen_all_stay(full: Shelf) -> None:
    (full.folder / "in-use.json").write_text("{", encoding="utf-8")
    assert full.prune() == []
    assert len(full.versions()) == 12


def test_only_what_is_there_can_be_used(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(NotFound, match="model list"):
        shelf.use("0007", "operator", START)
    with pytest.raises(NotFound):
        shelf.use("../elsewhere", "operator", START)
    version, folder = shelf.new()
    assert (version, folder.is_dir(), shelf.versions()) == ("0001", True, [])


# ── what the labels are worth ────────────────────────────────────────────────────────────────────


def test_equal_words_with_two_units_are_reported() -> None:
    text = "lampu jalan depan balai desa padam"
    told = [replace(lessons(1)[0], text=text, unit=unit, ticket=unit) for unit in ("a", "a", "b")]
    found = contradictions([*told, *lessons(9)])
    assert (found["repeated_texts"], found["contradicting"]) == (1, 1)
    assert found["agreement"] == pytest.approx(1 / 3, abs=1e-3)
    assert {each["unit"] for each in found["examples"][0]} == {"a", "b"}
    assert contradictions([])["agreement"] is None


def test_a_unit_that_gets_far_more_than_before_is_reported() -> None:
    steady = lessons(300)
    assert drift(steady) == []
    late = [replace(each, unit="dishub") if n >= 225 else each for n, each in enumerate(steady)]
    assert drift(late)[0] == {"unit": "dishub", "before": 0.3333, "now": 1.0}


# ── over the hub's own log ───────────────────────────────────────────────────────────────────────


async def test_a_replay_says_what_would_have_been_done(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        for number in range(4):
            case = await sent(
                hub, number, f"Ijazah ditahan SMA Contoh Kabupaten Pati sejak bulan lalu ({number})"
            )
            await hub.act(case, "dispose", {"unit": "dinas-pendidikan"}, ADMIN)
    told = replayed(Settings(data=tmp_path, profile=PROFILE), None)
    assert (told["model"], told["cases"]) == (COLD_START, 4)
    assert told["would_have"]["accuracy"] == told["said_then"]["accuracy"] == 1
    assert told["changed"]["cases"] == 0
    with pytest.raises(NotFound, match="model list"):
        replayed(Settings(data=tmp_path, profile=PROFILE), "0009")
    with pytest.raises(NotFound, match="no hub"):
        replayed(Settings(data=tmp_path / "elsewhere", profile=PROFILE), None)


def test_a_replay_names_the_cases_that_would_have_gone_another_way() -> None:
    def said(unit: str, sure: bool) -> Suggestion:
        return Suggestion(units=(UnitGuess(unit=unit, probability=0.9),), sure=sure)

    then = [said("a", True), said("b", False), said("a", True), said("b", True), None]
    would = [said("a", True), said("a", True), said("b", True), said("b", False), said("c", True)]
    told = [
        replace(lessons(1)[0], ticket=str(number), unit="a", said=each) for number, each in enumerate(then)
    ]
    found = changed(told, would)
    assert (found["cases"], found["mended"], found["broken"], found["other"]) == (4, 1, 1, 2)
    assert [each["ticket"] for each in found["examples"]] == ["2", "1", "3", "4"]
    assert found["examples"][0] == {
        "ticket": "2", "change": "broken", "decided": "a",
        "then": "a", "then_sure": True, "would": "b", "would_sure": True,
    }  # fmt: skip


async def test_commands_list_choose_and_go_back(
    tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with hub_on(tmp_path) as hub:
        case = await sent(hub, 1, "Ijazah ditahan SMA Contoh Kabupaten Pati sejak bulan lalu")
        await hub.act(case, "dispose", {"unit": "dinas-pendidikan"}, ADMIN)
    learn(book, lessons(300), shelf_of(tmp_path, book.name), silent)

    def run(*arguments: str) -> list[dict[str, object]]:
        monkeypatch.setattr(
            "sys.argv", ["laporhub", *arguments, "--data", str(tmp_path), "--profile", PROFILE]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return [json.loads(each) for each in capsys.readouterr().out.splitlines()]

    told, last = run("model", "list")
    assert (told["version"], told["cases"], told["objections"], last["in_use"]) == ("0001", 300, [], "0001")
    assert run("model", "back") == [{"in_use": COLD_START, "before": "0001"}]
    assert run("model", "use", "0001") == [{"in_use": "0001", "before": COLD_START}]
    (trained,) = run("train")
    assert (trained["profile"], trained["lessons"], trained["learned"]) == (PROFILE, 1, None)
    (replay,) = run("evaluate", "--replay")
    assert (replay["model"], replay["cases"]) == ("0001", 1)
    (said,) = run("classify", "kursi kelas kurang di sini")
    assert said["model"] == "learned/0001"


async def test_a_trainer_learns_again_and_again_until_it_is_told_to_end(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await sent(hub, 1, "Ijazah ditahan SMA Contoh Kabupaten Pati sejak bulan lalu")
    command = [sys.executable, "-m", "laporhub.hub.cli", "train", "--repeat", "--data", str(tmp_path)]
    more = {
        "LAPORHUB_PROFILE": PROFILE,
        "LAPORHUB_LEARN_EVERY_HOURS": "0.0001",
        "LAPORHUB_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **more}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    told = [json.loads(await process.stdout.readline()) for _ in range(2)]
    process.terminate()
    rest = await process.stdout.read()
    assert (await process.wait(), b"Traceback" in rest) == (0, False)
    assert [(each["event"], each["lessons"], each["learned"]) for each in told] == [("learned", 0, None)] * 2
    assert "40 are needed" in told[0]["why"]


def test_what_does_not_change_is_not_learned_from_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["laporhub", "train", "--train", str(tmp_path / "a.csv"), "--repeat"])
    with pytest.raises(SystemExit):
        main()
    assert "--repeat is for the hub's own cases" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate", "model"])
def test_without_the_extra_it_is_told_what_to_install(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("laporhub.hub.routing.find_spec", lambda _: None)
    monkeypatch.setattr("sys.argv", ["laporhub", command, *(["list"] if command == "model" else [])])
    with pytest.raises(SystemExit):
        main()
    assert "pip install 'laporhub[routing]'" in capsys.readouterr().err


async def test_a_running_hub_routes_by_what_was_promoted(tmp_path: Path, book: Rulebook) -> None:
    learn(book, lessons(300), shelf_of(tmp_path, book.name), silent)
    async with hub_on(tmp_path) as hub:
        case = await sent(hub, 1, "Kursi kelas kurang di SMA Contoh Kabupaten Pati, mohon perhatian")
        state = hub.engine.latest(case)
    assert state is not None and state.suggestion is not None
    assert (state.suggestion.model, state.suggestion.units[0].unit) == ("learned/0001", "dinas-pendidikan")
    assert json.loads(state.model_dump_json())["suggestion"]["units"][0]["reasons"]
