"""Writes what componentize-py needs beside the plugin: its world and its entry module.

A component exports exactly what its world says, and the bindings refuse a world whose role the program lacks. So the
world is written from the roles in the manifest:

- the package is `plugin:ID` with the id of the manifest, and the world is called `plugin`;
- every plugin imports `log`; `mapper` imports nothing more, any other role also `http`;
- each role is exported, in the order of the contract: `mapper`, `actions`, `verification`, `connection`;
- `mapper` excludes every other role, and `verification` and `connection` need `actions`;
- `wit/deps/weir/` holds the contract as the SDK carries it.

The entry module closes what a sandbox has not (`weir_sdk.sandbox`), imports the plugin's module, so that its decorators
run, and a class for each role, by the name that componentize-py looks for.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["ENTRY", "BuildError", "check_id", "entry_text", "module_name", "world_text", "write"]

ENTRY = "weir_entry"

_ROLES = ("mapper", "actions", "verification", "connection")

_CONTRACT = Path(__file__).parent.parent / "wit" / "weir.wit"


class BuildError(Exception):
    """What must be mended before the plugin can be built."""


def check_id(plugin_id: str) -> None:
    """Refuses an id that cannot name a module of its own."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", plugin_id):
        raise BuildError(
            f"the manifest's id `{plugin_id}` must be lower-case letters, digits and hyphens, a letter first"
        )
    module = module_name(plugin_id)
    if module in sys.stdlib_module_names or module in ("weir_sdk", "wit_world", ENTRY):
        raise BuildError(
            f"the plugin's module would hide Python's own `{module}`; choose another id, as `{plugin_id}-mapper`"
        )


def module_name(plugin_id: str) -> str:
    """The plugin's module: its id with `_` for `-`."""
    return plugin_id.replace("-", "_")


def world_text(plugin_id: str, roles: list[str]) -> str:
    """The plugin's own world."""
    version = contract_version()
    unknown = [role for role in roles if role not in _ROLES]
    if unknown:
        raise BuildError(f"there is no role `{unknown[0]}`, only: {', '.join(_ROLES)}")
    if not roles:
        raise BuildError(f'the manifest names no role; write `roles = ["mapper"]`, or some of: {", ".join(_ROLES[1:])}')
    if "mapper" in roles and len(roles) > 1:
        raise BuildError("a mapper has no other role, because it is pure; make two plugins of it")
    if "mapper" not in roles and "actions" not in roles:
        raise BuildError(f"the role `{roles[0]}` needs the role `actions` beside it")
    imports = ["log"] if roles == ["mapper"] else ["log", "http"]
    lines = [f"  import weir:plugin/{name}@{version};" for name in imports]
    lines += [f"  export weir:plugin/{role}@{version};" for role in _ROLES if role in roles]
    return "\n".join([f"package plugin:{plugin_id};", "", "world plugin {", *lines, "}", ""])


def entry_text(plugin_id: str, roles: list[str]) -> str:
    """The module that componentize-py takes for the program."""
    exports = [f"from weir_sdk.exports.{role} import {role.capitalize()}" for role in _ROLES if role in roles]
    guard = ["from weir_sdk import sandbox", "", "sandbox.guard()", ""]
    return "\n".join([*guard, f"import {module_name(plugin_id)}", *exports, "", "sandbox.prepare()", ""])


def write(folder: Path, plugin_id: str, roles: list[str]) -> None:
    """Writes both into a folder of their own."""
    contract = folder / "wit" / "deps" / "weir"
    contract.mkdir(parents=True, exist_ok=True)
    (contract / "weir.wit").write_bytes(_CONTRACT.read_bytes())
    (folder / "wit" / "world.wit").write_text(world_text(plugin_id, roles), encoding="utf-8")
    (folder / f"{ENTRY}.py").write_text(entry_text(plugin_id, roles), encoding="utf-8")


def contract_version() -> str:
    """The contract that this SDK speaks, as `0.1.0`."""
    found = re.search(r"^package weir:plugin@([0-9.]+);$", _CONTRACT.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise BuildError(f"{_CONTRACT} names no version of the contract")
    return found[1]
