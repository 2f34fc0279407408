"""The process of the daemon does not keep what failed rounds leave behind."""

import asyncio
import gc
import weakref

import pytest

from healthd.daemon import service


class Error(Exception):
    """One that refers to itself, as a traceback does to the frame that has the error."""

    def __init__(self) -> None:
        super().__init__("no answer")
        self.own = self


async def test_an_error_that_refers_to_itself_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "GARBAGE_S", 0.0)
    monkeypatch.setattr(gc, "freeze", lambda: None)  # the other tests go on with what is here
    gc.collect()
    gc.disable()
    try:
        error = Error()
        left = weakref.ref(error)
        del error
        assert left() is not None
        task = asyncio.create_task(service._collect_garbage())
        await asyncio.sleep(0.01)
        task.cancel()

        assert left() is None
    finally:
        gc.enable()
