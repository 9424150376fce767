"""Say in a sentence why the system refused a file, and what to do about it."""

import errno
import os
from pathlib import Path

from havpn_core.errors import HavpnError

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.EFBIG: "the limit on the size of files is too low: raise it (ulimit -f)",
    errno.EROFS: "the file system is read-only: mount it writable",
    errno.EACCES: "not permitted: run as root, or as the user that owns it",
    errno.EPERM: "not permitted: run as root, or as the user that owns it",
    errno.EISDIR: "a folder is in its place: move it away",
    errno.ENOTDIR: "a part of its path is no folder: move that away",
    errno.EEXIST: "a part of its path is no folder: move that away",
    errno.ENOENT: "a folder of its path is not there: make it",
    errno.ENAMETOOLONG: "its path is too long: choose a shorter one",
    errno.ELOOP: "a symbolic link is in its place, which is not followed here: remove it",
    errno.ENXIO: "a socket, or a FIFO that nobody reads, is in its place: move it away",
    errno.EIO: "the disk fails: replace it",
    errno.EMFILE: "too many files are open: raise the limit (LimitNOFILE=)",
    errno.ENFILE: "too many files are open on this host: raise fs.file-max",
    errno.EBUSY: "it is in use as a mount point: unmount it",
    errno.ENOTEMPTY: "a folder is in its place: move it away",
    errno.ENOMEM: "this host has no memory left: free some",
}

_PASSING = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
}


class FileTrouble(HavpnError):
    """A file cannot be read or written; the text names it and the remedy.

    :param number: the :mod:`errno` of the system's refusal; ``None`` if it did not refuse.
    """

    def __init__(self, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.number = number

    @property
    def passing(self) -> bool:
        """Whether it may pass without a change of any setting, as a disk that is full."""
        return self.number in _PASSING


def why(problem: OSError) -> str:
    """Say why the system refused, with the remedy where there is one."""
    if problem.errno in _REMEDIES:
        return _REMEDIES[problem.errno]
    # strerror() of a number that the system does not know has no words, either.
    return os.strerror(problem.errno).lower() if problem.errno else str(problem)


def trouble_of(file: Path, problem: OSError | ValueError) -> FileTrouble:
    """Name the file in what the system said; a :exc:`ValueError` is about its name."""
    if isinstance(problem, OSError):
        return FileTrouble(f"{file}: {why(problem)}", problem.errno)
    return FileTrouble(f"{str(file)!r}: this is no name of a file: choose another")
