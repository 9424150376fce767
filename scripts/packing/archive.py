"""From the files to a ``.deb``, the same bytes each time."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from packing.control import Package
from packing.tree import EXAMPLE

SCRIPTS = ("postinst", "prerm", "postrm")


def pack(root: Path, source: Path, package: Package, out: Path) -> Path:
    """Write the package's file; gives where it is.

    :param root: its files.
    :raises subprocess.CalledProcessError: if dpkg-deb refuses.
    """
    files = sorted(path for path in root.rglob("*") if path.is_file())
    folder = root / "DEBIAN"
    folder.mkdir()
    folder.chmod(0o755)  # whatever the umask
    size_kib = sum(-(-path.stat().st_size // 1024) for path in files)
    _put(folder / "control", package.control(size_kib), 0o644)
    _put(folder / "conffiles", f"/{EXAMPLE}\n", 0o644)
    _put(folder / "md5sums", "".join(map(_sum, files, [root] * len(files))), 0o644)
    for name in SCRIPTS:
        shutil.copyfile(source / "packaging" / "debian" / name, folder / name)
        (folder / name).chmod(0o755)
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in [root, *root.rglob("*")]:
        os.utime(path, (epoch, epoch))
    target = out / package.file_name
    subprocess.run(
        # More threads make other bytes.
        ["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "--build", root, target],
        check=True,
        capture_output=True,
        text=True,
    )
    return target


def _put(file: Path, text: str, mode: int) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def _sum(file: Path, root: Path) -> str:
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    return f"{digest}  {file.relative_to(root)}\n"
