"""A real Weir for the tests: a project in a folder of its own, the plugins built and their manifests embedded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).parents[3]
SDK = ROOT / "sdk" / "python"

# Compiling 20 MB of WebAssembly takes a minute on a busy machine, and there are four plugins.
START_SECONDS_MAX = 600


def build(folder: Path, output: Path) -> None:
    """Builds a plugin, and embeds its manifest as `weir plugin build` does."""
    environment = {**os.environ, "PYTHONPATH": str(SDK / "src")}
    component = output.with_suffix(".component")
    command = [sys.executable, "-m", "weir_sdk.build", str(folder), "-o", str(component)]
    subprocess.run(command, env=environment, check=True)
    embed(component, folder, output)
    component.unlink()


def embed(component: Path, folder: Path, output: Path) -> None:
    """The component with the manifest in it, as a custom section."""
    manifest = tomllib.loads((folder / "weir-plugin.toml").read_text("utf-8"))
    for part in (manifest.get("mapper", {}), *manifest.get("actions", {}).values()):
        for key in ("input", "output", "options"):
            if key in part:
                part[key] = json.loads((folder / part[key]).read_text("utf-8"))
    name = b"weir:manifest"
    content = _length(len(name)) + name + json.dumps(manifest).encode()
    output.write_bytes(component.read_bytes() + b"\0" + _length(len(content)) + content)


def _length(number: int) -> bytes:
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


class HelpDesk(ThreadingHTTPServer):
    """A stand-in for the help desk: it keeps tickets, and loses the answer to a ticket whose subject asks for it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.tickets: list[dict[str, Any]] = []
        self.requests: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Desk(BaseHTTPRequestHandler):
    server: HelpDesk
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.server.requests.append(f"GET {self.path}")
        reference = query.get("reference", [None])[0]
        found = [ticket for ticket in self.server.tickets if ticket["reference"] == reference]
        self._answer(200, {"results": found})

    def do_POST(self) -> None:
        ticket = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(f"POST {self.path} {self.headers['Authorization']}")
        ticket["id"] = len(self.server.tickets) + 1
        self.server.tickets.append(ticket)
        if ticket["subject"] == "lose the answer":
            self.close_connection = True
            return
        self._answer(201, ticket)

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """The tests look at `requests`."""


class Weir:
    """A running Weir on a project that is made of texts by their file names."""

    def __init__(self, binary: str, files: dict[str, str], plugins: dict[str, Path]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="weir-python-"))
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        (self.folder / "plugins").mkdir()
        for name, folder in plugins.items():
            build(folder, self.folder / "plugins" / f"{name}.wasm")

    def __enter__(self) -> Self:
        log = (self.folder / "up.log").open("wb")
        environment = {**os.environ, "HELPDESK_TOKEN": "t0ken"}
        command = [self._binary, "--dir", str(self.folder), "up"]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + START_SECONDS_MAX
        while "is ready" not in (self.folder / "up.log").read_text("utf-8"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "up.log").read_text("utf-8"))
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What a command prints."""
        command = [self._binary, "--dir", str(self.folder), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", timeout=120, check=False)
        if done.returncode:
            raise AssertionError(f"weir {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def send(self, flow: str, data: str) -> dict[str, Any]:
        """Sends an event, and gives its execution when it rests."""
        sent = json.loads(self.run("--json", "event", "send", "--flow", flow, "--data", "-", stdin=data))
        return self._at_rest(sent["event"].replace("evt_", "exe_") + "-0")

    def executions(self, event: str) -> list[dict[str, Any]]:
        """All executions of an event, at rest."""
        listed = json.loads(self.run("--json", "execution", "list"))["executions"]
        return [self._at_rest(each["id"]) for each in listed if each["event"] == event]

    def _at_rest(self, execution: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            shown: dict[str, Any] = json.loads(self.run("--json", "execution", "show", execution))
            if shown["state"] in ("finished", "parked", "dead"):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{execution} does not come to rest")
