"""Fetching from a loopback publisher: whole, cut and continued, moved, altered, refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import run_imputer
from source_server import Served, SourceServer, publish_sample

from imputer.errors import SourceMissing
from imputer.sample import SAMPLE
from imputer.sources.download import Moved, ResumingDownloader
from imputer.sources.folder import ACCEPTED, read_accepted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from processes import Ended

LABELS = "oasis/labels_oasis_2023_v1.0.csv"
SKILLS = "oasis/skills_oasis_2023_v1.0.csv"
SKILLS_RESOURCE = "38932102-f7a9-40c6-b4f1-fa8e81981726"
BODY = bytes(range(256)) * 4096


@pytest.fixture
def server() -> Iterator[SourceServer]:
    with SourceServer() as server:
        yield server


@pytest.fixture
def registry(server: SourceServer, tmp_path: Path) -> Path:
    return publish_sample(server, tmp_path)


@pytest.fixture
def sources(registry: Path, tmp_path: Path) -> Callable[..., Ended]:
    """``imputer sources`` on a folder of the test's own and the loopback publisher."""

    def run(*arguments: str, expect: int | None = None) -> Ended:
        where = ("sources", "--folder", str(tmp_path / "sources"), "--registry", str(registry))
        return run_imputer(tmp_path / "output", *where, *arguments, expect=expect)

    return run


def fetcher(tmp_path: Path) -> ResumingDownloader:
    return ResumingDownloader(tmp_path / "file.part", lambda _done, _total: None, pause=0.01)


def only(server: SourceServer, path: str) -> Served:
    """The one address that ends so."""
    (found,) = [served for asked, served in server.files.items() if asked.endswith(path)]
    return found


def skills(server: SourceServer) -> tuple[str, Served]:
    """Address and answer of the skills file under its resource."""
    return next((path, served) for path, served in server.files.items() if SKILLS_RESOURCE in path)


def test_everything_is_fetched_checked_and_readable(sources: Callable[..., Ended], tmp_path: Path) -> None:
    ended = sources("fetch", expect=0)
    assert "35 files fetched" in ended.output
    for path in (SAMPLE / "oasis").glob("*.csv"):
        assert (tmp_path / "sources" / "oasis" / path.name).read_bytes() == path.read_bytes()
    assert (tmp_path / "sources" / "onet_29_3" / "Skills.txt").is_file()
    assert not (tmp_path / "sources" / ".fetching").exists()
    shutil.copytree(SAMPLE / "job_architecture", tmp_path / "job_architecture")
    sources("add", str(tmp_path / "job_architecture" / "job_architecture.csv"), expect=0)
    assert "files read" in sources("verify", expect=0).output
    assert "0 required ones are not" in sources("status", expect=0).output


def test_what_is_here_is_not_fetched_again(sources: Callable[..., Ended], server: SourceServer) -> None:
    sources("fetch", "oasis_skills", expect=0)
    asked = len(server.asked)
    sources("fetch", "oasis_skills", expect=0)
    assert len(server.asked) == asked
    sources("fetch", "--again", "oasis_skills", expect=0)
    assert len(server.asked) == asked + 1


def test_one_archive_is_downloaded_once_for_all_its_members(
    sources: Callable[..., Ended], server: SourceServer
) -> None:
    sources("fetch", "onet_skills", "onet_occupations", "onet_knowledge", expect=0)
    assert [path.rpartition("/")[2] for path, _ in server.asked] == ["db_29_3_text.zip"]


def test_cut_download_is_continued_where_it_stopped(server: SourceServer, tmp_path: Path) -> None:
    server.files["/f"] = Served(BODY, cuts=[100_000, 200_000])
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == BODY
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", "bytes=300000-"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_cut_download_is_continued_by_the_next_command(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    path, served = skills(server)
    served.cuts = [1_000, 0, 0, 0, 0]
    ended = sources("fetch", "--pause", "0.01", "oasis_skills", expect=1)
    assert "could not be downloaded" in ended.errors
    assert "try again: what came is kept and continued" in ended.errors
    assert not (tmp_path / "sources" / SKILLS).exists()
    before = len(server.asked)
    sources("fetch", "oasis_skills", expect=0)
    assert server.asked[before:] == [(path, "bytes=1000-")]
    assert (tmp_path / "sources" / SKILLS).read_bytes() == (SAMPLE / SKILLS).read_bytes()


@given(st.lists(st.integers(0, 5_000), max_size=4))
@settings(max_examples=25, deadline=None)
def test_wherever_the_line_is_cut_the_file_is_whole(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("cut")
    with SourceServer() as server:
        server.files["/f"] = Served(BODY[:5_000], cuts=list(cuts))
        downloader = ResumingDownloader(folder / "file.part", lambda _done, _total: None, pause=0.001)
        downloader(f"{server.url}/f", str(folder / "file"), None)
    assert (folder / "file").read_bytes() == BODY[:5_000]


def test_partial_file_that_is_already_whole_is_begun_anew(server: SourceServer, tmp_path: Path) -> None:
    server.files["/f"] = Served(BODY)
    (tmp_path / "file.part").write_bytes(BODY)
    (tmp_path / "file.part.version").write_text(json.dumps({"url": f"{server.url}/f", "version": '"1"'}))
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == BODY
    assert [wanted for _, wanted in server.asked] == [f"bytes={len(BODY)}-", None]


def test_another_version_is_begun_anew(server: SourceServer, tmp_path: Path) -> None:
    server.files["/f"] = Served(b"a" * 300_000, cuts=[100_000, 0, 0, 0, 0])
    with pytest.raises(SourceMissing):
        fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    server.files["/f"] = Served(BODY, version='"2"')
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("served", [Served(BODY, version=None, cuts=[5_000]), Served(BODY, ranges=False, cuts=[5_000])])
def test_without_versions_or_ranges_it_is_begun_anew(server: SourceServer, tmp_path: Path, served: Served) -> None:
    server.files["/f"] = served
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == BODY


def test_busy_server_is_asked_again(server: SourceServer, tmp_path: Path) -> None:
    server.files["/f"] = Served(BODY, statuses=[503, 429, 500])
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert server.times("/f") == 4
    server.files["/f"] = Served(BODY, statuses=[503] * 9)
    with pytest.raises(SourceMissing, match="HTTP 503"):
        fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert server.times("/f") == 4 + 5


@pytest.mark.parametrize("status", [401, 403, 451])
def test_refusal_is_not_asked_again(server: SourceServer, tmp_path: Path, status: int) -> None:
    server.files["/f"] = Served(status=status)
    with pytest.raises(SourceMissing, match=f"refuses an input file; expected the file; found HTTP {status}"):
        fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert server.times("/f") == 1


@pytest.mark.parametrize("served", [Served(status=404), Served(status=410), Served(b"<html>", kind="text/html")])
def test_nothing_there_any_more_and_a_page_in_its_place_count_as_moved(
    server: SourceServer, tmp_path: Path, served: Served
) -> None:
    server.files["/f"] = served
    with pytest.raises(Moved):
        fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)


def test_redirects_are_followed(server: SourceServer, tmp_path: Path) -> None:
    server.files["/f"] = Served(status=302, location=f"{server.url}/g")
    server.files["/g"] = Served(BODY)
    fetcher(tmp_path)(f"{server.url}/f", str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == BODY


def test_server_that_is_not_there_is_one_clear_line(sources: Callable[..., Ended], server: SourceServer) -> None:
    for path in [path for path in server.files if SKILLS_RESOURCE in path]:
        server.files[path] = Served(status=302, location="http://127.0.0.1:9/")
    ended = sources("fetch", "--pause", "0.01", "oasis_skills", expect=1)
    (line,) = ended.errors.splitlines()
    assert line.startswith("oasis_skills: an input file could not be downloaded")


def test_moved_file_is_found_through_the_catalogue(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    path, served = skills(server)
    served.status = 404
    sources("fetch", "oasis_skills", expect=0)
    assert [asked.rpartition("/")[2].partition("?")[0] for asked, _ in server.asked] == [
        path.rpartition("/")[2],
        "package_show",
        path.rpartition("/")[2],
    ]
    assert (tmp_path / "sources" / SKILLS).read_bytes() == (SAMPLE / SKILLS).read_bytes()


def test_moved_file_that_nobody_knows_is_named_with_its_page(
    sources: Callable[..., Ended], server: SourceServer
) -> None:
    for path in [path for path in server.files if path.endswith("skills_oasis_2023_v1.0.csv")]:
        server.files[path].status = 404
    ended = sources("fetch", "oasis_skills", expect=1)
    (line,) = ended.errors.splitlines()
    assert line.startswith("oasis_skills: oasis/skills_oasis_2023_v1.0.csv is no longer published where it was")
    assert "https://open.canada.ca/data/en/dataset/4f344cd6-0912-411a-ae16-41ea160cc8b5" in line
    assert "imputer sources add oasis_skills FILE" in line


def test_one_failure_does_not_keep_the_others_away(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    for path in [path for path in server.files if path.endswith("skills_oasis_2023_v1.0.csv")]:
        server.files[path].status = 404
    ended = sources("fetch", expect=1)
    assert "34 files fetched" in ended.output
    assert (tmp_path / "sources" / LABELS).is_file()


def test_another_version_is_not_taken_unless_asked_for(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    sources("fetch", expect=0)
    old = (SAMPLE / SKILLS).read_bytes()
    new = old.replace(b",Legislators,5,", b",Legislators,4,")
    assert new != old
    skills(server)[1].body = new
    ended = sources("fetch", "--again", "oasis_skills", expect=1)
    assert "oasis_skills: the published oasis/skills_oasis_2023_v1.0.csv is another version" in ended.errors
    assert f"found sha256 {hashlib.sha256(new).hexdigest()}" in ended.errors
    assert "fetch --accept-new oasis_skills" in ended.errors
    assert (tmp_path / "sources" / SKILLS).read_bytes() == old
    sources("fetch", "--again", "--accept-new", "oasis_skills", expect=0)
    assert (tmp_path / "sources" / SKILLS).read_bytes() == new
    assert read_accepted(tmp_path / "sources")["oasis_skills"] == hashlib.sha256(new).hexdigest()
    assert "accepted" in sources("status", "--all", expect=0).output


def test_another_version_that_cannot_be_read_is_never_taken(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    sources("fetch", expect=0)
    old = (SAMPLE / SKILLS).read_bytes()
    skills(server)[1].body = old.replace(b",Legislators,5,", b",Legislators,9,")
    ended = sources("fetch", "--again", "--accept-new", "oasis_skills", expect=1)
    assert "expected a whole number from 0 to 5; found '9'" in ended.errors
    assert (tmp_path / "sources" / SKILLS).read_bytes() == old
    assert not (tmp_path / "sources" / ACCEPTED).exists()


def test_new_versions_of_files_that_need_each_other_are_taken_together(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    for name in ("noc-2021-v1.0-classification-structure.csv", "structure_de_la_classification.csv"):
        served = only(server, name)
        served.body = served.body.replace(b"12100,Executive assistants,", b"12100,Executive aides,").replace(
            b"12100,Adjoints", b"12100,Aides et adjoints"
        )
    ended = sources("fetch", "--accept-new", expect=0)
    assert "35 files fetched" in ended.output
    assert set(read_accepted(tmp_path / "sources")) == {"noc_structure_en", "noc_structure_fr"}


def test_published_whole_of_an_extract_is_taken_once_it_can_be_read(
    sources: Callable[..., Ended], server: SourceServer, tmp_path: Path
) -> None:
    sources("fetch", expect=0)
    served = only(server, "noc-2021-v1.0-elements.csv")
    served.body = (
        b"Level,Code - NOC 2021 V1.0,Class title,Element Type Label English,Element Description English\r\n"
        b"5,12100,Executive assistants,All examples,executive assistant\r\n"
    )
    sources("fetch", "--again", "noc_example_titles_en", expect=0)
    assert set(read_accepted(tmp_path / "sources")) == {"noc_example_titles_en"}
    served.body = b"Level,Code\r\n"
    assert "expected 5 columns; found 2" in sources("fetch", "--again", "noc_example_titles_en", expect=1).errors


def test_damaged_archive_is_one_clear_line(sources: Callable[..., Ended], server: SourceServer) -> None:
    only(server, "db_29_3_text.zip").body = b"PK no more"
    ended = sources("fetch", "onet_skills", expect=1)
    assert "onet_skills: an archive does not hold what it should" in ended.errors


def test_file_without_a_public_download_is_refused(sources: Callable[..., Ended]) -> None:
    ended = sources("fetch", "job_architecture", expect=2)
    assert "no public download: get it from its owner, then `imputer sources add job_architecture FILE`" in ended.errors


def test_unknown_id_is_refused(sources: Callable[..., Ended]) -> None:
    assert "no such input file" in sources("fetch", "oasis_magic", expect=2).errors
