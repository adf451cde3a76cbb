from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pytest
from onet_folders import SOCS, tables, write_crosswalk, write_snake_case, write_text

from imputer.errors import ProviderPartial, ProviderRefused, SourceMalformed, SourceMissing, WrongUsage
from imputer.onet.answers import BASE_URL, Service
from imputer.onet.provider import DatabaseFiles, provided_database
from imputer.onet.values import unit_group_values
from imputer.onet.web_services import WebServices, importance, web_services
from imputer.sources.crosswalk import read_crosswalk
from imputer.standin.onet import KEY, Faults, OnetStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from imputer.sources.onet_database import OnetDatabase

TABLES = ("ratings", "shares", "occupations", "job_zones", "tasks", "technology_skills", "attributes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_text(tmp_path / "onet_29_3")


@pytest.fixture
def service(folder: Path) -> Iterator[OnetStandIn]:
    with OnetStandIn(folder, "29.3") as running:
        yield running


def client(service: OnetStandIn, cache: Path, **changes: Any) -> WebServices:
    quick = {"pause": 0.0, "backoff": 0.01, "attempts": 3, "timeout": 5.0}
    page = {"page": changes.pop("page")} if "page" in changes else {}
    return WebServices(Service(changes.pop("key", service.key), service.base_url, **(quick | changes)), cache, **page)


# --- the same as the files ------------------------------------------------------------------------------------------


def test_both_providers_give_the_same_values(shared_data: Path, tmp_path: Path) -> None:
    crosswalk = read_crosswalk(shared_data / "crosswalk" / "noc2021_onet26.csv", "crosswalk").table
    files = DatabaseFiles(shared_data / "onet_29_3").database()
    with OnetStandIn(shared_data / "onet_29_3", "29.3") as service:
        fetched = client(service, tmp_path / "cache").database()
        asked = service.requests
    for name in TABLES:
        assert getattr(fetched, name).equals(getattr(files, name)), name
    assert fetched.release == files.release
    assert len(asked) < 150  # whole tables, not occupation by occupation
    own = ["locator", "source_version"]
    values = unit_group_values(fetched, crosswalk)
    assert values.drop_columns(own).equals(unit_group_values(files, crosswalk).drop_columns(own))
    assert {locator.partition(" rows ")[0] for locator in values["locator"].to_pylist()} <= {
        f"{service.base_url}database/rows/{name}" for name in (request.path.rpartition("/")[2] for request in asked)
    }


@pytest.mark.parametrize("page", [1, 2, 7, 2000])
def test_pages_of_any_length_give_the_whole(service: OnetStandIn, folder: Path, tmp_path: Path, page: int) -> None:
    files = DatabaseFiles(folder).database()
    fetched = client(service, tmp_path / "cache", page=page).database()
    assert _same_content(fetched, files)
    assert all("end" in request.query for request in service.requests if "/rows/" in request.path)


def test_the_tables_of_31_are_found_under_their_new_names(tmp_path: Path) -> None:
    folder = write_snake_case(tmp_path / "db_31_0_csv")
    with OnetStandIn(folder, "31.0") as service:
        fetched = client(service, tmp_path / "cache").database()
    files = DatabaseFiles(folder).database()
    assert fetched.release == "31.0"
    assert _same_content(fetched, files)
    assert "onet_essential_skills" in fetched.versions


# --- how the service is asked ---------------------------------------------------------------------------------------


def test_the_key_goes_in_its_own_header_to_the_host_of_version_2(service: OnetStandIn, tmp_path: Path) -> None:
    assert BASE_URL == "https://api-v2.onetcenter.org/"
    client(service, tmp_path / "cache").database()
    for request in service.requests:
        assert request.headers["x-api-key"] == KEY
        assert "authorization" not in request.headers
        assert request.headers["user-agent"].startswith("wiq/")
        assert "/ws/" not in request.path
        assert "summary" not in request.path


def test_requests_are_spaced(service: OnetStandIn, tmp_path: Path) -> None:
    client(service, tmp_path / "cache", pause=0.05).database()
    times = [request.at for request in service.requests]
    assert len(times) > 10
    assert times[-1] - times[0] >= 0.05 * (len(times) - 2)
    assert Service("k").pause >= 0.2


def test_the_key_is_written_and_told_nowhere(
    service: OnetStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hush-hush-key"
    service.key = secret
    provider = client(service, tmp_path / "cache")
    provider.database()
    assert secret not in repr(provider)
    assert secret not in caplog.text
    kept = [path.read_text(encoding="utf-8") for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert not any(secret in text for text in kept)
    service.key = "another"
    with pytest.raises(ProviderRefused) as raised:
        WebServices(provider.service, tmp_path / "other").database()
    assert secret not in str(raised.value)


@pytest.mark.parametrize("key", ["", " ", "clé", "a\nb"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(WrongUsage, match="not shown"):
        Service(key)


@pytest.mark.parametrize(
    "url", ["http://api-v2.onetcenter.org/", "ftp://x/", "api-v2.onetcenter.org", "https://a:b@x/"]
)
def test_a_base_url_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(WrongUsage, match="base URL"):
        Service("key", url)


def test_the_environment_says_how_the_service_is_reached(tmp_path: Path) -> None:
    assert web_services(tmp_path, {}).service is None
    given = web_services(tmp_path, {"ONET_API_KEY": "k", "ONET_BASE_URL": "https://x.example/", "ONET_RELEASE": "31.0"})
    assert given.service == Service("k", "https://x.example/")
    assert given.release == "31.0"
    plain = web_services(tmp_path, {"ONET_API_KEY": "k"}).service
    assert plain
    assert plain.base_url == BASE_URL


# --- what was answered is kept --------------------------------------------------------------------------------------


def test_a_second_run_asks_for_the_release_only(service: OnetStandIn, tmp_path: Path) -> None:
    first = client(service, tmp_path / "cache").database()
    asked = len(service.requests)
    second = client(service, tmp_path / "cache").database()
    assert [request.path for request in service.requests[asked:]] == ["/about"]
    assert second.ratings.equals(first.ratings)
    assert second.versions == first.versions


def test_what_is_kept_serves_without_key_or_service(folder: Path, tmp_path: Path) -> None:
    with OnetStandIn(folder, "29.3") as service:
        first = client(service, tmp_path / "cache").database()
        unreachable = client(service, tmp_path / "cache")
    assert _same(WebServices(None, tmp_path / "cache").database(), first)
    assert _same(unreachable.database(), first)


def _same(one: OnetDatabase, other: OnetDatabase) -> bool:
    return one.versions == other.versions and _same_content(one, other)


def _same_content(one: OnetDatabase, other: OnetDatabase) -> bool:
    return all(getattr(one, name).equals(getattr(other, name)) for name in TABLES)


def test_receipts_tell_where_everything_came_from(service: OnetStandIn, tmp_path: Path) -> None:
    database = client(service, tmp_path / "cache").database()
    receipt = json.loads((tmp_path / "cache" / "29.3" / "skills.receipt.json").read_text(encoding="utf-8"))
    body = (tmp_path / "cache" / "29.3" / "skills.json").read_bytes()
    assert receipt["url"] == f"{service.base_url}database/rows/skills"
    assert receipt["sha256"] == hashlib.sha256(body).hexdigest() == database.versions["onet_skills"]
    assert (receipt["release"], receipt["count"], receipt["requests"]) == ("29.3", 8, 2)
    assert receipt["fetched_at"].endswith("+00:00")


def test_a_body_that_its_receipt_does_not_vouch_for_is_fetched_again(service: OnetStandIn, tmp_path: Path) -> None:
    first = client(service, tmp_path / "cache").database()
    body = tmp_path / "cache" / "29.3" / "skills.json"
    body.write_bytes(body.read_bytes().replace(b"4.12", b"4.13"))
    with pytest.raises(ProviderPartial, match="skills"):
        WebServices(None, tmp_path / "cache").database()
    assert _same(client(service, tmp_path / "cache").database(), first)


def test_a_new_release_is_fetched_anew(folder: Path, tmp_path: Path) -> None:
    for release in ("29.3", "30.0"):
        with OnetStandIn(folder, release) as service:
            assert client(service, tmp_path / "cache").database().release == release
            assert len(service.requests) > 10
    assert WebServices(None, tmp_path / "cache").database().release == "30.0"
    assert WebServices(None, tmp_path / "cache", "29.3").database().release == "29.3"


def test_without_key_and_with_nothing_kept_the_provider_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProviderRefused, match="ONET_API_KEY"):
        WebServices(None, tmp_path / "cache").database()
    with pytest.raises(ProviderRefused, match="ONET_API_KEY"):
        WebServices(None, tmp_path / "cache").details(SOCS[0], "skills")


# --- when something is wrong ----------------------------------------------------------------------------------------


def test_a_wrong_key_is_refused_though_the_answer_is_a_web_page(service: OnetStandIn, tmp_path: Path) -> None:
    with pytest.raises(ProviderRefused, match="ONET_API_KEY") as raised:
        client(service, tmp_path / "cache", key="wrong").database()
    assert "403" in str(raised.value)
    assert len(service.requests) == 1  # a refusal is not tried again
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("fault", [{"too_many": 2}, {"broken": 2}, {"cut_short": 2}])
def test_passing_faults_are_waited_out(folder: Path, tmp_path: Path, fault: dict[str, int]) -> None:
    with OnetStandIn(folder, "29.3", faults=Faults(**fault)) as service:
        fetched = client(service, tmp_path / "cache").database()
    assert fetched.ratings.equals(DatabaseFiles(folder).database().ratings)


def test_the_service_may_say_how_long_to_wait(folder: Path, tmp_path: Path) -> None:
    with OnetStandIn(folder, "29.3", faults=Faults(too_many=1, retry_after=1)) as service:
        client(service, tmp_path / "cache").database()
        first, second = service.requests[:2]
    assert second.at - first.at >= 0.9


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"too_many": 99}, "429"),
        ({"broken": 99}, "500"),
        ({"cut_short": 99}, "RemoteProtocolError"),
        ({"web_page": True}, "no JSON"),
        ({"stuck": True}, "answered in part"),
        ({"total_off": 3}, "answered in part"),
        ({"total_off": -1}, "answered in part"),
        ({"lost": 1}, "answered in part"),
        ({"unnamed": True}, "release"),
    ],
)
def test_a_partial_answer_is_never_taken_for_the_whole(
    folder: Path, tmp_path: Path, fault: dict[str, Any], said: str
) -> None:
    with OnetStandIn(folder, "29.3", faults=Faults(**fault)) as service:
        with pytest.raises(ProviderPartial, match=said):
            client(service, tmp_path / "cache", page=3).database()
        assert len(service.requests) < 100
    with pytest.raises((ProviderPartial, ProviderRefused)):
        WebServices(None, tmp_path / "cache").database()


def test_a_total_that_a_page_reaches_while_more_follows_is_not_believed(folder: Path, tmp_path: Path) -> None:
    with (
        OnetStandIn(folder, "29.3", faults=Faults(total_off=-1)) as service,
        pytest.raises(ProviderPartial, match=r"expected 4 items; found 4 items and more"),
    ):
        client(service, tmp_path / "cache", page=4).database()  # of five occupations


def test_a_run_cut_off_halfway_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    with OnetStandIn(folder, "29.3") as service:
        provider = client(service, tmp_path / "cache")
        provider.database()
        for name in ("task_statements", "technology_skills"):
            (tmp_path / "cache" / "29.3" / f"{name}.receipt.json").unlink()
        asked = len(service.requests)
        provider.database()
        again = {request.path.rpartition("/")[2] for request in service.requests[asked:]}
    assert again == {"about", "task_statements", "technology_skills"}


def test_a_host_of_the_old_version_is_told_as_such(service: OnetStandIn, tmp_path: Path) -> None:
    old = Service(service.key, f"{service.base_url}ws/", pause=0.0, backoff=0.01)
    with pytest.raises(ProviderPartial, match="version 2"):
        WebServices(old, tmp_path / "cache").database()


def test_no_answer_at_all_is_told(folder: Path, tmp_path: Path) -> None:
    with OnetStandIn(folder, "29.3") as service:
        provider = client(service, tmp_path / "cache")
    with pytest.raises(ProviderPartial, match="did not answer"):
        provider.database()


def test_rows_that_no_rule_knows_stop_the_provider_as_they_stop_the_reader(tmp_path: Path) -> None:
    folder = write_text(tmp_path / "onet_29_3")
    skills = folder / "Skills.txt"
    skills.write_text(skills.read_text(encoding="utf-8").replace("4.12", "6.5"), encoding="utf-8", newline="")
    with OnetStandIn(folder, "29.3") as service, pytest.raises(SourceMalformed, match="database/rows/skills"):
        client(service, tmp_path / "cache").database()


def test_tables_under_unknown_names_are_not_taken_for_none(tmp_path: Path) -> None:
    given = tables()
    given.pop("Knowledge")
    said = pytest.raises(ProviderPartial, match=r"expected knowledge; found .*skills")
    with OnetStandIn(write_text(tmp_path / "onet_29_3", given), "29.3") as service, said:
        client(service, tmp_path / "cache").database()


def test_keys_may_be_spelled_otherwise(folder: Path, tmp_path: Path) -> None:
    with OnetStandIn(folder, "29.3", faults=Faults(respelled=True)) as service:
        fetched = client(service, tmp_path / "cache").database()
    files = DatabaseFiles(folder).database()
    assert _same_content(fetched, files)


# --- one occupation -------------------------------------------------------------------------------------------------


def test_details_come_whole_and_agree_with_the_tables(shared_data: Path, tmp_path: Path) -> None:
    files = DatabaseFiles(shared_data / "onet_29_3").database()
    with OnetStandIn(shared_data / "onet_29_3", "29.3") as service:
        provider = client(service, tmp_path / "cache")
        skills = provider.details("25-2021.00", "skills")
        interests = provider.details("25-2021.00", "interests")
        tasks = provider.details("25-2021.00", "tasks", "task")
        software = provider.details("25-2021.00", "technology_skills", "category")
        none = [provider.details(code, "skills") for code in ("15-1252.00", "99-9999.00")]
    assert len(skills) == 35  # of which the service gives 20 unless asked for all
    ratings = files.ratings.filter(pc.equal(files.ratings["soc"], "25-2021.00"))
    ours = {
        record["element_id"]: importance(record["value"])
        for record in ratings.to_pylist()
        if record["domain"] == "skills" and record["scale_id"] == "IM"
    }
    assert {element["id"]: element["importance"] for element in skills} == ours
    assert [len(found) for found in (interests, none[0], none[1])] == [6, 0, 0]
    assert all("importance" not in task for task in tasks)  # no rating stands in for none
    assert {task["category"] for task in tasks} <= {"Core", "Supplemental", "New"}
    assert software[0]["example"]


def test_an_empty_section_is_empty_and_an_unknown_one_an_error(service: OnetStandIn, tmp_path: Path) -> None:
    provider = client(service, tmp_path / "cache")
    assert provider.details(SOCS[4], "skills") == []
    with pytest.raises(ProviderPartial, match="404"):
        provider.details(SOCS[0], "essentials")


def test_values_can_be_made_from_what_the_service_gives(service: OnetStandIn, tmp_path: Path) -> None:
    crosswalk = read_crosswalk(write_crosswalk(tmp_path / "c.csv", [("21211", SOCS[0])]), "crosswalk").table
    values: pa.Table = unit_group_values(client(service, tmp_path / "cache").database(), crosswalk)
    assert values.num_rows > 10


# --- as the imputer asks --------------------------------------------------------------------------------------------


def test_the_imputer_asks_the_service_as_its_settings_say(
    service: OnetStandIn, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONET_API_KEY", service.key)
    monkeypatch.setenv("ONET_BASE_URL", service.base_url)
    fetched = provided_database("web", tmp_path / "output")
    assert _same_content(fetched, DatabaseFiles(folder).database())
    times = [request.at for request in service.requests]
    assert times[-1] - times[0] >= 0.2 * (len(times) - 2)  # at least 0.2 s apart unless told otherwise
    assert (tmp_path / "output" / "onet" / "29.3" / "skills.json").is_file()
    monkeypatch.delenv("ONET_API_KEY")
    assert _same(provided_database("web", tmp_path / "output"), fetched)


def test_files_that_are_not_there_are_not_replaced_by_the_service(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="WIQ_ONET=web"):
        provided_database("database", tmp_path / "output")
