"""What happened to a plugin: whether it is loaded, what it supplies, and why it is not used."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from havpn_core.plugging.sources.files import PluginFile, shown

KIND_NAMES = ("probe", "action", "notifier", "link", "renderer")


class PluginStatus(StrEnum):
    """What happened to a plugin."""

    ACTIVE = "active"
    AVAILABLE = "available"  #: installed, not enabled
    FAILED = "failed"
    DUPLICATE = "duplicate"


@dataclass(slots=True)
class Record:
    """What happened to one plugin.

    :param error: why, where it is neither active nor available.
    :param file: of a plugin that is a single file.
    :param changed: that file is another one than when it was loaded.
    """

    name: str
    version: str
    distribution: str
    module: str
    status: PluginStatus
    provides: dict[str, list[str]] = field(
        default_factory=lambda: {kind: [] for kind in KIND_NAMES}
    )
    error: str | None = None
    bundled: bool = False
    file: Path | None = None
    changed: bool = False

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        if self.file is not None:
            return shown(self.file)
        return "bundled" if self.bundled else f"{self.distribution} {self.version}"

    @property
    def place(self) -> str:
        """What supplies it: a distribution, or a file."""
        return str(self.file or self.distribution)

    def spoil(self, status: PluginStatus, error: str) -> None:
        """Mark it as unusable."""
        self.status, self.error = status, error


def of_file(plugin: PluginFile, names: dict[str, str]) -> Record:
    """Record a single file.

    :param names: those that are taken, and by what.
    """
    record = Record(
        plugin.name, plugin.version, "", str(plugin.file), PluginStatus.AVAILABLE,
        file=plugin.file, changed=plugin.changed,
    )  # fmt: skip
    if plugin.refused:
        record.spoil(PluginStatus.FAILED, plugin.refused)
    elif plugin.name in names:
        record.spoil(
            PluginStatus.DUPLICATE,
            f"{plugin.file} and {names[plugin.name]} both have the name {plugin.name!r}: rename "
            "the file",
        )
    return record
