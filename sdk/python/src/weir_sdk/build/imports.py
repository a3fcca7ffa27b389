"""Finds, before anything is built, what cannot be in a component: native code, modules that are not there, and imports that
would happen while the plugin runs.

A component holds what was imported while it was built, and no disk to import from later. Left alone, such an import traps
without a word; `weir_sdk.sandbox` makes an exception of it; this finds it by reading the sources.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Problem", "check"]

_NATIVE = (".so", ".pyd", ".dylib", ".dll")

_SOCKETS = "sockets; send requests through `weir_sdk.http` or `urllib.request`"

# Modules of the standard library that the CPython inside a component was built without, or that cannot do there what they
# are for. And packages that do what `weir_sdk.http` is for: once named as dependencies they would build, and fail in a call.
_MISSING = {
    "_ctypes": "native code",
    "aiohttp": _SOCKETS,
    "ctypes": "native code",
    "curses": "a terminal",
    "dbm": "files",
    "fcntl": "files",
    "grp": "users",
    "mmap": "files",
    "multiprocessing": "processes",
    "pwd": "users",
    "readline": "a terminal",
    "resource": "processes",
    "requests": _SOCKETS,
    "socket": _SOCKETS,
    "socketserver": "sockets; a plugin is called, it does not listen",
    "sqlite3": "files",
    "ssl": _SOCKETS,
    "subprocess": "processes",
    "tkinter": "a screen",
    "http.client": _SOCKETS,
    "httpx": _SOCKETS,
    "urllib3": _SOCKETS,
}

# Modules that work in a connector, where `weir_sdk.urllib` sends.
_MISSING_IN_MAPPERS = {"urllib.request": "requests; a mapper is pure, so send them in an action of a connector"}

# Calls that `weir_sdk.sandbox` makes an exception of too. Those of the plugin itself are told before it is built.
_CLOCK = "a plugin has no clock: a mapper has `origin.received`, a destination sends `Date`"
_CALLS = {
    ("datetime", "now"): _CLOCK,
    ("datetime", "utcnow"): _CLOCK,
    ("datetime", "today"): _CLOCK,
    ("date", "today"): _CLOCK,
}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(frozen=True)
class _Import:
    name: str | None
    """None if only the running program knows it."""
    line: int
    is_late: bool
    is_optional: bool


def check(sources: Path, packages: list[Path], start: str, *, is_mapper: bool) -> list[Problem]:
    """Checks a plugin: its own module in `sources`, and whatever that imports from `packages`.

    Its own sources may not import while it runs. In packages of others that is left to the call, where it is an
    `ImportError` with the module's name: many have such imports for cases that never come.
    """
    problems = [problem for folder in packages for problem in _native_code(folder)]
    graph = _Graph(sources, packages, _MISSING | (_MISSING_IN_MAPPERS if is_mapper else {}))
    graph.follow(start)
    if start not in graph.trees and not graph.missing:
        expected = f"{start}.py, or {start}/__init__.py"
        problems.append(
            Problem(str(sources), 0, f"the plugin's module is missing: {expected}, named by the manifest's id")
        )
    problems += graph.missing
    for name, (path, tree) in graph.trees.items():
        if path.is_relative_to(sources):
            problems += _check_own(graph, name, path, tree)
    return sorted(set(problems))


def _native_code(folder: Path) -> Iterator[Problem]:
    """Distributions with compiled code, by their name."""
    if not folder.is_dir():
        return
    owners = {}
    for record in folder.glob("*.dist-info/RECORD"):
        distribution = record.parent.name.removesuffix(".dist-info").replace("-", " ")
        for line in record.read_text(encoding="utf-8").splitlines():
            owners[line.split(",")[0]] = distribution
    told = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _NATIVE:
            file = path.relative_to(folder)
            owner = owners.get(file.as_posix(), file.parts[0].partition(".")[0])
            if owner not in told:
                told.add(owner)
                message = f"has native code (`{file}`), which no component can load; take a package in pure Python"
                yield Problem(owner, 0, message)


class _Graph:
    """The modules that are loaded while the component is built."""

    def __init__(self, sources: Path, packages: list[Path], refused: dict[str, str]) -> None:
        self.refused = refused
        self.roots = [sources, *packages]
        self.own = sources
        self.trees: dict[str, tuple[Path, ast.Module]] = {}
        self.loaded: set[str] = set()
        self.missing: list[Problem] = []

    def follow(self, start: str) -> None:
        """Loads a module and everything that it imports at its top."""
        waiting = [start]
        while waiting:
            name = waiting.pop()
            for each in _with_parents(name):
                waiting += self._load(each)

    def is_module(self, name: str) -> bool:
        """Whether there is a module of that name, rather than something inside one."""
        return self._find(name) is not None or name in sys.stdlib_module_names

    def _load(self, name: str) -> list[str]:
        if name in self.loaded:
            return []
        self.loaded.add(name)
        path = self._find(name)
        if path is None:
            return []
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except SyntaxError as error:
            self.missing.append(Problem(self._shown(path), error.lineno or 0, error.msg))
            return []
        self.trees[name] = (path, tree)
        following = []
        for found in _imports(tree, name, path.name == "__init__.py"):
            if found.name is None or found.is_late:
                continue
            following.append(found.name)
            self._judge(found, path)
        return following

    def _judge(self, found: _Import, path: Path) -> None:
        assert found.name is not None
        if found.is_optional or not path.is_relative_to(self.own):
            return
        shown = self._shown(path)
        for name in _with_parents(found.name):
            if name in self.refused:
                message = f"`{name}` needs what a plugin has not: {self.refused[name]}"
                self.missing.append(Problem(shown, found.line, message))
                return
        top = found.name.partition(".")[0]
        if top not in sys.stdlib_module_names and top != "weir_sdk" and self._find(top) is None:
            message = f"there is no module `{top}`; name its package under `dependencies` in pyproject.toml"
            self.missing.append(Problem(shown, found.line, message))

    def _shown(self, path: Path) -> str:
        return (path.relative_to(self.own) if path.is_relative_to(self.own) else path).as_posix()

    def _find(self, name: str) -> Path | None:
        parts = name.split(".")
        for root in self.roots:
            base = root.joinpath(*parts)
            for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if path.is_file():
                    return path
            if base.is_dir() and any(base.iterdir()):
                return base / "__init__.py" if (base / "__init__.py").is_file() else None
        return None


def _check_own(graph: _Graph, name: str, path: Path, tree: ast.Module) -> Iterator[Problem]:
    shown = path.relative_to(graph.own).as_posix()
    for found in _imports(tree, name, path.name == "__init__.py"):
        if not found.is_late:
            continue
        if found.name is None:
            message = "imports a module whose name only the running plugin knows; import what it may be at the top"
            yield Problem(shown, found.line, message)
        elif found.name not in graph.loaded:
            message = f"`{found.name}` is imported while the plugin runs; import it at the top of the module"
            yield Problem(shown, found.line, message)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            owner_name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            cure = _CALLS.get((owner_name, node.func.attr))
            if cure is not None:
                yield Problem(shown, node.lineno, f"`{owner_name}.{node.func.attr}()`: {cure}")


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[_Import]:
    """Every import of a module, whether it happens while the module is loaded or later."""
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while waiting:
        node, is_late, is_optional = waiting.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += [(child, is_late, is_optional) for child in node.orelse]
            continue
        yield from _imports_of(node, module, is_package, is_late, is_optional)
        is_late = is_late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        is_optional = is_optional or isinstance(node, ast.Try)
        waiting += [(child, is_late, is_optional) for child in ast.iter_child_nodes(node)]


def _imports_of(node: ast.AST, module: str, is_package: bool, is_late: bool, is_optional: bool) -> Iterator[_Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield _Import(alias.name, node.lineno, is_late, is_optional)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, module, is_package)
        yield _Import(base, node.lineno, is_late, is_optional)
        if not is_late:
            for alias in node.names:
                yield _Import(f"{base}.{alias.name}", node.lineno, is_late, is_optional)
    elif isinstance(node, ast.Call) and _is_import_call(node.func):
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        yield _Import(str(name) if name is not None else None, node.lineno, is_late, is_optional)


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _is_import_call(function: ast.expr) -> bool:
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    return name in ("__import__", "import_module")


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]
