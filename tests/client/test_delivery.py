"""What waits is delivered once in effect; one poisoned line blocks nobody; a server that is away loses nothing."""

from __future__ import annotations

import json
import logging
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from tenure.client.delivery import BATCH, Delivery, Reply
from tenure.client.spool import REJECTED, Spool


class Server:
    """Takes lines by id; knows which are poison."""

    def __init__(self) -> None:
        self.status, self.poison, self.whole = 200, set[str](), set[str]()
        self.batches: list[tuple[str, int]] = []
        self.seen: list[str] = []
        self.lose_answer = False
        self.verdict = "RequestError"

    def __call__(self, path: str, content: bytes) -> Reply:
        lines = [json.loads(line)["id"] for line in content.splitlines()]
        self.batches.append((path, len(lines)))
        if self.status != 200:
            return Reply(self.status, "no")
        if self.whole & set(lines):
            return Reply(422, "a bad body")
        self.seen += [name for name in lines if name not in self.poison]
        if self.lose_answer:
            raise ConnectionError("the answer was lost")
        return Reply(
            200,
            "\n".join(
                json.dumps({"error": self.verdict} if name in self.poison else {"status": "created"}) for name in lines
            ),
        )


def line(name: str, kind: str = "outcome") -> dict[str, Any]:
    return {"kind": kind, "body": {"id": name}}


def made(folder: Path) -> tuple[Spool, Server, Delivery]:
    spool, server = Spool(folder), Server()
    return spool, server, Delivery(spool, server, 0.005, random.Random(1))


def aside(folder: Path) -> list[Any]:
    path = folder / REJECTED
    return [json.loads(text)["body"]["id"] for text in path.read_text().splitlines()] if path.exists() else []


def test_it_goes_in_batches_to_where_its_kind_belongs(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    spool.append([line("f", "fallback"), *[line(str(n)) for n in range(BATCH + 1)]])
    assert delivery.flush()
    assert server.batches == [("/fallbacks", 1), ("/outcomes", BATCH), ("/outcomes", 1)]
    assert (delivery.delivered, spool.waiting) == (BATCH + 2, 0)


def test_a_poisoned_line_is_moved_aside_and_the_others_get_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, server, delivery = made(tmp_path)
    server.poison = {"b"}
    spool.append([line("a"), line("b"), line("c")])
    with caplog.at_level(logging.ERROR, "tenure.client"):
        assert delivery.flush()
    assert (server.seen, aside(tmp_path)) == (["a", "c"], ["b"])
    assert (delivery.delivered, delivery.rejected) == (2, 1)
    assert "moved aside" in caplog.text
    spool.append([line("d")])
    assert delivery.flush()
    assert server.seen == ["a", "c", "d"]


def test_a_batch_refused_as_a_whole_is_halved_down_to_the_line_to_blame(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    server.whole = {"5"}
    spool.append([line(str(n)) for n in range(9)])
    assert delivery.flush()
    assert server.seen == [str(n) for n in range(9) if n != 5]
    assert aside(tmp_path) == ["5"]


def test_a_line_of_no_known_kind_is_moved_aside(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    spool.append([line("x", "riddle"), line("a")])
    assert delivery.flush()
    assert (server.seen, aside(tmp_path)) == (["a"], ["x"])


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503])
def test_a_server_that_is_away_or_shut_loses_nothing(tmp_path: Path, status: int) -> None:
    spool, server, delivery = made(tmp_path)
    server.status = status
    spool.append([line("a")])
    assert not delivery.flush()
    assert f"status {status}" in delivery.last_error
    server.status = 200
    assert delivery.flush()
    assert server.seen == ["a"]


def test_a_lost_answer_means_the_same_line_again(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    spool.append([line("a")])
    server.lose_answer = True
    assert not delivery.flush()
    server.lose_answer = False
    assert delivery.flush()
    assert server.seen == ["a", "a"]  # by its id it counts once


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"status": "created"}\n{"status": "created"}'])
def test_an_answer_without_one_verdict_per_line_acknowledges_nothing(tmp_path: Path, text: str) -> None:
    spool = Spool(tmp_path)
    spool.append([line("a")])
    assert not Delivery(spool, lambda _, __: Reply(200, text)).flush()
    assert spool.waiting == 1


def test_a_log_that_was_away_for_one_line_is_no_poison(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    server.poison, server.verdict = {"a"}, "StoreError"
    spool.append([line("a")])
    assert not delivery.flush()
    assert aside(tmp_path) == []


def test_what_a_dead_process_left_is_delivered_by_the_next(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append([line("a")])
    first.close()
    _, server, delivery = made(tmp_path)
    assert delivery.flush()
    assert server.seen == ["a"]


def test_the_background_delivers_by_itself_and_goes_on_after_trouble(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    arrived, tried = threading.Event(), threading.Event()

    def post(path: str, content: bytes) -> Reply:
        if not tried.is_set():
            tried.set()
            raise ConnectionError("away")
        reply = server(path, content)
        arrived.set()
        return reply

    delivery._post = post
    spool.append([line("a")])
    delivery.start()
    delivery.start()
    assert arrived.wait(10)
    assert delivery.close()
    assert server.seen == ["a"]
    assert delivery.troubles == 1


def test_closing_delivers_what_can_be_and_leaves_the_rest(tmp_path: Path) -> None:
    spool, server, delivery = made(tmp_path)
    server.status = 503
    spool.append([line("a")])
    assert not delivery.close()
    _, healthy, later = made(tmp_path)
    assert later.flush()
    assert healthy.seen == ["a"]
