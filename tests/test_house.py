"""The rules of the house: what may import what, and the settings that much depends on."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from kling import catalog
from kling.studio import video_check
from kling.studio.films import join_clips
from kling.studio.pictures import frame_of_clip

ROOT = Path(__file__).parents[1]
PRODUCT = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "kling").rglob("*.py")]
CLIENT = {path.stem for path in (ROOT / "kling").glob("*.py")} - {"__init__"}


@cache
def parsed(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(folder: Path, pattern: str = "**/*.py") -> Iterator[tuple[Path, str]]:
    for path in folder.glob(pattern):
        for node in parsed(path):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def offenders(found: Iterator[tuple[Path, str]], *forbidden: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in found
        if any(name == other or name.startswith(f"{other}.") for other in forbidden)
    ]


def test_the_client_imports_nothing_of_the_house():
    names = ("kling.studio", "kling.sandbox", "pages", "streamlit", "pandas", "numpy", "av")
    assert offenders(imports(ROOT / "kling", "*.py"), *names) == []


def test_the_studio_imports_neither_pages_nor_sandbox_nor_anything_of_a_web_server():
    names = ("pages", "kling.sandbox", "streamlit", "starlette", "uvicorn")
    assert offenders(imports(ROOT / "kling" / "studio"), *names) == []


def test_no_module_of_the_studio_brings_a_web_server_along():
    """Also by way of a library: every module is imported in a fresh interpreter."""
    code = (
        "import importlib, pkgutil, sys, kling.studio as studio\n"
        "for module in pkgutil.walk_packages(studio.__path__, 'kling.studio.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sys.modules)\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"streamlit", "starlette", "uvicorn"} & set(loaded.stdout.split()) == set()


def test_the_sandbox_shares_no_rule_with_the_client():
    names = [f"kling.{module}" for module in CLIENT]
    assert offenders(imports(ROOT / "kling" / "sandbox"), *names, "kling.studio", "streamlit", "pandas") == []


def test_only_the_render_worker_and_the_previews_start_the_renderer():
    """Benchmarks, and the tools among the tests, may use more of it: they are not part of the product."""
    renderer = "kling.sandbox.renderer"
    trees = {
        path.relative_to(ROOT).as_posix(): parsed(path)
        for path in PRODUCT
        if ROOT / "kling" / "sandbox" / "renderer" not in path.parents
    }
    importers = {
        (name, imported)
        for name in trees
        for _, imported in imports((ROOT / name).parent, Path(name).name)
        if imported == renderer or imported.startswith(f"{renderer}.")
    }
    assert importers == {
        ("kling/sandbox/worker.py", renderer),
        ("kling/sandbox/worker.py", f"{renderer}.draw_clip"),
        ("kling/sandbox/worker.py", f"{renderer}.draw_sound"),
    }
    programs = {
        name
        for name, nodes in trees.items()
        for node in nodes
        if isinstance(node, ast.Constant) and node.value == renderer
    }
    assert programs == {"kling/studio/prompting/previews.py"}


def test_shared_page_parts_are_imported_by_their_whole_name():
    assert offenders(imports(ROOT / "pages"), "_ui", "kling.sandbox") == []


@cache
def loaded_by(*modules: str) -> tuple[frozenset[str], ...]:
    """Return what a fresh interpreter has loaded after it has imported each of the modules, in this order."""
    code = "import sys\n" + "".join(f"import {module}; print(*sys.modules)\n" for module in modules)
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(frozenset(line.split()) for line in said.stdout.splitlines())


# Modules of one tuple share an interpreter: each loads all that those before it may load.
CLIENT_THEN_STUDIO = ("kling", "kling.studio.service")
SERVER_THEN_PAGES = ("app", "pages._ui.spend.charts", "pages._ui.admin.imports")


@pytest.mark.parametrize(
    ("modules", "module", "strangers"),
    [
        (
            CLIENT_THEN_STUDIO,
            "kling",
            {"requests", "streamlit", "pandas", "numpy", "av", "kling.studio", "kling.sandbox"},
        ),
        (
            CLIENT_THEN_STUDIO,
            "kling.studio.service",
            {"streamlit", "pandas", "numpy", "av", "sqlalchemy", "kling.sandbox"},
        ),
        # The server answers when this is imported; what takes longer is imported while a browser loads.
        (
            SERVER_THEN_PAGES,
            "app",
            {"requests", "urllib3", "sqlalchemy", "pandas", "numpy", "pwdlib", "authlib"},
        ),
        # Only what draws a chart loads what charts take.
        (SERVER_THEN_PAGES, "pages._ui.spend.charts", {"pandas", "numpy", "altair"}),
        (SERVER_THEN_PAGES, "pages._ui.admin.imports", {"pandas", "numpy", "altair"}),
        (("kling.sandbox",), "kling.sandbox", {"streamlit", "pandas", "kling.client", "kling.studio"}),
    ],
)
def test_a_fresh_interpreter_loads_no_more_than_it_needs(
    modules: tuple[str, ...], module: str, strangers: set[str]
):
    if module == "kling.sandbox":  # it lies inside the package `kling`, whose face imports the client
        strangers = strangers - {"kling.client"}
    assert not strangers & loaded_by(*modules)[modules.index(module)]


def test_what_the_first_page_needs_is_imported_before_it_comes():
    needed = {
        module if (ROOT / f"{module.replace('.', '/')}.py").is_file() else node.module
        for page in ("main.py", "compose.py")
        for node in parsed(ROOT / "pages" / page)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("kling.", "pages."))
        for module in (f"{node.module}.{alias.name}" for alias in node.names)
    }
    code = (
        "import app, importlib, sys\n"
        "from pages._ui.first_page import MODULES\n"
        "for module in MODULES:\n"
        "    importlib.import_module(module)\n"
        "print(*sys.modules)\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert needed - set(loaded.stdout.split()) == set()


def test_no_two_modules_wait_for_each_other():
    """Imports make no ring, so there is an order in which all modules can be read.

    Imports inside functions and those for the type checker count too: they hide a ring.
    """
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in ("kling", "pages")
        for path in (ROOT / folder).glob("**/*.py")
    }
    needs: dict[str, set[str]] = {name: set() for name in paths}
    for name, path in paths.items():
        for node in parsed(path):
            if isinstance(node, ast.Import):
                needs[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = (f"{node.module}.{alias.name}" for alias in node.names)
                needs[name] |= {each if each in paths else node.module for each in inner}
    graph = {name: (others & paths.keys()) - {name} for name, others in needs.items()}
    assert set(TopologicalSorter(graph).static_order()) == paths.keys()


def test_the_docstring_of_a_package_lists_its_modules_and_packages():
    """Each line of the list begins with one name or several, and two spaces. Scripts may stand there too."""
    line = re.compile(r" *([\w./]+(?:, [\w./]+)*) {2,}\S")
    wrong = {}
    for package in (path for path in PRODUCT if path.name == "__init__.py"):
        lines = (ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or "").splitlines()
        found = [name for each in map(line.match, lines) if each for name in each[1].split(", ")]
        listed = {name.removesuffix("/").removesuffix(".py") for name in found}
        there = {path.stem for path in package.parent.glob("[!_]*.py")}
        there |= {path.parent.name for path in package.parent.glob("*/__init__.py")}
        gone = {name for name in listed - there if not (package.parent / name).exists()}
        if gone or there - listed:
            wrong[str(package.relative_to(ROOT))] = gone | (there - listed)
    assert wrong == {}


def test_the_client_has_no_circle_of_imports_of_any_kind():
    """Also counts imports inside functions and those for the type checker, which hide a circle."""
    modules = {f"kling.{name}" for name in CLIENT}
    graph = {
        f"kling.{path.stem}": {name for _, name in imports(ROOT / "kling", path.name)} & modules
        for path in (ROOT / "kling").glob("*.py")
        if path.stem in CLIENT
    }
    assert set(TopologicalSorter(graph).static_order()) == modules


def test_the_path_of_the_api_stands_in_one_place():
    own = (path for path in (ROOT / "kling").glob("**/*.py") if "sandbox" not in path.parts)
    paths = [ROOT / "app.py", *own, *(ROOT / "pages").glob("**/*.py")]
    found = [path.relative_to(ROOT) for path in paths if "/v1/videos" in path.read_text(encoding="utf-8")]
    assert found == [Path("kling/endpoint.py")]


def test_how_long_kling_keeps_a_video_stands_in_one_place():
    """Neither is it counted with elsewhere, nor said in words that people read."""
    days = catalog().retention_days

    def states_it(node: ast.AST) -> bool:
        match node:
            case ast.keyword(arg="days", value=ast.Constant(value=number)):
                return number == days
            case ast.Constant(value=str(text)):
                return "Kling" in text and f"{days} days" in text
        return False

    found = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for folder in ("kling/studio", "pages")
        for path in (ROOT / folder).glob("**/*.py")
        for docstrings in [{each.value for each in parsed(path) if isinstance(each, ast.Expr)}]
        for node in parsed(path)
        if states_it(node) and node not in docstrings
    ]
    assert found == []


def test_programs_that_import_nothing_of_the_studio_decode_the_same_frames():
    assert video_check.MOST_PIXELS == join_clips.MOST_PIXELS == frame_of_clip.MOST_PIXELS


def test_pages_stay_small():
    long = {
        path.name: lines
        for path in [*(ROOT / "pages").glob("**/*.py"), ROOT / "app.py"]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def test_tests_use_no_private_name_of_the_product():
    """Ruff's SLF001 sees attributes only: neither what is imported nor what is named by a text."""
    made = re.compile(r"(?:^|\bdef |\bclass |\bself\.)(_[a-zA-Z]\w*)", re.MULTILINE)
    private = {name for path in PRODUCT for name in made.findall(path.read_text(encoding="utf-8"))}
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path, text in texts.items()
        if private & set(re.findall(r"(?<!\bself\.)\b_[a-zA-Z]\w*", text))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt | ast.expr)
        for name in named_from_outside(node)
        if name in private
    ]
    assert found == []


def named_from_outside(node: ast.AST) -> list[str]:
    """Return the names that a node takes from another module or object."""
    match node:
        case ast.ImportFrom():
            return [alias.name for alias in node.names]
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return []
        case ast.Attribute():
            return [node.attr]
        case ast.Call(args=args) if re.search(r"(get|set|del|has)attr$", ast.unparse(node.func)):
            texts = (str(arg.value) for arg in args if isinstance(arg, ast.Constant))
            return [text.rpartition(".")[2] for text in texts]
    return []


def test_the_settings_that_much_depends_on():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False
    assert config["browser"]["gatherUsageStats"] is False
    assert config["browser"]["serverAddress"]
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["fileWatcherType"] == "none"
    assert config["client"]["showErrorDetails"] == "none"


def test_streamlit_knows_every_setting_and_reads_it():
    code = (
        "import tomllib, streamlit as st\n"
        "for section, options in tomllib.load(open('.streamlit/config.toml', 'rb')).items():\n"
        "    for name, value in options.items():\n"
        "        if not isinstance(value, dict):\n"
        "            assert st.get_option(f'{section}.{name}') == value, (section, name)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_page_icon_is_no_remote_picture():
    assert 'page_icon="🎬"' in (ROOT / "pages" / "main.py").read_text(encoding="utf-8")


def test_nothing_cites_a_source_that_the_repository_does_not_have():
    """Rules of the API are cited by a tag, and kling/SOURCES.md says what each tag is."""
    sources = (ROOT / "kling" / "SOURCES.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| ([A-Z][0-9]p?) \|", sources, re.MULTILINE))
    tags = rf"\b([{''.join({tag[0] for tag in known})}][0-9]p?)\b"
    cited: dict[str, set[str]] = {}
    for folder, kind in itertools.product(("kling", "pages"), ("*.py", "*.toml", "*.json")):
        for path in (ROOT / folder).rglob(kind):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"kling-(api|siblings|text2video)\.", text), path
            for tag in re.findall(tags, text):
                cited.setdefault(tag, set()).add(path.name)
    assert len(known) == 10
    assert cited.keys() <= known, {tag: cited[tag] for tag in cited.keys() - known}
