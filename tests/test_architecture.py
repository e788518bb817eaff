"""Who may know whom, and that the core stays pure: time, chance and files come in as arguments."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
FOLDERS: list[str] = list(SETTINGS["setuptools"]["package-dir"].values())
SHELLS = {"embedded", "store", "distributed", "publisher", "lanes", "sending"}
"""The parts of the pipeline that are no core: they read and write."""
READS_FILES = {"profile"}
FACES = {"laporhub.pipeline.models", "laporhub.pipeline.ports"}
IMPURE_MODULES = {
    "asyncio", "io", "logging", "os", "random", "secrets", "shutil", "socket", "subprocess", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
IN_MEMORY = {"media": {"BytesIO"}}
"""What a module of the core may use of `io`: files in memory are values."""
IMPURE_METHODS = {"now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes"}
IMPURE_FUNCTIONS = {"open", "input", "print"}


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Each module that is imported, anywhere in the file, and how many dots came before."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def core() -> set[str]:
    """Modules and packages of the pipeline that are not a shell."""
    found = {path.stem if path.is_file() else path.name for path in (ROOT / "pipeline").glob("[a-z]*")}
    kept = {name for name in found if any((ROOT / "pipeline").glob(f"{name}.py")) or _is_package(name)}
    return kept - SHELLS


def _is_package(name: str) -> bool:
    return (ROOT / "pipeline" / name / "__init__.py").is_file()


def test_the_contracts_on_imports_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert not broken, capsys.readouterr().out


def test_the_contracts_cover_every_package_and_every_module_of_the_core() -> None:
    rules = SETTINGS["importlinter"]
    assert set(rules["root_packages"]) == {f"laporhub.{folder}" for folder in FOLDERS}
    (purity,) = (c for c in rules["contracts"] if c["name"].startswith("The core"))
    assert set(purity["source_modules"]) == {f"laporhub.pipeline.{name}" for name in core()}
    (layers,) = (contract for contract in rules["contracts"] if contract["type"] == "layers")
    named = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    assert named == set(rules["root_packages"])


@pytest.mark.parametrize("path", modules(*FOLDERS), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_are_absolute_and_by_the_installed_name(path: Path) -> None:
    """`import pipeline…` from the checkout would load a second copy of everything."""
    wrong = [name for name, dots in imported(path) if dots or name.split(".")[0] in FOLDERS]
    assert wrong == []


def test_the_names_for_connectors_of_others_are_left_to_them() -> None:
    """`models` and `ports` keep names that stay; here a name is imported from where it lives."""
    wrong = {
        str(path.relative_to(ROOT))
        for path in modules(*FOLDERS, "tests", "bench")
        if any(name in FACES for name, _ in imported(path))
    }
    assert wrong == set()


def parts(name: str) -> list[Path]:
    """The modules of one name in the core: itself, or all of a package."""
    package = ROOT / "pipeline" / name
    return sorted(package.glob("*.py")) if package.is_dir() else [package.with_suffix(".py")]


@pytest.mark.parametrize(
    "path",
    [path for name in sorted(core() - READS_FILES) for path in parts(name)],
    ids=lambda path: path.stem,
)
def test_the_core_asks_nobody_for_time_chance_or_files(path: Path) -> None:
    name = path.stem
    used = {
        node.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "io"
    }
    assert used == IN_MEMORY.get(name, set())
    found = {each.split(".")[0] for each, _ in imported(path)} - ({"io"} if name in IN_MEMORY else set())
    assert found & IMPURE_MODULES == set()
    called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert {each.attr for each in called if isinstance(each, ast.Attribute)} & IMPURE_METHODS == set()
    assert {each.id for each in called if isinstance(each, ast.Name)} & IMPURE_FUNCTIONS == set()
