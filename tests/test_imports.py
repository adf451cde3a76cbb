"""Imports run one way: between the packages, and down the floors that the packages' docstrings name."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGES = [name for name in ("schemas", "wiq_crawl", "imputer") if (PROJECT / name).is_dir()]
# What a pure reader of pages has no use for.
NETWORK = frozenset(
    "scrapy twisted requests urllib3 httpx aiohttp socket ssl http asyncio playwright scrapy_playwright ftplib".split()
)


@cache
def imports(package: str) -> dict[str, frozenset[str]]:
    """What each module of a package imports, those for type checking included."""
    found = {}
    for path in sorted((PROJECT / package).rglob("*.py")):
        name = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = frozenset(_imported(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _imported(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module
            # «from package import module» imports the module.
            names += [
                f"{node.module}.{alias.name}" if _is_module(f"{node.module}.{alias.name}") else node.module
                for alias in node.names
            ]
    return names


@cache
def _is_module(name: str) -> bool:
    path = PROJECT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def runtime_imports(package: str) -> dict[str, set[str]]:
    """The same without imports for type checking, for modules of the package itself."""
    found = {}
    for path in sorted((PROJECT / package).rglob("*.py")):
        name = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                node.body = [ast.Pass()]
        found[name] = {other for other in _imported(tree) if other.startswith(f"{package}.") and other != name}
    return found


def under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def floors(package: str) -> list[list[str]]:
    """The floors a package's docstring names, from the top."""
    lines = (importlib.import_module(package).__doc__ or "").split("::\n", 1)[1].splitlines()
    indented = [line.strip() for line in lines if line.startswith("    ")]
    return [re.split(r"\s{2,}", line)[0].split(" · ") for line in indented]


# --- between packages -----------------------------------------------------------------------------------------------


def test_schemas_import_neither_program() -> None:
    for name, imported in imports("schemas").items():
        assert not [other for other in imported if under(other, "wiq_crawl") or under(other, "imputer")], name


def test_the_programs_do_not_import_each_other() -> None:
    programs = [name for name in ("wiq_crawl", "imputer") if name in PACKAGES]
    for package in programs:
        other = "imputer" if package == "wiq_crawl" else "wiq_crawl"
        for name, imported in imports(package).items():
            assert not [found for found in imported if under(found, other)], name


def test_the_replica_knows_nothing_of_the_crawler() -> None:
    for name, imported in imports("wiq_crawl").items():
        if under(name, "wiq_crawl.replica"):
            crawler = [
                found for found in imported if under(found, "wiq_crawl") and not under(found, "wiq_crawl.replica")
            ]
            assert not crawler, name


def test_only_commands_import_the_replica() -> None:
    users = {
        name
        for name, imported in imports("wiq_crawl").items()
        if any(under(found, "wiq_crawl.replica") for found in imported) and not under(name, "wiq_crawl.replica")
    }
    assert users
    assert all(under(name, "wiq_crawl.commands") for name in users), users


def test_pages_read_without_engine_or_network() -> None:
    modules = imports("wiq_crawl")
    waiting, seen = {name for name in modules if under(name, "wiq_crawl.pages")}, set[str]()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        outside = {found.partition(".")[0] for found in modules.get(name, ())}
        assert not outside & NETWORK, name
        assert "urllib.request" not in modules.get(name, ()), name
        waiting |= {found for found in modules.get(name, ()) if under(found, "wiq_crawl")} - seen
    assert "wiq_crawl.loaders" in seen


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_runs_in_a_circle(package: str) -> None:
    assert list(TopologicalSorter(runtime_imports(package)).static_order())


# --- the floors -----------------------------------------------------------------------------------------------------


LAYERED = ["wiq_crawl", "wiq_crawl.pages", "schemas", "imputer"]
# Stand-ins and samples: what tests and demos talk to, no part of the program.
BESIDE = {"replica", "standin", "sample"}


def beside(name: str) -> bool:
    return bool(set(name.split(".")) & BESIDE)


@pytest.mark.parametrize("package", LAYERED)
def test_every_module_stands_on_one_floor(package: str) -> None:
    named = [name for floor in floors(package) for name in floor]
    folder = PROJECT / package.replace(".", "/")
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert sorted(named) == sorted(set(named))
    assert set(named) - {"__init__"} == modules - {"__init__"} - BESIDE


@pytest.mark.parametrize("package", LAYERED)
def test_imports_run_down_the_floors(package: str) -> None:
    height = {name: -number for number, floor in enumerate(floors(package)) for name in floor}
    for name, imported in imports(package.partition(".")[0]).items():
        if not under(name, package) or beside(name):
            continue
        own = name.removeprefix(package).strip(".").partition(".")[0] or "__init__"
        for other in imported:
            if not other.startswith(f"{package}.") or beside(other):
                continue
            there = other.removeprefix(f"{package}.").partition(".")[0]
            assert height[there] <= height.get(own, 0), f"{name} imports {other}"


def test_loaders_stand_on_an_opened_page() -> None:
    pages = [name for name in imports("wiq_crawl")["wiq_crawl.loaders"] if under(name, "wiq_crawl.pages")]
    assert set(pages) <= {"wiq_crawl.pages.page", "wiq_crawl.pages.blocks", "wiq_crawl.pages.text"}
