"""The world that is written, what is refused before anything is built, and whether the generated files are fresh."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from weir_sdk.build import imports, world

SDK = Path(__file__).parent.parent
GENERATED = SDK / "src" / "weir_sdk" / "generated"


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
            src__crm="import sqlite3\nimport urllib.request\nimport requests\nimport datetime\ndatetime.datetime.now()\n"
        )
        self.assertEqual(len(found), 4, found)
        self.assertIn("crm.py:1: `sqlite3` needs what a plugin has not: files", found)
        self.assertIn("crm.py:3: there is no module `requests`", found[2])
        self.assertIn("`datetime.now()`: a plugin has no clock", found[3])

    def test_a_slip_of_the_pen_is_named(self) -> None:
        self.assertEqual(self.problems(src__crm="import os\n\ndef f(:\n"), ["crm.py:3: invalid syntax"])

    def test_a_connector_may_use_urllib_and_a_mapper_not(self) -> None:
        for text in ["import urllib.request", "from urllib.request import urlopen", "from urllib import request"]:
            self.assertEqual(self.problems(is_mapper=False, src__crm=text), [])
            [found] = self.problems(src__crm=text)
            self.assertIn("`urllib.request` needs what a plugin has not: requests; a mapper is pure", found)

    def test_a_plugin_without_its_module_is_told_its_name(self) -> None:
        self.assertIn("crm.py, or crm/__init__.py", self.problems(src__other="")[0])


class Generated(unittest.TestCase):
    @unittest.skipUnless(shutil.which("componentize-py"), "componentize-py is not there")
    def test_the_bindings_are_what_would_be_generated_now(self) -> None:
        wit = SDK / "src" / "weir_sdk" / "wit" / "weir.wit"
        with tempfile.TemporaryDirectory() as fresh:
            command = ["componentize-py", "-q", "-d", str(wit), "-w", "host", "bindings", fresh]
            subprocess.run(command, check=True)
            for path in Path(fresh).rglob("*.py*"):
                kept = GENERATED / path.relative_to(fresh)
                self.assertTrue(filecmp.cmp(path, kept, shallow=False), kept)
