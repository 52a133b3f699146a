"""A session as one ZIP file: packing its folder, and unpacking a file that may come from anywhere."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ..errors import BadInput, VisualizerError
from ..files.output_file import atomic_write, check_output_path
from ..files.paths import is_file
from ..oneline import plain, reason_of, size_text
from .folder import MOST_FILES, check_name, is_device, refuse_while_recorded
from .layout import SessionFolder
from .reader import RecordedSession

#: of all files of a session together; one of a day has 20 GB
_MOST_BYTES = 1 << 40
# Events shrink to a tenth when they are packed, sound and dreams hardly at all; small files may shrink more.
_MOST_RATIO, _ALWAYS_ALLOWED_BYTES = 50, 100_000_000
_MOST_ENTRY_BYTES = 256  # of the list of files in a ZIP file, for a file
_MOST_NESTING, _LONGEST_NAME_BYTES = 10, 255
_CHUNK_BYTES = 1 << 20
_COMPRESSIBLE = {".json", ".jsonl", ".yaml", ".frag", ".glsl"}
#: exceptions that zipfile raises for damaged files
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, LookupError, struct.error)


def pack(root: Path, out: Path, progress: Callable[[int, int], None] = lambda n_read, n_bytes: None) -> int:
    """Write the session in the folder `root` into the ZIP file `out`, which must not exist. Returns its size, bytes.

    progress: called after each file with the bytes read so far, and those of all files. Raises BadInput if it is no
    session, or nothing can be written there; VisualizerError if it is being recorded, or the disk fails.
    """
    session = RecordedSession(root)
    refuse_while_recorded(root)
    path = check_output_path(out, (".zip",), overwrite=False)
    if path.is_relative_to(root.resolve()):
        raise BadInput(f"{plain(out)}: lies in the session itself; name a file in another folder")
    top = root.resolve().name
    with atomic_write(path) as part:
        n_read, n_bytes = 0, sum((root / name).stat().st_size for name in session.files)
        try:
            with zipfile.ZipFile(part, "x", strict_timestamps=False) as file:
                for name in sorted(session.files):
                    is_text = Path(name).suffix.lower() in _COMPRESSIBLE
                    kind = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
                    file.write(root / name, f"{top}/{name}", compress_type=kind)
                    n_read += file.getinfo(f"{top}/{name}").file_size
                    progress(n_read, n_bytes)
        except UnicodeEncodeError as fault:
            raise BadInput(f"{plain(root)}: the name {plain(fault.object)!r} is not Unicode text; rename it") from fault
        return part.stat().st_size


def unpack(
    archive: Path,
    into: Path,
    name: str | None = None,
    progress: Callable[[int, int], None] = lambda n_written, n_bytes: None,
) -> Path:
    """Unpack the session in a ZIP file into a new folder in the folder `into`, which is created. Returns the new
    folder.

    name: of the new folder; None for that in the file. progress: called after each file with the bytes written so far,
    and those of all files. Everything is checked before anything is written, and the folder gets its name when it is
    complete. Raises BadInput if the file holds no session or is not safe to unpack, VisualizerError if the disk is full
    or cannot be written to.
    """
    shown = plain(archive)
    if not is_file(archive):
        raise BadInput(f"{shown}: " + ("is not an ordinary file" if os.path.lexists(archive) else "no such file"))
    try:
        with _SmallReads(archive) as raw, zipfile.ZipFile(raw) as file:
            top, entries = _checked(shown, file, raw.n_bytes)
            target = into / check_name(top if name is None else name)
            if os.path.lexists(target):
                raise BadInput(f"{plain(target)}: already exists; give another name with --name")
            into.mkdir(parents=True, exist_ok=True)
            n_bytes, n_free = sum(entry.file_size for entry in entries), shutil.disk_usage(into).free
            if n_bytes > n_free:
                raise VisualizerError(
                    f"{shown}: needs {size_text(n_bytes)}, and {size_text(n_free)} are free in {plain(into)}"
                )
            part = into / f".visualizer-{secrets.token_hex(8)}.part"
            try:
                part.mkdir()
                n_written = 0
                for entry in entries:
                    _extract(file, entry, part / entry.filename[len(top) + 1 :])
                    n_written += entry.file_size
                    progress(n_written, n_bytes)
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
            return target
    except OSError as fault:
        raise VisualizerError(f"{shown}: could not be unpacked into {plain(into)}: {reason_of(fault)}") from fault
    except _DAMAGE as fault:
        raise BadInput(f"{shown}: is no ZIP file, or is damaged: {plain(fault)}; it was not unpacked") from fault


class _SmallReads(io.FileIO):
    """A file that is not read in one piece: zipfile reads the list of files at once, however long it claims to be."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.n_bytes = self.seek(0, os.SEEK_END)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except OSError as fault:  # a place before the beginning, where the list of files says so
            raise zipfile.BadZipFile("it names a place that it does not have") from fault

    def read(self, n_bytes: int | None = -1, /) -> bytes:
        if n_bytes is None or n_bytes < 0:
            n_bytes = max(0, self.n_bytes - self.tell())
        if n_bytes > MOST_FILES * _MOST_ENTRY_BYTES:
            raise zipfile.BadZipFile(f"it claims more than {MOST_FILES} files")
        return super().read(n_bytes) or b""


def _checked(shown: str, file: zipfile.ZipFile, n_packed_bytes: int) -> tuple[str, list[zipfile.ZipInfo]]:
    """The folder in a ZIP file that holds everything, and the files. shown: the ZIP file's name for messages.

    Raises BadInput for anything that a packed session does not hold.
    """
    every = file.infolist()
    if len(every) > MOST_FILES:
        raise BadInput(f"{shown}: holds {len(every)} files, more than any session; it was not unpacked")
    files = [entry for entry in every if not entry.is_dir()]
    seen: set[str] = set()
    for entry in every:
        if what := _fault_of(entry):
            raise BadInput(f"{shown}: {plain(entry.orig_filename)!r} {what}; it was not unpacked")
    for entry in files:
        if _on_any_disk(entry.filename) in seen:
            raise BadInput(f"{shown}: {plain(entry.filename)!r} is in it twice; it was not unpacked")
        seen.add(_on_any_disk(entry.filename))
    folders = {_on_any_disk(str(parent)) for entry in files for parent in PurePosixPath(entry.filename).parents}
    if both := next((entry for entry in files if _on_any_disk(entry.filename) in folders), None):
        raise BadInput(f"{shown}: {plain(both.filename)!r} is a file and a folder in it; it was not unpacked")
    tops = sorted({entry.filename.partition("/")[0] for entry in every})
    info = SessionFolder(Path()).info.name
    if len(tops) != 1 or f"{tops[0]}/{info}" not in {entry.filename for entry in files}:
        raise BadInput(f"{shown}: holds no session, which is one folder with a {info}; it was not unpacked")
    n_bytes = sum(entry.file_size for entry in files)
    if n_bytes > min(_MOST_BYTES, max(_ALWAYS_ALLOWED_BYTES, _MOST_RATIO * n_packed_bytes)):
        raise BadInput(
            f"{shown}: would become {n_bytes / 1e9:.1f} GB from {n_packed_bytes / 1e9:.3f} GB, as no session does; "
            "it was not unpacked"
        )
    return tops[0], files


def _fault_of(entry: zipfile.ZipInfo) -> str:
    """Why a file of a ZIP file cannot be one of a session; "" if it can."""
    name = entry.orig_filename  # zipfile cuts its own at a null byte
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name or ":" in name:
        return "may lead out of the folder"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "holds a control character"
    if any(is_device(part) or part[-1] in ". " for part in parts):
        return "is no name of a file on Windows"
    if len(parts) > _MOST_NESTING or any(len(part.encode()) > _LONGEST_NAME_BYTES for part in parts):
        return "is too long"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that this program does not read"
    return ""


def _on_any_disk(name: str) -> str:
    """The same for names that are one file on some disk: those that differ in case, or in the form of an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _extract(file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write a file of a ZIP file. Its checksum is checked, and no more than the size it claims is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.open(entry) as source, path.open("xb") as target:
        shutil.copyfileobj(source, target, _CHUNK_BYTES)
