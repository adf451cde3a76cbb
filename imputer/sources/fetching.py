"""Getting registered files from their publishers into the folder, checked against the registry before they are used."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx
import pooch

from imputer.errors import SourceAltered, SourceMissing
from imputer.sources.accepting import accept, check_readable
from imputer.sources.download import Moved, ResumingDownloader
from imputer.sources.folder import is_named_version, place, read_accepted
from schemas.errors import OutputUnwritable, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from imputer.sources.registry import Registry, SourceFile

    Watch = Callable[[str], Callable[[int, int | None], None]]

# Where downloads wait until they are checked: in the folder, so that taking one into place is one step.
WAITING = ".fetching"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one file: ``error`` is None where it is in place."""

    file: SourceFile
    error: RunError | None


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Downloads into one folder. ``watch`` gives, for a name, what is told how far its download is."""

    registry: Registry
    folder: Path
    watch: Watch
    pause: float = 1.0

    def fetch(self, files: Iterable[SourceFile], *, accept_new: bool) -> list[Fetched]:
        """Fetch files into place, and say what became of each.

        Another version than the registry's is reported and not taken, unless ``accept_new``; where the registry
        knows none, or an extract of it, the first one is. Such a version is taken once its reader has read it, and
        recorded.
        """
        waiting: dict[str, Path] = {}
        outcomes: dict[str, Fetched] = {}
        for file in files:
            outcomes[file.id] = Fetched(file, None)
            try:
                waiting[file.id] = self._download(file)
            except RunError as error:
                outcomes[file.id] = Fetched(file, error)
        fresh = [source_id for source_id in waiting if not self._take_known(source_id, waiting[source_id])]
        beside = {source_id: waiting[source_id] for source_id in fresh}
        for source_id in fresh:
            try:
                self._take_new(source_id, beside, accept_new=accept_new)
            except RunError as error:
                outcomes[source_id] = Fetched(self.registry.files[source_id], error)
        self._tidy()
        return list(outcomes.values())

    def _take_known(self, source_id: str, waiting: Path) -> bool:
        """Put a file in place where it is a version that registry or user know."""
        file, content = self.registry.files[source_id], waiting.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        known = is_named_version(file, content) or digest == read_accepted(self.folder).get(source_id)
        if known:
            self._place(file, waiting)
        return known

    def _take_new(self, source_id: str, beside: dict[str, Path], *, accept_new: bool) -> None:
        file, waiting = self.registry.files[source_id], beside[source_id]
        digest = hashlib.sha256(waiting.read_bytes()).hexdigest()
        if file.sha256 and not (accept_new or file.extract):
            raise SourceAltered(
                f"the published {file.path} is another version than the one known ({file.title_en})",
                f"sha256 {file.sha256}",
                f"sha256 {digest}",
                url=file.page or file.url,
                next_step=f"`imputer sources fetch --accept-new {source_id}` if it is wanted; nothing was replaced",
            )
        check_readable(self.registry, self.folder, {source_id: waiting}, beside)
        accept(self.folder, source_id, digest)
        beside[source_id] = self._place(file, waiting)

    def _place(self, file: SourceFile, waiting: Path) -> Path:
        target = place(file, self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        return waiting.replace(target)

    def _download(self, file: SourceFile) -> Path:
        """The file as published, waiting to be checked. Raises SourceMissing, naming it, where it cannot be had."""
        waiting = self.folder / WAITING
        try:
            waiting.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnwritable("input files cannot be kept here", found=error.strerror, url=str(waiting)) from error
        last: SourceMissing | None = None
        for url in self._addresses(file):
            try:
                if file.member:
                    return _member(self._get(url, f"archive-{_short(url)}.zip"), file.member, waiting / file.id)
                return self._get(url, file.id)
            except Moved as error:
                last = error
        raise SourceMissing(
            f"{file.path} is no longer published where it was ({file.title_en})",
            found=last.found if last else None,
            url=last.url if last else None,
            next_step=file.how_to_get_it.replace("`imputer sources fetch " + file.id + "`, or ", ""),
        ) from last

    def _get(self, url: str, name: str) -> Path:
        waiting = self.folder / WAITING
        pooch.get_logger().setLevel("WARNING")
        if name.endswith(".zip") and (waiting / name).is_file():
            return waiting / name
        (waiting / name).unlink(missing_ok=True)
        downloader = ResumingDownloader(
            waiting / f"{name}.part", self.watch(unquote(url.rpartition("/")[2])), self.pause
        )
        return Path(pooch.retrieve(url, known_hash=None, fname=name, path=waiting, downloader=downloader))

    def _addresses(self, file: SourceFile) -> Iterator[str]:
        """Where the file may be: its own address, then what the catalogue of open.canada.ca says today."""
        name = file.path.name if file.path else file.id
        if file.url:
            yield file.url
        elif file.dataset and file.resource:
            yield self.registry.download.format(dataset=file.dataset, resource=file.resource, file=name)
        if file.dataset:
            yield from self._catalogued(file.dataset, file.resource, {name, file.published})

    def _catalogued(self, dataset: str, resource: str | None, names: set[str | None]) -> Iterator[str]:
        try:
            answer = httpx.get(self.registry.catalogue.format(dataset=dataset), follow_redirects=True, timeout=30)
            resources = json.loads(answer.content)["result"]["resources"]
            urls = {str(entry.get("id")): str(entry["url"]) for entry in resources}
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return
        if resource in urls:
            yield urls[resource]
        others = (url for key, url in urls.items() if key != resource)
        yield from (url for url in others if unquote(urlsplit(url).path).rpartition("/")[2] in names)

    def _tidy(self) -> None:
        """Remove what was fetched and not taken, but for unfinished downloads."""
        waiting = self.folder / WAITING
        if not waiting.is_dir():
            return
        for path in waiting.iterdir():
            if path.suffix not in {".part", ".version"}:
                path.unlink()
        if not any(waiting.iterdir()):
            waiting.rmdir()


def _member(archive: Path, name: str, target: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as opened:
            target.write_bytes(opened.read(name))
    except (zipfile.BadZipFile, KeyError) as error:
        archive.unlink(missing_ok=True)
        raise SourceMissing("an archive does not hold what it should", name, str(error), url=archive.name) from error
    return target


def _short(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:12]
