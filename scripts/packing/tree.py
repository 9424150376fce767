"""The files of a package, each where Debian has its kind."""

import gzip
import re
import shutil
import zipfile
from pathlib import Path

from packing.control import Package

PROGRAM = Path("usr/lib/havpn")
"""A folder of its own: what is vendored there is nobody else's."""
DOC, SHARE = Path("usr/share/doc/havpn"), Path("usr/share/havpn")
PLACES = {
    "share/havpn/systemd/havpn.service": "usr/lib/systemd/system/havpn.service",
    "share/zsh/site-functions/_havpn": "usr/share/zsh/vendor-completions/_havpn",
    "share/havpn/examples/": f"{DOC}/examples/",
    "share/": "usr/share/",
}
"""Where what the wheel lays into a prefix goes; the first that fits."""
OWN_PLACES = {
    "havpn": "usr/bin/havpn",
    "havpn-alert": "usr/bin/havpn-alert",
    "sysusers.conf": "usr/lib/sysusers.d/havpn.conf",
}
EXAMPLE = Path("etc/havpn/havpn.toml.example")
AGENT = Path("usr/lib/ocf/resource.d/havpn/link")
LAID_BY_WHEEL = {"completions", "debian", "man", "systemd"}
_DATA = re.compile(r"[^/]+\.data/data/(.+)")
_SCRIPTS = re.compile(r"[^/]+\.data/scripts/")
_LEFT_OUT = re.compile(r"[^/]+\.dist-info/(RECORD|INSTALLER|WHEEL|REQUESTED)")


def lay_out(root: Path, source: Path, wheel: Path, others: list[Path], package: Package) -> None:
    """Write all files of a package below a folder.

    :param wheel: HA-VPN.
    :param others: wheels of what the release lacks.
    """
    for each in [wheel, *others]:
        _unpack(each, root)
    for name, place in OWN_PLACES.items():
        _copy(source / "packaging" / "debian" / name, root / place)
    _copy(root / PROGRAM / "havpn_ocf" / "link", root / AGENT)
    _copy(source / "examples" / "pair.toml", root / EXAMPLE)
    for folder in sorted((source / "packaging").iterdir()):
        if folder.is_dir() and folder.name not in LAID_BY_WHEEL:
            _copy_all(folder, root / SHARE / folder.name)
    _document(root, source, others, package)
    _set_modes(root)


def _unpack(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.endswith("/") or _SCRIPTS.match(name) or _LEFT_OUT.fullmatch(name):
                continue
            data = _DATA.fullmatch(name)
            place = root / (_place(data[1]) if data else PROGRAM / name)
            _write(place, packed.read(name))


def _place(name: str) -> str:
    """Say where a file of the wheel's prefix goes."""
    for start, place in PLACES.items():
        if name.startswith(start):
            return place + name.removeprefix(start)
    raise ValueError(f"no place is known for {name}: add it to PLACES")


def _document(root: Path, source: Path, others: list[Path], package: Package) -> None:
    for page in [*sorted((source / "docs").glob("*.*")), source / "README.md"]:
        _copy(page, root / DOC / ("" if page.parent == source else "docs") / page.name)
    changes = (source / "CHANGELOG.md").read_bytes()
    _write(root / DOC / "changelog.gz", gzip.compress(changes, 9, mtime=0))
    own = f"havpn ({package.version}) unstable; urgency=medium\n\n  * See changelog.gz.\n"
    _write(root / DOC / "changelog.Debian.gz", gzip.compress(own.encode(), 9, mtime=0))
    terms = [(source / "LICENSE").read_text(encoding="utf-8")]
    for wheel in others:
        terms += [f"{'-' * 72}\nInside: {wheel.name}\n", *_terms(wheel)]
    _write(root / DOC / "copyright", "\n".join(terms).encode())


def _terms(wheel: Path) -> list[str]:
    """Give the licences that a wheel carries, or else the one it names."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        found = [n for n in names if ".dist-info/" in n and "LICENSE" in n.upper()]
        if found:
            return [packed.read(name).decode() for name in found]
        meta = packed.read(next(n for n in names if n.endswith(".dist-info/METADATA"))).decode()
        lines = meta.partition("\n\n")[0].splitlines()
        return [line for line in lines if line.startswith(("License", "Author", "Home-page"))]


def _set_modes(root: Path) -> None:
    """Give every file its mode, whatever umask the source was laid down with; compress manuals."""
    for page in (root / "usr/share/man").rglob("*.[58]"):
        _write(page.with_name(f"{page.name}.gz"), gzip.compress(page.read_bytes(), 9, mtime=0))
        page.unlink()
    programs = {root / "usr/bin/havpn", root / "usr/bin/havpn-alert", root / AGENT}
    programs.add(root / PROGRAM / "havpn_ocf" / "link")
    root.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def _copy_all(folder: Path, to: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            _copy(path, to / path.relative_to(folder))


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
