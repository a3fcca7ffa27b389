"""The ways that are closed before the first call: in a process of its own, because they stay closed."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src"

PROGRAM = """
import io, logging, os, sys, time
from weir_sdk import log, sandbox

sandbox.guard()
import random, socket
from datetime import datetime as Moment
from os import urandom
from time import gmtime, time as now

class Formatter(logging.Formatter):
    converter = gmtime

# Works in a call too, for it is told its time and its seed.
def uses():
    return Formatter().converter(0).tm_year == 1970 and random.Random(5).random() == random.Random(5).random()

assert now() > 0 and len(urandom(4)) == 4 and open(os.devnull).read() == "" and io.FileIO(os.devnull).read() == b""
assert gmtime().tm_year > 2000 and Moment.now().year > 2000 and random.Random().random() < 1 and uses()
socket.socket().close()
real = sys.stdout
sandbox.prepare()
sandbox.seal()
lines = []
log.use(lambda level, message, fields: lines.append((level, message, dict(fields))))
for call in (
    now, time.sleep, gmtime, time.process_time, Moment.now, type("Own", (Moment,), {}).utcnow,
    urandom, random.seed, random.Random, random.SystemRandom().random,
    lambda: open("x"), lambda: io.FileIO("x"), lambda: os.stat("."), lambda: os.write(1, b""),
    socket.socket, lambda: socket.create_connection(("127.0.0.1", 9)), input, lambda: __import__("colorsys"),
):
    try:
        call()
    except Exception as error:
        real.write(f"{type(error).__name__}: {error}\\n")
assert uses()
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
        expected = ["RuntimeError"] * 10 + ["PermissionError"] * 6 + ["EOFError", "ModuleNotFoundError"]
        self.assertEqual(kinds, expected)
        self.assertIn("`colorsys` is imported while the plugin runs", lines[-2])
        written = "[('info', 'a line', {}), ('warn', 'off by 1', {'logger': 'x'})]"
        self.assertEqual(lines[-1], written)
