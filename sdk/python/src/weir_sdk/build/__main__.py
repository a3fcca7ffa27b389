"""The command `python -m weir_sdk.build FOLDER [-o FILE]`.

Exit codes: 0 built; 1 componentize-py failed; 2 the plugin must be mended; 3 a tool is missing or too old, or a
package cannot be had.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from . import imports, world

_TOOL = "componentize-py"
_HOW_TO_GET_IT = f"{_TOOL} is missing; to get it: python3 -m pip install {_TOOL}==0.25.1"

_WITHOUT_NETWORK = (
    "Without a network: connect once, and they are kept in build/packages; "
    "or put their wheels into a folder, and set PIP_NO_INDEX=1 and PIP_FIND_LINKS=FOLDER"
)

_PURE = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14"]

_SDK = Path(__file__).parent.parent.parent


def main() -> int:
    """Builds what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m weir_sdk.build", description="Builds a plugin's component.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the plugin's folder")
    parser.add_argument("-o", "--output", type=Path, help="the component; by default build/ID.wasm in the folder")
    parser.add_argument("--check", action="store_true", help="look for what must be mended, and build nothing")
    arguments = parser.parse_args()
    try:
        return _build(arguments.folder.resolve(), arguments.output, is_check=arguments.check)
    except world.BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _build(folder: Path, output: Path | None, *, is_check: bool) -> int:
    manifest = _read_toml(folder / "weir-plugin.toml")
    plugin_id, roles = str(manifest.get("id", "")), list(manifest.get("roles", []))
    world.check_id(plugin_id)
    build = folder / "build"
    packages = build / "packages"
    world.write(build / "componentize", plugin_id, roles)
    dependencies = _dependencies(folder)
    if dependencies and not _install(dependencies, packages):
        return 3
    module = world.module_name(plugin_id)
    problems = imports.check(folder / "src", [packages], module, is_mapper="mapper" in roles)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems or is_check:
        return 2 if problems else 0
    output = output or build / f"{plugin_id}.wasm"
    output.parent.mkdir(parents=True, exist_ok=True)
    return _componentize(folder / "src", packages, build / "componentize", output)


def _componentize(sources: Path, packages: Path, work: Path, output: Path) -> int:
    tool = shutil.which(_TOOL) or shutil.which(_TOOL, path=str(Path(sys.executable).parent))
    if tool is None:
        print(f"error: {_HOW_TO_GET_IT}", file=sys.stderr)
        return 3
    command = [tool, "-q", "-d", str(work / "wit"), "-w", "plugin", "componentize", "--stub-wasi"]
    # The order counts: tracebacks name files of the first folder, which is `/0` in the component.
    for path in (sources, packages, _SDK, work):
        if path.is_dir():
            command += ["-p", str(path)]
    command += [world.ENTRY, "-o", str(output.resolve())]
    # It would add the packages of an active virtual environment, which the plugin does not name.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(_own_traceback(done.stderr), file=sys.stderr)
        print("error: the plugin could not be loaded; the last exception says why", file=sys.stderr)
        return 1
    return 0


def _own_traceback(text: str) -> str:
    """The traceback of the plugin without those of the tool around it, which say nothing more."""
    text = text.partition("\nCaused by:")[0]
    start = text.rfind("Traceback (most recent call last):")
    return text[max(start, 0) :].replace('"/0/', '"src/').rstrip()


def _install(dependencies: list[str], packages: Path) -> bool:
    """The packages that the plugin names, in a folder of their own; those with native code are found later, by name."""
    stamp = packages / ".installed"
    wanted = "\n".join(dependencies)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return True
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(packages)]
    # First for the Python in the component alone, so that of a package in two forms the pure one is taken; then for any,
    # so that one which has native code only is refused by its name.
    for choice in (_PURE, []):
        shutil.rmtree(packages, ignore_errors=True)
        is_last = not choice
        done = subprocess.run([*pip, *choice, *dependencies], check=False, capture_output=not is_last)
        if done.returncode == 0:
            break
    else:
        named = ", ".join(f"`{each}`" for each in dependencies)
        print(
            f"error: pip could not install {named}; what it complains of stands above. {_WITHOUT_NETWORK}",
            file=sys.stderr,
        )
        return False
    stamp.write_text(wanted, encoding="utf-8")
    return True


def _dependencies(folder: Path) -> list[str]:
    project = folder / "pyproject.toml"
    if not project.is_file():
        return []
    named = _read_toml(project).get("project", {}).get("dependencies", [])
    # The SDK is not a package that is fetched: it comes with `weir`.
    return [str(each) for each in named if not str(each).replace("_", "-").startswith("weir-sdk")]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise world.BuildError(f"there is no {path.name} in {path.parent}") from None
    except tomllib.TOMLDecodeError as error:
        raise world.BuildError(f"{path.name}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
