"""What a plugin supplies that adds files to ``havpn site render``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from havpn_core.plugging.descriptors import PluginType
from havpn_core.site.model.model import Model


@dataclass(frozen=True)
class RenderedFile:
    """One file of a gateway.

    :param path: where it belongs on the gateway, absolute, without ``..``.
    :param text: its content, without secrets: ``{{secret:NAME}}`` stands for one, which is put in
        when the tree is written.
    :param mode: its permission bits; with a secret the owner alone has any.
    :param comment: what begins a comment in it, as the first line becomes one: it says that the
        file was rendered. A file of a kind without comments cannot be rendered.
    :raises ValueError: for what is none of these.
    """

    path: str
    text: str
    mode: int = 0o644
    comment: str = "#"

    def __post_init__(self) -> None:
        path = PurePosixPath(self.path)
        if not path.is_absolute() or ".." in path.parts or self.path in ("/", "//"):
            raise ValueError(f"{self.path!r} is no absolute path of a file")
        if self.path != str(path) or not self.path.isprintable():
            raise ValueError(f"{self.path!r} is no plain path: write {str(path)!r}")
        if not 0 <= self.mode <= 0o777:
            raise ValueError(f"{self.path}: {self.mode:o} are no permission bits: write 0o644")
        if not re.fullmatch(r"\S{1,4}", self.comment) or not self.comment.isprintable():
            raise ValueError(f"{self.path}: {self.comment!r} begins no comment: write as '#'")


class Renderer(Protocol):
    """Makes files of one kind for a gateway; a plain object without a ``close``.

    The same model gives the same files, in the same order: no clock, no random numbers, no host.
    """

    def files(self, model: Model, gateway: str) -> Iterable[RenderedFile]:
        """Give the files of one gateway; none where it has nothing to add.

        :raises ValueError: if the model cannot be rendered so; the sentence names key and remedy.
        """


@dataclass(frozen=True)
class RendererType(PluginType):
    """A kind of files; ``build(config, context)`` gives a :class:`Renderer`.

    A type that the site file names, such as ``[renderer.NAME]``, renders; its options stand there.
    """
