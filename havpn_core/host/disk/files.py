"""The one reader and the one atomic writer of the files that HA-VPN keeps for itself.

A reader never waits (a FIFO in the place of a file), never reads without end and never raises
anything but :exc:`FileTrouble`, whose text names the file, what is wrong with it and the remedy.
A writer replaces a file in one step or leaves the old one as it is.
"""

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from havpn_core.host.disk.rights import check_kind, check_rights, too_large
from havpn_core.host.disk.trouble import FileTrouble, trouble_of

LARGEST = 16 * 1024 * 1024
"""Bytes that a file of ours has at most, where the reader says nothing else."""
LARGEST_GIVEN = 1024 * LARGEST
OWN_DESCRIPTORS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
FOLDER_MODE = 0o755
STALE_S = 3600.0
"""Nobody takes longer than these seconds over a draft."""
OWN_STALE_S = 60.0

# --- reading ---------------------------------------------------------------------------------


def ours() -> tuple[int, ...]:
    """Give the users whose files are believed: root and the one of this process."""
    return (0, os.geteuid())


def owner(file: Path) -> int:
    """Give the user who owns a file or folder; our own if there is none to be seen."""
    try:
        return file.stat().st_uid
    except (OSError, ValueError):
        return os.geteuid()


def size(file: Path) -> int:
    """Give the bytes of a file; 0 if there is none to be seen."""
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return 0


def rename(file: Path, to: Path) -> None:
    """Give a file another name, where another file may be replaced by it.

    :raises FileTrouble: if that cannot be done.
    """
    try:
        file.replace(to)
    except (OSError, ValueError) as problem:
        raise trouble_of(to, problem) from None


def read(
    file: Path,
    *,
    largest: int = LARGEST,
    owners: Collection[int] = (),
    sealed: bool = False,
    private: bool = False,
) -> bytes | None:
    """Read a whole file; ``None`` if there is none.

    :param largest: bytes that it may have.
    :param owners: refuse a file of any other user; empty: anybody's is read.
    :param sealed: refuse a file that others than its owner may write or have put there: neither
        the file nor its folder is writable by others, both belong to ``owners``, no link.
    :param private: refuse a file that others than its owner may read or write; one of root's may
        be readable by the group of the service.
    :raises FileTrouble: if it is no regular file, too large, not ours or cannot be read.
    """
    try:
        # Neither a FIFO nor a terminal in its place may make the reader wait or become its own.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(file, flags | (os.O_NOFOLLOW if sealed else 0))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise trouble_of(file, problem) from None
    try:
        facts = os.fstat(descriptor)
        check_kind(file, facts, largest)
        check_rights(file, facts, owners, sealed, private)
        if sealed:
            check_rights(file.parent, file.parent.stat(), owners, sealed, False)
        content = _read_all(descriptor, largest + 1)
    except OSError as problem:
        raise trouble_of(file, problem) from None
    finally:
        os.close(descriptor)
    if len(content) > largest:  # it grew meanwhile
        raise FileTrouble(too_large(file, largest))
    return content


def read_given(file: Path) -> bytes | None:
    """Read a file that somebody named on the command line; ``None`` if there is none.

    A pipe that the shell opened, as in ``-c <(...)``, is read to its end; a named one is refused,
    as it may never have a writer.

    :raises FileTrouble: as :func:`read`.
    """
    if str(file) == os.devnull:
        return b""
    try:
        if str(file).startswith(OWN_DESCRIPTORS) and stat.S_ISFIFO(file.stat().st_mode):
            return file.read_bytes()
    except (OSError, ValueError) as problem:
        raise trouble_of(file, problem) from None
    return read(file, largest=LARGEST_GIVEN)


def read_text(file: Path, *, largest: int = LARGEST, private: bool = False) -> str | None:
    """Read a whole text in UTF-8; ``None`` if there is none.

    :raises FileTrouble: as :func:`read`, or if it is no text.
    """
    content = read(file, largest=largest, private=private)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as problem:
        raise FileTrouble(
            f"{file}: byte {problem.start} is no UTF-8: write the file as text in UTF-8"
        ) from None


def _read_all(descriptor: int, most: int) -> bytes:
    parts = []
    while most > 0 and (part := os.read(descriptor, min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


# --- writing ---------------------------------------------------------------------------------


def make_folder(folder: Path, mode: int = FOLDER_MODE) -> None:
    """Make a folder and those above it, with this mode whatever the umask says.

    A folder that is there stays as it is.

    :raises FileTrouble: if it cannot be made.
    """
    try:
        missing = [f for f in (folder, *folder.parents) if not f.exists()]
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):
                each.mkdir()
                each.chmod(mode)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "")
    except (OSError, ValueError) as problem:
        raise trouble_of(folder, problem) from None


def write(file: Path, content: bytes, *, durable: bool, mode: int = 0o644) -> None:
    """Replace a file's content in one step, so that no reader ever sees half of it.

    :param durable: make sure that it outlives a power cut.
    :param mode: its permissions, whatever the umask says.
    :raises FileTrouble: if that cannot be done; what was there before is still there.
    """
    with replacing(file, content, durable=durable, mode=mode):
        pass


@contextlib.contextmanager
def replacing(file: Path, content: bytes, *, durable: bool, mode: int = 0o644) -> Iterator[Path]:
    """Write a draft beside a file; at the end of the block it takes the file's place.

    :param durable: make sure that it outlives a power cut.
    :param mode: its permissions, whatever the umask says.
    :raises FileTrouble: if that cannot be done; what was there before is still there. So it is
        when the block raises.
    """
    make_folder(file.parent)
    if durable:
        sweep(file)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        _write_new(draft, content, durable, mode)
        yield draft
        draft.replace(file)
        if durable:
            _sync_folder(file.parent)
    except (OSError, ValueError) as problem:
        raise trouble_of(file, problem) from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            draft.unlink()


def append(file: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Add whole lines to a file; a line that a crash cut off before is ended first.

    :param content: ends with a line feed.
    :param mode: its permissions if it is new, whatever the umask says.
    :raises FileTrouble: if that cannot be done; then nothing was added.
    """
    make_folder(file.parent)
    # Opened for reading, too, so that a FIFO in its place is opened at once and then refused.
    flags = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(file, flags)
        except FileNotFoundError:
            descriptor = os.open(file, flags | os.O_CREAT, mode)
            os.fchmod(descriptor, mode)
        try:
            _append(file, descriptor, content)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as problem:
        raise trouble_of(file, problem) from None


def _append(file: Path, descriptor: int, content: bytes) -> None:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise FileTrouble(f"{file}: something else is in its place: move it away")
    torn = facts.st_size and os.pread(descriptor, 1, facts.st_size - 1) != b"\n"
    try:
        write_all(descriptor, b"\n" + content if torn else content)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, facts.st_size)
        raise


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything: the system may take a part only, as at the end of a disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _write_new(draft: Path, content: bytes, durable: bool, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(draft, flags, mode & 0o700)
    try:
        write_all(descriptor, content)
        os.fchmod(descriptor, mode)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut; not every file system can say so of a folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # who may write into a folder need not be allowed to read it
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def sweep(file: Path) -> None:
    """Remove the drafts of a file that writers left behind when they were killed."""
    pattern = re.compile(rf"\.{re.escape(file.name)}\.(\d+)(?:\.[0-9a-f]{{8}})?")
    with contextlib.suppress(OSError, ValueError):
        for match in filter(None, map(pattern.fullmatch, os.listdir(file.parent))):  # noqa: PTH208
            draft = file.with_name(match[0])
            with contextlib.suppress(OSError):
                if _is_left(int(match[1]), time.time() - draft.lstat().st_mtime):
                    draft.unlink()


def _is_left(writer: int, age_s: float) -> bool:
    """Whether nobody works on a draft any more; the number of its writer may be taken again."""
    if writer == os.getpid():
        return abs(age_s) > OWN_STALE_S
    return abs(age_s) > STALE_S or not Path(f"/proc/{writer}").exists()
