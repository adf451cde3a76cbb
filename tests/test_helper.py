"""A helper process: answers in order, errors as they were raised, and an end that nobody overlooks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from schemas.errors import RunError
from wiq_crawl.errors import CrawlError, StructureDrift
from wiq_crawl.helper import Helper, HelperTraceback

if TYPE_CHECKING:
    from collections.abc import Iterator


class NeedsTwo(Exception):
    """An error that its pickle cannot make again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def drift() -> NoReturn:
    error = StructureDrift("a message", "expected", "found", "https://example.org/", "//main", 3, "look")
    raise error


def broken() -> NoReturn:
    raise ZeroDivisionError("by zero")


def odd() -> NoReturn:
    raise NeedsTwo("one", "two")


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Helper]:
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))  # noqa: PTH120 (for the functions above)
    helper = Helper()
    yield helper
    helper.close()
    assert helper.process.returncode is not None


def test_answers_come_in_order_however_large(helper: Helper) -> None:
    async def calls() -> list[str]:
        sizes = [3_000_000, 1, 500_000, 0, 2_000_000] * 4
        return await asyncio.gather(*(helper.call(str.upper, "a" * size) for size in sizes))

    assert [len(answer) for answer in asyncio.run(calls())] == [3_000_000, 1, 500_000, 0, 2_000_000] * 4
    assert helper.waiting() == 0


def test_waiting_calls_are_counted_without_the_loop(helper: Helper) -> None:
    async def calls() -> tuple[int, int]:
        answers = [asyncio.ensure_future(helper.call(abs, -number)) for number in range(3)]
        await asyncio.sleep(0)
        before = helper.waiting()
        while helper.waiting():
            time.sleep(0.01)  # noqa: ASYNC251 (nothing else looks whether answers have come)
        assert await asyncio.gather(*answers) == [0, 1, 2]
        return before, helper.waiting()

    before, after = asyncio.run(calls())
    assert before > 0
    assert after == 0


def test_error_of_a_page_comes_through_whole(helper: Helper) -> None:
    with pytest.raises(StructureDrift) as raised:
        asyncio.run(helper.call(drift))
    assert raised.value == StructureDrift("a message", "expected", "found", "https://example.org/", "//main", 3, "look")
    assert raised.value.kind == "structure_drift"


def test_any_error_brings_its_traceback(helper: Helper) -> None:
    with pytest.raises(ZeroDivisionError, match="by zero") as raised:
        asyncio.run(helper.call(broken))
    assert isinstance(raised.value.__cause__, HelperTraceback)
    assert "in broken" in str(raised.value.__cause__)
    assert asyncio.run(helper.call(abs, -1)) == 1


def test_error_that_does_not_pickle_is_told_in_words(helper: Helper) -> None:
    with pytest.raises(RunError, match="NeedsTwo: one and two"):
        asyncio.run(helper.call(odd))


def test_result_that_does_not_pickle_is_an_error(helper: Helper) -> None:
    with pytest.raises(Exception, match="pickle"):
        asyncio.run(helper.call(memoryview, b"text"))


def test_what_is_printed_does_not_garble_answers(helper: Helper, capfd: pytest.CaptureFixture[str]) -> None:
    asyncio.run(helper.call(print, "printed", flush=True))
    assert asyncio.run(helper.call(json.loads, "[1]")) == [1]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_are_for_the_process_that_calls(helper: Helper, interrupt: signal.Signals) -> None:
    assert asyncio.run(helper.call(abs, -1)) == 1
    helper.process.send_signal(interrupt)
    assert asyncio.run(helper.call(abs, -2)) == 2


def test_every_call_fails_once_the_process_has_ended(helper: Helper) -> None:
    async def calls() -> list[object]:
        waiting = [asyncio.ensure_future(helper.call(time.sleep, 60)) for _ in range(2)]
        await asyncio.sleep(0.1)
        helper.process.kill()
        found: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
        return [*found, *await asyncio.gather(helper.call(abs, -1), return_exceptions=True)]

    for error in asyncio.run(calls()):
        assert isinstance(error, CrawlError)
        assert (error.message, error.found) == ("the process that reads pages has ended", "SIGKILL")


def test_process_that_ended_while_it_was_idle_is_noticed(helper: Helper) -> None:
    assert asyncio.run(helper.call(abs, -1)) == 1
    helper.process.kill()
    helper.process.wait()
    with pytest.raises(CrawlError, match="SIGKILL"):
        asyncio.run(helper.call(abs, -1))


def test_exit_status_is_told(helper: Helper) -> None:
    with pytest.raises(CrawlError, match="exit status 7"):
        asyncio.run(helper.call(os._exit, 7))


def test_closing_cancels_what_waits(helper: Helper) -> None:
    async def calls() -> None:
        waiting = asyncio.ensure_future(helper.call(time.sleep, 0.2))
        await asyncio.sleep(0.05)
        helper.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(calls())
    helper.close()
