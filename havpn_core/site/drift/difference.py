"""Pure: one thing in which a gateway is not what the site file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class What(StrEnum):
    """Kinds of differences."""

    MISSING = "missing"
    CHANGED = "changed"
    ADDITIONAL = "additional"
    SECRET = "secret"
    READABLE = "readable"
    UNREADABLE = "unreadable"
    STATUS = "status"
    TUNNEL = "tunnel"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Difference:
    """One difference.

    :param gateway: where it is.
    :param place: the file, as on the gateway, or ``status``, ``tunnel NAME``, ``gateway``.
    :param text: what is different, without any secret.
    :param remedy: what to do.
    :param lines: of a file: how the text differs, such as ``diff -u`` says it, without any secret.
    """

    gateway: str
    place: str
    what: What
    text: str
    remedy: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give the line that people read."""
        return f"{self.gateway}: {self.place}: {self.text}: {self.remedy}"


class Wanted(Protocol):
    """A file as it is rendered, as :class:`~havpn_core.plugging.rendering.RenderedFile` is one."""

    @property
    def path(self) -> str:
        """Where it belongs on the gateway."""

    @property
    def text(self) -> str:
        """Its text, with places for secrets."""

    @property
    def mode(self) -> int:
        """Its permission bits."""


@dataclass(frozen=True)
class FoundFile:
    """A file as it was found.

    :param content: ``None``: it is there and cannot be read.
    :param mode: its permission bits.
    :param trouble: why it cannot be read.
    """

    content: bytes | None
    mode: int = 0o644
    trouble: str = ""


@dataclass(frozen=True)
class Trouble:
    """Why something cannot be looked at that must be there, and what to do.

    :param place: ``status``, ``tunnels``, or ``gateway`` where nothing can be looked at.
    """

    place: str
    text: str
    remedy: str


GATEWAY = "gateway"


@dataclass(frozen=True)
class Found:
    """A gateway as it was found.

    :param files: by their place on the gateway: those that are rendered, as far as they are there,
        and others with the mark of HA-VPN.
    :param status: of the daemon there, such as ``havpn status --json`` prints it.
    :param connections: what charon has loaded, such as ``swanctl --list-conns --raw`` prints it.
    :param unseen: what could not be compared, and why, where it need not be there.
    """

    files: Mapping[str, FoundFile] = field(default_factory=dict)
    status: Mapping[str, Any] | None = None
    connections: str | None = None
    troubles: tuple[Trouble, ...] = ()
    unseen: tuple[str, ...] = ()
