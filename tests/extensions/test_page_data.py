"""What is kept of pages: dropped when they are read again, joined across processes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from page_data import keep_by_page, kept


class App:
    """An application that only remembers what is connected to its events."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def connect(self, event: str, handler: Any) -> None:
        self.events[event] = handler


def test_an_object_is_made_once() -> None:
    env: Any = SimpleNamespace()
    first = kept(env, "book_things", list[int])
    first.append(1)
    assert kept(env, "book_things", list[int]) is first
    assert kept(env, "book_others", list[int]) == []


def test_tables_follow_the_pages() -> None:
    app: Any = App()
    keep_by_page(app, lambda env: [env.runs, env.lists])
    mine = SimpleNamespace(runs={"a": 1, "c": 3}, lists={"a": [1]})
    theirs = SimpleNamespace(runs={"a": 2, "b": 4, "elsewhere": 5}, lists={"b": [2]})
    app.events["env-merge-info"](app, mine, {"a", "b"}, theirs)
    assert mine.runs == {"a": 2, "b": 4, "c": 3}
    assert mine.lists == {"a": [1], "b": [2]}
    app.events["env-purge-doc"](app, mine, "a")
    assert mine.runs == {"b": 4, "c": 3}
    assert mine.lists == {"b": [2]}
