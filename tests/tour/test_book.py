"""The guest book is bounded, and tells its news."""

from __future__ import annotations

import asyncio

from innkeeper.tour.book import HOPS, VISITS, Book
from innkeeper.tour.visit import moved
from tests.tour.world import hop, visit


def test_the_oldest_visit_leaves_when_the_book_is_full() -> None:
    book = Book()
    for n in range(VISITS + 1):
        book.add(visit(id=f"v{n}"))
    assert "v0" not in book
    assert "v1" in book
    assert f"v{VISITS}" in book


def test_a_visit_keeps_its_first_hops_only() -> None:
    book = Book()
    book.add(visit())
    assert [book.number("v1") for _ in range(HOPS)] == list(range(1, HOPS + 1))
    assert book.number("v1") is None
    assert book.number("nobody") is None


def test_hops_stand_in_the_order_they_began_whatever_ended_first() -> None:
    book = Book()
    book.add(visit())
    book.record("v1", hop(n=2, label="b"))
    book.record("v1", hop(n=1, label="a"))
    assert [one.n for one in book.hops("v1")] == [1, 2]
    found = book.labelled("v1", "b")
    assert found is not None
    assert found.n == 2
    assert book.labelled("v1", "c") is None


def test_what_is_written_of_a_visit_that_left_is_forgotten() -> None:
    book = Book()
    book.write(visit())
    book.record("v1", hop())
    assert "v1" not in book
    assert book.hops("v1") == ()


def test_news_come_after_every_change_and_end_with_the_visit() -> None:
    async def listen() -> list[int]:
        book, heard = Book(), []
        book.add(visit())
        async for version in book.news("v1", patience=5):
            heard.append(version)
            if version == 0:
                book.write(moved(visit(), "leave"))
            if version == 1:
                book.record("v1", hop())
            if version == 2:
                for n in range(VISITS):
                    book.add(visit(id=f"other-{n}"))
        return heard

    assert asyncio.run(listen()) == [0, 1, 2]


def test_news_end_when_nothing_happens() -> None:
    async def listen() -> list[int]:
        book = Book()
        book.add(visit())
        return [version async for version in book.news("v1", patience=0)]

    assert asyncio.run(listen()) == [0]
