"""The world that is written, what is refused before anything is built, the packages that are installed, and whether the
generated files are fresh.
"""

from __future__ import annotations

import ast
import filecmp
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile
from pathlib import Path

from weir_sdk.build import imports, world

SDK = Path(__file__).parent.parent
GENERATED = SDK / "src" / "weir_sdk" / "generated"

# What componentize-py 0.25.1 says of a plugin whose module raises an exception.
NOT_LOADED = """Traceback (most recent call last):
  File "/usr/bin/componentize-py", line 8, in <module>
    sys.exit(script())
             ^^^^^^^^
AssertionError: Traceback (most recent call last):
  File "/2/weir_entry.py", line 5, in <module>
    import crm
  File "/0/crm.py", line 3, in <module>
    NAME = {}["name"]
           ~~^^^^^^^^
KeyError: 'name'


Caused by:
    KeyError: 'name'

Stack backtrace:
   0: <anyhow::Error>::msg::<alloc::string::String>
"""


class Worlds(unittest.TestCase):
    def test_a_world_has_the_roles_of_the_manifest_and_no_others(self) -> None:
        expected = (
            "package plugin:crm;\n\nworld plugin {\n  import weir:plugin/log@0.1.0;\n  import weir:plugin/http@0.1.0;\n"
            "  export weir:plugin/actions@0.1.0;\n  export weir:plugin/connection@0.1.0;\n}\n"
        )
        self.assertEqual(world.world_text("crm", ["connection", "actions"]), expected)
        self.assertNotIn("http", world.world_text("crm", ["mapper"]))
        entry = world.entry_text("my-crm", ["actions", "verification"])
        self.assertIn("import my_crm\n", entry)
        self.assertIn("from weir_sdk.exports.verification import Verification\n", entry)

    def test_roles_that_cannot_be_are_refused(self) -> None:
        for roles, words in [
            ([], "names no role"),
            (["mapper", "actions"], "has no other role"),
            (["verification"], "needs the role `actions`"),
            (["reader"], "there is no role `reader`"),
        ]:
            with self.assertRaisesRegex(world.BuildError, words):
                world.world_text("crm", roles)

    def test_an_id_names_a_module_of_its_own(self) -> None:
        world.check_id("my-crm2")
        for plugin_id in ["", "My", "2crm", "my crm", "a" * 65, "csv", "weir-sdk"]:
            with self.assertRaisesRegex(world.BuildError, "id"):
                world.check_id(plugin_id)


class Imports(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.packages = self.folder / "packages"

    def problems(self, *, is_mapper: bool = True, **files: str) -> list[str]:
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        found = imports.check(self.folder / "src", [self.packages], "crm", is_mapper=is_mapper)
        return [str(problem) for problem in found]

    def test_an_import_while_the_plugin_runs_is_named(self) -> None:
        found = self.problems(
            src__crm="import helper\ndef f():\n    import csv\n    from helper import g\n"
            "    return __import__('colorsys')\n",
            src__helper="import importlib\ng = lambda name: importlib.import_module(name)\n",
        )
        self.assertEqual(
            found,
            [
                "crm.py:3: `csv` is imported while the plugin runs; import it at the top of the module",
                "crm.py:5: `colorsys` is imported while the plugin runs; import it at the top of the module",
                "helper.py:2: imports a module whose name only the running plugin knows; import what it may be at the top",
            ],
        )

    def test_an_import_for_types_or_for_want_of_another_is_fine(self) -> None:
        text = (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ssl\n"
            "try:\n    import orjson\nexcept ImportError:\n    pass\n"
        )
        self.assertEqual(self.problems(src__crm=text), [])

    def test_native_code_is_named_by_its_package(self) -> None:
        info = self.packages / "numpy-2.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("fast/_core.so,sha256=x,5\n", "utf-8")
        (self.packages / "fast").mkdir()
        (self.packages / "fast" / "_core.so").write_bytes(b"")
        message = (
            "numpy 2.0: has native code (`fast/_core.so`), which no component can load; take a package in pure Python"
        )
        self.assertEqual(self.problems(src__crm=""), [message])

    def test_what_a_component_has_not_is_named(self) -> None:
        found = self.problems(
            src__crm="import sqlite3\nimport slugify\nimport datetime\ndatetime.datetime.now()\ndatetime.date.today()\n"
        )
        self.assertEqual(len(found), 4, found)
        self.assertIn("crm.py:1: `sqlite3` needs what a plugin has not: files", found)
        self.assertIn("crm.py:2: there is no module `slugify`; name its package under `dependencies`", found[1])
        self.assertIn("`datetime.now()`: a plugin has no clock", found[2])
        self.assertIn("`date.today()`: a plugin has no clock", found[3])

    def test_whatever_opens_sockets_is_named_with_what_to_take_instead(self) -> None:
        for name in ("http.client", "socket", "ssl", "requests", "httpx", "aiohttp", "urllib3"):
            [found] = self.problems(src__crm=f"import {name}\n")
            cure = "sockets; send requests through `weir_sdk.http` or `urllib.request`"
            self.assertEqual(found, f"crm.py:1: `{name}` needs what a plugin has not: {cure}")

    def test_a_slip_of_the_pen_is_named(self) -> None:
        self.assertEqual(self.problems(src__crm="import os\n\ndef f(:\n"), ["crm.py:3: invalid syntax"])

    def test_a_connector_may_use_urllib_and_a_mapper_not(self) -> None:
        for text in ["import urllib.request", "from urllib.request import urlopen", "from urllib import request"]:
            self.assertEqual(self.problems(is_mapper=False, src__crm=text), [])
            [found] = self.problems(src__crm=text)
            self.assertIn("`urllib.request` needs what a plugin has not: requests; a mapper is pure", found)

    def test_a_plugin_without_its_module_is_told_its_name(self) -> None:
        self.assertIn("crm.py, or crm/__init__.py", self.problems(src__other="")[0])


class Command(unittest.TestCase):
    """What `weir plugin build` runs."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.wheels = self.folder / "wheels"
        self.wheels.mkdir()

    def build(self, *dependencies: str, python: str = "", is_check: bool = True) -> tuple[int, str]:
        """Looks for what must be mended in a plugin with these dependencies. Gives the exit code and what is told."""
        (self.folder / "src").mkdir(exist_ok=True)
        (self.folder / "src" / "crm.py").write_text("import slugify\n" if dependencies else "", "utf-8")
        (self.folder / "weir-plugin.toml").write_text('id = "crm"\nroles = ["mapper"]\n', "utf-8")
        project = f"[project]\ndependencies = {json.dumps(dependencies)}\n"
        (self.folder / "pyproject.toml").write_text(project, "utf-8")
        # No network, and nothing of what whoever runs this has told pip.
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        program = ["-c", python] if python else ["-m", "weir_sdk.build", "."]
        command = [sys.executable, *program, *(["--check"] if is_check else [])]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": str(SDK / "src"), "PATH": f"{self.folder}:{os.environ['PATH']}", **pip},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    def wheel(self, tag: str, *names: str) -> None:
        """Makes a wheel of `slugify` 1.0."""
        texts = dict.fromkeys(names, "") | {
            "slugify-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: slugify\nVersion: 1.0\n",
            "slugify-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        record = "slugify-1.0.dist-info/RECORD"
        with zipfile.ZipFile(self.wheels / f"slugify-1.0-{tag}.whl", "w") as file:
            for name, text in texts.items():
                file.writestr(name, text)
            file.writestr(record, "".join(f"{name},,\n" for name in [*texts, record]))

    def test_a_package_is_installed_once(self) -> None:
        self.wheel("py3-none-any", "slugify.py")
        self.assertEqual(self.build("slugify==1.0"), (0, ""))
        self.assertTrue((self.folder / "build" / "packages" / "slugify.py").is_file())
        shutil.rmtree(self.wheels)
        self.assertEqual(self.build("slugify==1.0"), (0, ""))

    def test_a_package_that_cannot_be_had_is_told_with_the_cure(self) -> None:
        code, told = self.build("slugify==1.0")
        *_, why, last = told.splitlines()
        self.assertEqual((code, why), (3, "ERROR: No matching distribution found for slugify==1.0"))
        self.assertEqual(
            last,
            "error: pip could not install `slugify==1.0`; what it complains of stands above. Without a network: connect "
            "once, and they are kept in build/packages; or put their wheels into a folder, and set PIP_NO_INDEX=1 and "
            "PIP_FIND_LINKS=FOLDER",
        )

    def test_a_package_with_native_code_alone_is_refused_by_name(self) -> None:
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        self.wheel(f"py3-none-{platform}", "slugify/__init__.py", "slugify/_fast.so")
        message = "has native code (`slugify/_fast.so`), which no component can load; take a package in pure Python"
        self.assertEqual(self.build("slugify==1.0"), (2, f"error: slugify 1.0: {message}\n"))
        self.wheel("py3-none-any", "slugify/__init__.py")
        shutil.rmtree(self.folder / "build")
        self.assertEqual(
            self.build("slugify==1.0"),
            (0, ""),
            "of a package in two forms the pure one is taken",
        )

    def test_an_exception_while_the_plugin_is_loaded_is_told_with_its_line(self) -> None:
        # It takes a quarter of a minute to say so.
        tool = self.folder / "componentize-py"
        tool.write_text(f"#!/bin/sh\ncat >&2 <<'EOF'\n{NOT_LOADED}EOF\nexit 1\n", "utf-8")
        tool.chmod(0o755)
        traceback = NOT_LOADED[NOT_LOADED.rindex("Traceback") : NOT_LOADED.index("\n\nCaused by")].rstrip()
        code, told = self.build(is_check=False)
        self.assertEqual(code, 1)
        last = "error: the plugin could not be loaded; the last exception says why"
        self.assertEqual(told.splitlines(), [*traceback.replace("/0/", "src/").splitlines(), last])

    def test_an_older_python_is_told_which_is_needed(self) -> None:
        needed = "Python 3.11 or later is needed, and this is 3.9: https://www.python.org"
        older = "import runpy, sys; sys.version_info = (3, 9, 18, 'final', 0); sys.argv[0] = '-m'; "
        command = "runpy.run_module('weir_sdk.build', run_name='__main__')"
        self.assertEqual(self.build(python=older + command), (3, f"error: {needed}\n"))
        code, told = self.build(python=older + "sys.argv[0] = 'test.py'; import weir_sdk")
        self.assertEqual((code, told.splitlines()[-1]), (1, f"ImportError: {needed}"))
        # Python 3.6 is that of some systems which are still in use.
        for name in ("__init__.py", "interpreter.py"):
            ast.parse((SDK / "src" / "weir_sdk" / name).read_text("utf-8"), name, feature_version=(3, 6))


class Generated(unittest.TestCase):
    @unittest.skipUnless(shutil.which("componentize-py"), "componentize-py is not there")
    def test_the_bindings_are_what_would_be_generated_now(self) -> None:
        wit = SDK / "src" / "weir_sdk" / "wit" / "weir.wit"
        with tempfile.TemporaryDirectory() as fresh:
            command = ["componentize-py", "-q", "-d", str(wit), "-w", "host", "bindings", fresh]
            subprocess.run(command, check=True)
            names = files(Path(fresh))
            self.assertEqual(files(GENERATED), names)
            for name in names:
                self.assertTrue(filecmp.cmp(Path(fresh) / name, GENERATED / name, shallow=False), name)


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if "__pycache__" not in path.parts)
