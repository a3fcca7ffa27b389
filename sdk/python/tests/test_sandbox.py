"""The ways that are closed before the first call: in a process of its own, because they stay closed."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src"

PROGRAM = """
import builtins, io, logging, os, sys, time
from weir_sdk import log, sandbox

sandbox.guard()
from os import urandom
from time import time as now
assert now() > 0 and len(urandom(4)) == 4 and open(os.devnull).read() == ""
real = sys.stdout
sandbox.prepare()
sandbox.seal()
lines = []
log.use(lambda level, message, fields: lines.append((level, message, dict(fields))))
for call in (now, time.sleep, urandom, open, io.open, lambda: os.stat("."), lambda: __import__("colorsys")):
    try:
        call()
    except Exception as error:
        real.write(f"{type(error).__name__}: {error}\\n")
print("a", "line")
logging.getLogger("x").warning("off by %d", 1)
real.write(f"{lines}\\n")
real.flush()
"""


class Sealed(unittest.TestCase):
    def test_what_a_plugin_has_not_is_an_exception_that_says_so(self) -> None:
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, env={"PYTHONPATH": str(SOURCES)}, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        kinds = [line.partition(":")[0] for line in lines[:-1]]
        expected = ["RuntimeError"] * 3 + ["PermissionError"] * 3 + ["ModuleNotFoundError"]
        self.assertEqual(kinds, expected)
        self.assertIn("`colorsys` is imported while the plugin runs", lines[-2])
        written = "[('info', 'a line', {}), ('warn', 'off by 1', {'logger': 'x'})]"
        self.assertEqual(lines[-1], written)
