"""Check what is rendered by the programs that will read it, as far as they are on this host.

Nothing is loaded into what runs: ``nft`` gets a dry run, Pacemaker's programs a file of their own,
and strongSwan, which can only load, a charon of its own.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from havpn_core.config.check import MISSING, build
from havpn_core.config.read import enabled_plugins, plugin_folder
from havpn_core.errors import ConfigError
from havpn_core.host.execute import environment
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site import charon
from havpn_core.site.drift.settings import settings_of

CALL_S = 30
SAID = 5
"""Lines of a program's complaint that are shown."""
SBIN = ":/usr/sbin:/sbin"
EMPTY = """<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0" \
crm_feature_set="3.16.0" have-quorum="1" dc-uuid="1"><configuration><crm_config>
<cluster_property_set id="cib-bootstrap-options">
<nvpair id="stonith" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes/><resources/><constraints/></configuration><status/></cib>"""
"""The configuration of a cluster, with nothing in it."""
NO_AGENT = ("is not installed or does not provide valid metadata",)
DENIED = ("operation not permitted", "permission denied", "must be root")


class Outcome(StrEnum):
    """What happened to a file."""

    GOOD = "good"
    WRONG = "wrong"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Checked:
    """One file of one gateway.

    :param program: what read it, or would.
    :param text: what is wrong, or why it was not read by it; empty where it is good.
    """

    gateway: str
    path: str
    program: str
    outcome: Outcome
    text: str = ""

    def __str__(self) -> str:
        """Give the line that people read."""
        said = f": {self.text}" if self.text else ""
        return f"{self.gateway}: {self.path}: {self.outcome} by {self.program}{said}"


def summary(results: Sequence[Checked]) -> list[str]:
    """Give one line for what is the same on several gateways, what is wrong first."""
    gateways: dict[tuple[Outcome, str, str, str], list[str]] = {}
    for each in results:
        said = (each.outcome, each.path, each.program, each.text)
        gateways.setdefault(said, []).append(each.gateway)
    order = (Outcome.WRONG, Outcome.UNCHECKED, Outcome.GOOD)
    every = {each.gateway for each in results}
    names = {
        said: "all gateways" if every == {*these} else ", ".join(these)
        for said, these in gateways.items()
    }
    return [
        str(Checked(names[said], said[1], said[2], said[0], said[3]))
        for said in sorted(gateways, key=lambda said: order.index(said[0]))
    ]


Verdict = tuple[str, Outcome, str]
"""A program, what it made of a file, and its words."""


def checked(rendered: Mapping[str, Sequence[RenderedFile]]) -> list[Checked]:
    """Check the files of all gateways; what no program reads before it is in force is not in it.

    :param rendered: with places for secrets, which no program minds.
    """
    found = []
    known: dict[tuple[str, str], list[Verdict]] = {}
    with tempfile.TemporaryDirectory(prefix="havpn-check-") as folder:
        for gateway, files in rendered.items():
            for file in files:
                if (file.path, file.text) not in known:  # both gateways of a cluster have one
                    draft = Path(folder) / f"{gateway}-{PurePosixPath(file.path).name}"
                    draft.write_text(file.text, encoding="utf-8")
                    known[file.path, file.text] = list(_verdicts(file, draft))
                found += [Checked(gateway, file.path, *e) for e in known[file.path, file.text]]
    return found


def _verdicts(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    for begin, end, check in CHECKS:
        if file.path.startswith(begin) and file.path.endswith(end):
            for program, outcome, text in check(file, draft):
                yield program, outcome, text.replace(str(draft), file.path)


def _havpn(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    """Do what ``havpn check`` does with what does not depend on the host."""
    try:
        raw = tomllib.loads(file.text)
        build(raw, Registry.load(enabled_plugins(raw), plugin_folder(raw)), Path(file.path))
    except ConfigError as problem:
        wrong = [text for text in problem.problems if not text.endswith(MISSING)]
        if wrong:
            yield "havpn check", Outcome.WRONG, "; ".join(wrong)
            return
        text = "[metrics] needs prometheus-client, which is not on this host"
        yield "havpn check", Outcome.UNCHECKED, text
    except (ValueError, RecursionError) as problem:
        yield "havpn check", Outcome.WRONG, f"is no valid TOML: {problem}"
    else:
        yield "havpn check", Outcome.GOOD, ""


def _nft(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    yield _run("nft", ["nft", "--check", "--file", str(draft)])


def _swanctl(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    """Read the file, and load it into a charon of its own."""
    try:
        settings_of(file.text)
    except ValueError as problem:
        yield "havpn", Outcome.WRONG, str(problem)
    else:
        yield "havpn", Outcome.GOOD, "its form alone"
    yield _loaded(file, draft)


def _loaded(file: RenderedFile, draft: Path) -> Verdict:
    daemon, here = charon.find(), shutil.which("swanctl", path=_search_path())
    if here is None or daemon is None:
        what = "it is" if here is None else "charon is"
        return "swanctl", Outcome.UNCHECKED, f"{what} not on this host"
    conf = draft.with_name("strongswan.conf")
    conf.write_text(charon.settings(), encoding="utf-8")
    text, certified = charon.harmless(file.text)
    draft.write_text(text, encoding="utf-8")
    program, outcome, said = _run("swanctl", charon.command(daemon, conf, draft))
    if outcome is Outcome.WRONG and charon.READY not in said:
        outcome, said = Outcome.UNCHECKED, charon.NOT_READY
    elif outcome is Outcome.WRONG:
        said = said.removeprefix(f"{charon.READY}; ")
    elif certified and outcome is Outcome.GOOD:
        said = "but for its certificates"
    return program, outcome, said


def _crm(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    """Load it into a configuration of no cluster, and have that verified."""
    yield from _cluster(draft, "crm", [["crm", "-F", "configure", "load", "update", str(draft)]])


def _pcs(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    cib = _cib_of(draft)
    lines = file.text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    calls = [["pcs", "-f", str(cib), *each[1:]] for each in words if each and each[0] == "pcs"]
    yield from _cluster(draft, "pcs", calls)


def _cluster(draft: Path, program: str, calls: Sequence[list[str]]) -> Iterator[Verdict]:
    cib = _cib_of(draft)
    cib.write_text(EMPTY, encoding="utf-8")
    env = {"CIB_file": str(cib)}
    beside = ""
    for argv in calls:
        verdict = _run(program, argv, env)
        if any(word in verdict[2] for word in NO_AGENT):
            verdict = _run(program, [*argv, "--force"], env)
            beside = "but for the parameters of agents that are not on this host"
        if verdict[1] is not Outcome.GOOD:
            yield verdict
            return
    yield program, Outcome.GOOD, beside
    yield _run("crm_verify", ["crm_verify", "--xml-file", str(cib)], env)


def _cib_of(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.cib.xml")


def _heartbeat(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    yield "heartbeat", Outcome.UNCHECKED, "it has no program that checks it"


def _conntrackd(file: RenderedFile, draft: Path) -> Iterator[Verdict]:
    yield "conntrackd", Outcome.UNCHECKED, "it has no program that checks it"


CHECKS: tuple[tuple[str, str, Callable[[RenderedFile, Path], Iterator[Verdict]]], ...] = (
    ("/etc/havpn/", "/havpn.toml", _havpn),
    ("/", ".nft", _nft),
    ("/etc/swanctl/", ".conf", _swanctl),
    ("/", ".crm", _crm),
    ("/", ".pcs", _pcs),
    ("/etc/ha.d/", "", _heartbeat),
    ("/etc/conntrackd/", "", _conntrackd),
)
"""Beginning and end of a file's path, and what checks it."""


def _search_path() -> str:
    """Give where programs are looked for, also by one without sbin on its PATH."""
    return f"{os.environ.get('PATH', '')}{SBIN}"


def _run(program: str, argv: list[str], env: Mapping[str, str] | None = None) -> Verdict:
    """Run a program; its last words say what is wrong."""
    path = _search_path()
    if (found := shutil.which(argv[0], path=path)) is None:
        return program, Outcome.UNCHECKED, "it is not on this host"
    try:
        ended = subprocess.run(
            [found, *argv[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment(), **(env or {}), "PATH": path},
            timeout=CALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return program, Outcome.UNCHECKED, f"it did not end within {CALL_S} s"
    except OSError as problem:
        return program, Outcome.UNCHECKED, f"it cannot be started: {problem.strerror}"
    if ended.returncode == 0:
        return program, Outcome.GOOD, ""
    said = (ended.stderr + ended.stdout).decode(errors="replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()][:SAID]
    if any(word in said.lower() for word in DENIED):
        return program, Outcome.UNCHECKED, "it needs root"
    return program, Outcome.WRONG, "; ".join(lines) or f"status {ended.returncode}"
