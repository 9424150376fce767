"""``ipsec``: a CHILD_SA of strongSwan is installed with the right selectors.

Requests go to charon over VICI, about ten times a second at most; charon itself reports when an
SA goes or comes. A check gives what is known at that moment and never waits for charon but for
the first time: a slow charon is not a slow line. Where charon gives no reply nothing is known of
the tunnel, for the SAs in the kernel go on without it: that is ``ERROR``.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from havpn_core import ConfigError, Context, Diagnosis, ProbeType, Sample, hookimpl

from ._ipsec.sas import Finding, Wanted, concerns, judge, networks
from ._ipsec.vici import INSTALL, Charon, library

SCHEME = "unix://"
FIRST_SHARE = 0.8
"""Share of the timeout for which the very first check waits for charon."""
LONGEST_PATH = 107
"""Bytes that a socket's path may have, unix(7)."""


class IpsecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``ipsec``.

    :raises ValueError: for a selector that is no network and a socket that is no path.
    """

    child: Annotated[str, msgspec.Meta(min_length=1, description="name of the CHILD_SA")]
    connection: (
        Annotated[
            str,
            msgspec.Meta(min_length=1, description="name of its IKE_SA; any if not given"),
        ]
        | None
    ) = None
    local_ts: Annotated[
        list[str],
        msgspec.Meta(description="networks that the CHILD_SA's local selectors must hold"),
    ] = []
    remote_ts: Annotated[
        list[str],
        msgspec.Meta(description="networks that the CHILD_SA's remote selectors must hold"),
    ] = []
    socket: Annotated[str, msgspec.Meta(description="charon's VICI socket")] = (
        "unix:///var/run/charon.vici"
    )

    def __post_init__(self) -> None:
        networks(self.local_ts, "local_ts")
        networks(self.remote_ts, "remote_ts")
        path = self.path
        if not path.startswith("/") or "\0" in path or len(path.encode()) > LONGEST_PATH:
            raise ValueError(
                f"socket: {self.socket!r} is no path of a socket: "
                "write it as unix:///var/run/charon.vici"
            )

    @property
    def path(self) -> str:
        """The socket's file."""
        return self.socket.removeprefix(SCHEME)


class Ipsec:
    """A probe that knows a CHILD_SA's state.

    :raises ConfigError: without the library ``vici``.
    """

    def __init__(self, options: IpsecOptions, context: Context) -> None:
        self._context = context
        self._wanted = Wanted(
            options.child,
            options.connection,
            networks(options.local_ts, "local_ts"),
            networks(options.remote_ts, "remote_ts"),
        )
        filters = {"child": options.child}
        if options.connection is not None:
            filters["ike"] = options.connection
        self._charon = Charon(
            options.path,
            filters,
            context.clock,
            listed=self._take,
            lost=self._forget,
            matters=lambda message: concerns(self._wanted, message),
        )
        self._finding: Finding | None = None
        self._tell: Callable[[Sample, int], None] = lambda sample, lost: None
        self._doubted = self._closed = False
        self._first: asyncio.Event | None = None

    async def check(self, timeout_s: float) -> Sample:
        """Say what is known of the CHILD_SA; see :class:`havpn_core.Probe`."""
        if self._closed:
            return Sample.error("closed")
        if self._first is None:
            self._first = asyncio.Event()
        self._charon.look()
        if not self._first.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s * FIRST_SHARE):
                    await self._first.wait()
            self._first.set()  # from now on a check waits for nothing
        return self._sample(timeout_s)

    def tell_arrivals(self, tell: Callable[[Sample, int], None]) -> None:
        """Report to ``tell`` that a CHILD_SA is gone; see :class:`havpn_core.Arriving`."""
        self._tell = tell

    def facts(self) -> dict[str, Any]:
        """Give state, traffic and selectors of the CHILD_SA as charon last listed them."""
        found = self._finding.facts if self._finding else {}
        return {"charon": self._charon.trouble or "reachable", **found}

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Look for the CHILD_SA once; see :class:`havpn_core.Diagnosing`."""
        sample = await self.check(timeout_s)
        if self._charon.trouble or self._finding is None:
            remedy = "see systemctl status strongswan, and whether its plugin vici has the socket"
            return [Diagnosis.failed(sample.detail, remedy)]
        if not self._finding.ok:
            remedy = (
                f"run swanctl --initiate --child {self._wanted.child}, which says why it fails; "
                "compare swanctl --list-conns on both ends"
            )
            return [Diagnosis.failed(sample.detail, remedy)]
        return [Diagnosis.good(f"CHILD_SA {self._wanted.child} is {sample.detail}")]

    async def close(self) -> None:
        """Close the connection; on the loop, which a plain method would not be called on."""
        self._closed = True
        self._charon.close()

    def _sample(self, timeout_s: float) -> Sample:
        if self._charon.trouble:
            return Sample.error(f"charon is not reachable: {self._charon.trouble}")
        waited_s = self._charon.waited_s
        if self._finding is None or waited_s >= timeout_s:
            return Sample.error(f"charon has not replied for {waited_s:.1f} s")
        if not self._finding.ok:
            return Sample.fail(self._finding.words)
        return Sample.ok(detail=self._finding.words)

    def _take(self, rows: list[Mapping[str, Any]]) -> None:
        """Take a whole listing; that a CHILD_SA is gone must be in two of them.

        Charon lists one IKE_SA after the other. While an IKE_SA is rekeyed its CHILD_SAs move to
        a new one, and a listing may see the new one before and the old one after that.
        """
        before, found = self._finding, judge(self._wanted, rows)
        if not found.ok and (before is None or before.ok) and not self._doubted:
            self._doubted = True
            self._charon.look(now=True)
            return
        self._doubted, self._finding = False, found
        if self._first is not None:
            self._first.set()
        if before is not None and before.ok and not found.ok and not self._closed:
            self._tell(Sample.fail(found.words), 0)

    def _forget(self) -> None:
        """Know nothing any more: who comes back may have other SAs."""
        self._doubted, self._finding = False, None
        if self._first is not None:
            self._first.set()


def _missing(options: IpsecOptions) -> list[str]:
    """Say what a probe would miss on this host."""
    try:
        library()
    except ConfigError:
        return [INSTALL]
    if not Path(options.path).is_socket():
        return [
            f"{options.path} is no socket: start strongSwan, with its plugin vici, or correct the "
            "option socket"
        ]
    return []


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType(
        "ipsec", "CHILD_SA of strongSwan installed", IpsecOptions, Ipsec, missing=_missing
    )
