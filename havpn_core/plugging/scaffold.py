"""``havpn plugin new``: a whole package with one plugin, which passes its own tests at once."""

import re
from pathlib import Path
from string import Template

from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import NAME
from havpn_core.version import __version__

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "havpn-$name"
version = "0.1.0"
description = "$title for HA-VPN"
readme = "README.md"
requires-python = ">=3.11"
license = "MIT"
dependencies = ["havpn>=$version,<$next"]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.entry-points.havpn]
$name = "$module"

[tool.setuptools]
py-modules = ["$module"]
"""
README = """\
# havpn-$name

$title for [HA-VPN](https://pypi.org/project/havpn/).

    pip install havpn-$name

Then, in `/etc/havpn/havpn.toml`:

```toml
[plugins]
enable = ["$name"]

$example
```

`havpn check` says whether all is well, `havpn plugin check $name` what it provides.

To work on it: `pip install --editable '.[test]' && pytest`.
"""
CI = """\
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.12", "3.13"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: $${{ matrix.python }}
      - run: pip install --editable '.[test]'
      - run: pytest
"""
LICENCE = """\
MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

MODULES = {
    "probe": '''\
"""The probe ``$name``: a file that somebody keeps fresh."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from havpn_core import Context, Duration, ProbeType, Sample, hookimpl
from msgspec import Meta, Struct


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``$name``."""

    file: Annotated[str, Meta(min_length=1, description="the file to look at")]
    max_age: Annotated[Duration, Meta(description="age from which it is stale")] = Duration(10)


class $cls:
    """Looks once for each question. A plain ``def`` runs in a thread, so it may block."""

    def __init__(self, options: Options, context: Context) -> None:
        self._options = options

    def check(self, timeout_s: float) -> Sample:
        try:
            age = time.time() - Path(self._options.file).stat().st_mtime
        except OSError as problem:
            return Sample.fail(str(problem))
        return Sample.ok() if age <= self._options.max_age else Sample.fail(f"{age:.0f} s old")

    def close(self) -> None: ...


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    yield ProbeType("$name", "Whether a file is fresh", Options, $cls)
''',
    "action": '''\
"""The action ``$name``: the role, written into a file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from havpn_core import ActionError, ActionType, Context, Role, hookimpl
from msgspec import Meta, Struct


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``$name``."""

    file: Annotated[str, Meta(min_length=1, description="the file that holds the role")]


class $cls:
    """Plain methods run in a thread of their own, so they may block."""

    def __init__(self, options: Options, context: Context) -> None:
        self._file = Path(options.file)

    def apply(self, role: Role, timeout_s: float) -> None:
        try:
            self._file.write_text(role.value)
        except OSError as problem:
            raise ActionError(str(problem)) from None

    def observe(self) -> Role | None:
        text = self._file.read_text() if self._file.exists() else "standby"
        return Role(text) if text in ("active", "standby") else None

    def close(self) -> None: ...


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    yield ActionType("$name", "The role in a file", Options, $cls)
''',
    "notifier": '''\
"""The notifier ``$name``: a line in a file for each event."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from havpn_core import Context, Event, NotifierType, hookimpl
from msgspec import Meta, Struct


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``$name``."""

    file: Annotated[str, Meta(min_length=1, description="the file that gets the lines")]


class $cls:
    """A plain method runs in a thread of its own, so it may block."""

    def __init__(self, options: Options, context: Context) -> None:
        self._file = Path(options.file)

    def notify(self, event: Event, timeout_s: float) -> None:
        """What goes wrong is raised: havpn counts it and says so."""
        with self._file.open("a") as file:
            print(event.at.isoformat(), event.node, event, file=file)

    def close(self) -> None: ...


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    yield NotifierType("$name", "A line in a file", Options, $cls)
''',
    "link": '''\
"""The link ``$name``: the partner heartbeat over a pair of local sockets."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from typing import Annotated

from havpn_core import Context, LinkType, hookimpl
from msgspec import Meta, Struct


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``$name``."""

    own: Annotated[str, Meta(min_length=1, description="path of this gateway's socket")]
    peer: Annotated[str, Meta(min_length=1, description="path of the partner's socket")]


class $cls:
    def __init__(self, options: Options, context: Context) -> None:
        self._peer, self._loop = options.peer, asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(options.own)
        self._loop.add_reader(self._socket, lambda: context.received(self._socket.recv(512)))

    def send(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):  # lost, as on any line; the next one follows soon
            self._socket.sendto(frame, self._peer)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()


@hookimpl
def havpn_register_links() -> Iterable[LinkType]:
    yield LinkType("$name", "Local sockets", Options, $cls)
''',
}
TESTS = {
    "probe": '''\
"""What HA-VPN asks of a probe, and what this one is for."""

from havpn_core.testing import check_probe_type, plugin_type

import $module


def test_contract(tmp_path):
    fresh = tmp_path / "fresh"
    fresh.touch()
    check_probe_type(
        plugin_type($module, "probe", "$name"),
        reachable={"file": str(fresh)},
        unreachable={"file": str(tmp_path / "missing")},
        hostile=[{"file": "x", "max_age": "soon"}],
    )


def test_three_failures_take_the_path_down(havpn_path):
    assert [str(verdict.value) for _, verdict in havpn_path("..xxx", fall=3)][-1] == "down"
''',
    "action": '''\
"""What HA-VPN asks of an action."""

from havpn_core import Role
from havpn_core.testing import check_action_type, plugin_type

import $module


def test_contract(tmp_path):
    file = tmp_path / "role"
    check_action_type(
        plugin_type($module, "action", "$name"),
        config={"file": str(file)},
        held=lambda: Role(file.read_text()),
        hostile=[{"file": ""}],
    )
''',
    "notifier": '''\
"""What HA-VPN asks of a notifier."""

from havpn_core.testing import check_notifier_type, plugin_type

import $module


def test_contract(tmp_path):
    file = tmp_path / "events"
    check_notifier_type(
        plugin_type($module, "notifier", "$name"),
        config={"file": str(file)},
        delivered=lambda: len(file.read_text().splitlines()) if file.exists() else 0,
        failing={"file": str(tmp_path / "no folder" / "events")},
        hostile=[{"file": ""}],
    )
''',
    "link": '''\
"""What HA-VPN asks of a link."""

from havpn_core.testing import check_link_type, plugin_type

import $module


def test_contract(tmp_path):
    left, right = str(tmp_path / "left"), str(tmp_path / "right")
    check_link_type(
        plugin_type($module, "link", "$name"),
        ends=({"own": left, "peer": right}, {"own": right, "peer": left}),
        hostile=[{"own": "", "peer": right}],
    )
''',
}
EXAMPLES = {
    "probe": '[path.vpn1.probe.own]\ntype = "$name"\nfile = "/run/fresh"',
    "action": '[action.own]\ntype = "$name"\nfile = "/run/role"',
    "notifier": '[notifier.own]\ntype = "$name"\nfile = "/var/log/events"',
    "link": '[pair.link.own]\ntype = "$name"\nown = "/run/own"\npeer = "/run/peer"',
}
LONGEST_NAME = 40


def write_package(name: str, kind: str, folder: Path) -> Path:
    """Write the package ``havpn-NAME`` into a folder; gives its own folder.

    :param kind: ``probe``, ``action``, ``notifier`` or ``link``.
    :raises HavpnError: if the name is none for a plugin, or something is there already.
    """
    if not NAME.match(name) or len(name) > LONGEST_NAME or name.endswith("-"):
        raise HavpnError(
            f"{name!r} is no name for a plugin: small letters, digits and hyphens, a letter first"
        )
    if name.startswith("havpn-"):
        raise HavpnError(f"{name!r}: leave havpn- out, the package gets it by itself")
    made = folder / f"havpn-{name}"
    try:
        made.mkdir(parents=True)
        for place, text in files(name, kind).items():
            file = made / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise HavpnError(f"{made} is there already: nothing was changed") from None
    except OSError as problem:
        raise HavpnError(f"{made}: {problem.strerror or problem}") from None
    return made


def files(name: str, kind: str) -> dict[str, str]:
    """Give the package's files and their texts."""
    module = f"havpn_{name.replace('-', '_')}"
    major, minor, *_ = __version__.split(".")
    words = {
        "name": name,
        "module": module,
        "cls": "".join(part.capitalize() for part in re.split("-", name)),
        "title": f"A {kind} type" if kind != "action" else "An action type",
        "version": f"{major}.{minor}",
        "next": str(int(major) + 1),
    }
    words["example"] = Template(EXAMPLES[kind]).substitute(words)
    found = {
        "pyproject.toml": PYPROJECT,
        "README.md": README,
        "LICENSE": LICENCE,
        f"{module}.py": MODULES[kind],
        f"tests/test_{module}.py": TESTS[kind],
        ".github/workflows/test.yml": CI,
    }
    return {place: Template(text).substitute(words) for place, text in found.items()}
