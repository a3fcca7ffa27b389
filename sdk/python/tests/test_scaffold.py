"""The templates, filled in as `weir plugin new` does: their tests pass, and the build finds nothing to mend."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SDK = Path(__file__).parent.parent


def fill(template: Path, folder: Path, name: str) -> None:
    """Writes every file of a template with its names in place."""
    values = {"{{name}}": name, "{{module}}": name.replace("-", "_"), "{{owner}}": "you@example.com"}
    for source in template.rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            path, text = str(source.relative_to(template)), source.read_text("utf-8")
            for word, value in values.items():
                path, text = path.replace(word, value), text.replace(word, value)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")


class Templates(unittest.TestCase):
    def test_a_filled_template_is_a_plugin(self) -> None:
        for kind in ("mapper", "connector"):
            with self.subTest(kind), tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                fill(SDK / "scaffold" / kind, folder, "my-first")
                left = [path for path in folder.rglob("*") if path.is_file() and "{{" in path.read_text("utf-8")]
                self.assertEqual(left, [])
                path = {"PYTHONPATH": f"{SDK / 'src'}:src"}
                for arguments in (["unittest", "discover", "-s", "tests"], ["weir_sdk.build", "--check", "."]):
                    command = [sys.executable, "-m", *arguments]
                    done = subprocess.run(command, cwd=folder, env=path, capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
