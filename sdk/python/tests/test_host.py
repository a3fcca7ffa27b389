"""A plugin in Python, as a component in the real host. What it has not there, and what goes wrong in it, is an exception
with a name, never a trap. Runs where `WEIR_BINARY` is the path of a built `weir`; needs componentize-py then.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from weir_sdk import sandbox

SDK = Path(__file__).parent.parent
PLUGIN = SDK / "tests" / "plugins" / "misbehaving"

PROJECT = f"""[project]
name = "misbehaving"
version = "1.0.0"

[tool.weir]
sdk = {json.dumps(str(SDK))}
"""

# A build and the first compilation take a quarter of a minute each, and several times that on a busy machine.
SECONDS_MAX = 600

NO_FILES = f"PermissionError: {sandbox.NO_FILES}"
NO_SOCKETS = f"PermissionError: {sandbox.NO_SOCKETS}"
NO_CLOCK = f"RuntimeError: {sandbox.NO_CLOCK}"
NO_CHANCE = f"RuntimeError: {sandbox.NO_CHANCE}"

# What the `internal` fault of each way says.
EXCEPTIONS = {
    "key": "KeyError: 'email'",
    "exit": "SystemExit: 3",
    "recurse": "RecursionError: maximum recursion depth exceeded",
    "cause": "ValueError: outer",
    "textless": "Textless, whose text failed with ValueError",
    "no-kind": "ValueError: 'odd' is not a valid FaultKind",
    "surrogate-fault": "KeyError: '\\ud800'",
    "memory": "MemoryError",
    "deep": "JsonError: it is nested more than 127 levels deep",
    "nothing": "`misbehave` gave nothing; to let an event go no further, give `Documents.none()`",
    "unwritable": "what `misbehave` gave cannot be written: a set cannot be written as JSON",
    "no-bytes": "what `misbehave` gave cannot be written: `data` must be bytes, and is of type str",
    "late-import": "ModuleNotFoundError: `colorsys` is imported while the plugin runs; import it at the top of the "
    "module, and build again",
    "open": NO_FILES,
    "raw-open": NO_FILES,
    "data-of-a-package": NO_FILES,
    "descriptor": NO_FILES,
    "folder": NO_FILES,
    "input": "EOFError: EOF when reading a line",
    "time": NO_CLOCK,
    "sleep": NO_CLOCK,
    "broken-down": NO_CLOCK,
    "spent": NO_CLOCK,
    "today": NO_CLOCK,
    "now": NO_CLOCK,
    "urandom": NO_CHANCE,
    "uuid": NO_CHANCE,
    "secret": NO_CHANCE,
    "system-random": NO_CHANCE,
    "unseeded": NO_CHANCE,
    "socket": NO_SOCKETS,
    "connection": NO_SOCKETS,
    "codec-left-behind": "LookupError: unknown encoding: cp437",
}

OUTPUTS = {
    "seeded": 0.6229016948897019,
    "exists": False,
    "environment": {},
    "given-time": "1970-01-02",
    "parse-date": "2026-11-26 00:00:00",
    "codecs": ["fc", "fc", "fc00", "81"],
}


@unittest.skipUnless("WEIR_BINARY" in os.environ, "WEIR_BINARY is not set: see README.md, Inside")
class InTheHost(unittest.TestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-python-")))
        shutil.copytree(PLUGIN, cls.folder, dirs_exist_ok=True)
        (cls.folder / "pyproject.toml").write_text(PROJECT, "utf-8")
        printed = cls.weir("build").stdout
        assert printed.startswith("built misbehaving 1.0.0 from Python"), printed

    @classmethod
    def weir(cls, command: str, *arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `weir plugin COMMAND` in the plugin's folder. Compiled code is kept there too, and so compiled once."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(cls.folder / "cache")}
        line = [os.path.abspath(os.environ["WEIR_BINARY"]), "plugin", command, *arguments]
        done = subprocess.run(
            line,
            cwd=cls.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == code, f"{line} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def outcomes(self, expected: dict[str, Any], *, code: int = 0) -> str:
        """What `weir plugin test` prints, with a case for each way that says what is expected. JSON is YAML too."""
        shutil.rmtree(self.folder / "cases", ignore_errors=True)
        (self.folder / "cases").mkdir()
        for way, outcome in expected.items():
            case = {"transform": {"input": {"way": way}}, "expect": outcome}
            (self.folder / "cases" / f"{way}.yaml").write_text(json.dumps(case), "utf-8")
        return self.weir("test", "--component", "misbehaving.wasm", code=code).stdout

    def invoke(self, way: str, *further: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        arguments = ["misbehaving.wasm", "transform", "--input", "-", *further]
        return self.weir("invoke", *arguments, stdin=json.dumps({"way": way}), code=code)

    def test_an_exception_is_printed_with_its_line(self) -> None:
        lines = (PLUGIN / "src" / "misbehaving.py").read_text("utf-8").splitlines()
        line = 1 + lines.index('    "key": lambda: {}["email"],')
        printed = self.outcomes({"key": {"output": 5}}, code=1)
        self.assertIn("the fault says: KeyError: 'email'\n", printed)
        self.assertIn(f"at misbehaving.py:{line}\n", printed)
        details = json.loads(self.invoke("cause", "--json", code=1).stdout)["actual"]["fault"]["details"]
        self.assertEqual(details["cause"], "KeyError: 'inner'")
        self.assertIn('    raise ValueError("outer") from error\n', details["traceback"])

    def test_what_a_plugin_has_not_is_an_exception_with_a_name(self) -> None:
        fault = {"kind": "internal", "code": "internal"}
        expected = {way: {"fault": {**fault, "message": message}} for way, message in EXCEPTIONS.items()}
        # What README.md says that still traps.
        expected |= {way: {"fault": {"code": "weir.trap"}} for way in ("wait", "end")}
        self.assertIn(f"{len(expected)} cases, 0 failed", self.outcomes(expected))

    def test_what_is_ordinary_works(self) -> None:
        expected: dict[str, Any] = {way: {"output": output} for way, output in OUTPUTS.items()}
        expected["none"] = {"outputs": []}
        self.assertIn(f"{len(expected)} cases, 0 failed", self.outcomes(expected))
        self.assertIn("\\ud800", self.invoke("surrogate").stdout)

    def test_chance_is_the_same_in_every_fresh_call(self) -> None:
        self.assertEqual(self.invoke("random").stdout, self.invoke("random").stdout)

    def test_what_is_printed_and_logged_is_lines_of_the_execution(self) -> None:
        done = self.invoke("lines")
        for line in [
            "log info: printed",
            "log warn: to stderr",
            "log warn: logged well logger=misbehaving",
            "log info: with a field number=5",
            "log info: half a pair: \\ud800",
            "log error: with its exception logger=root exception=ZeroDivisionError: division by zero",
        ]:
            self.assertIn(f"{line}\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
