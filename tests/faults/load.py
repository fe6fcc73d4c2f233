"""Clients under load, each with a ledger of its own that is on disk before it goes on."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

RETRY_S = 0.002


class Caller:
    """One connection that is opened again whenever it breaks.

    Args:
        port: of the server.
        timeout_s: after which a request counts as unanswered.
    """

    def __init__(self, port: int, timeout_s: float = 10.0) -> None:
        self._port, self._timeout_s = port, timeout_s
        self._http: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request.

        Raises:
            OSError: nobody answered.
        """
        try:
            if self._http is None:
                self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
                self._http.connect()
                self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._http.request("POST", path, json.dumps(body).encode(), {"content-type": "application/json"})
            response = self._http.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise OSError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None


class Ledger:
    """Lines on disk: what is written here was acknowledged, whatever dies next."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.path = path

    def write(self, line: dict[str, Any]) -> None:
        """Keep one line for good."""
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def lines(self) -> list[dict[str, Any]]:
        """All lines."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]


class Load:
    """Threads that decide and report without pause, retrying under the same ids until they are answered.

    Args:
        port: of the server, dead or alive.
        folder: for the ledgers.
        callers: how many threads.
        name: what its ids begin with.
    """

    def __init__(self, port: int, folder: Path, callers: int = 3, name: str = "c") -> None:
        self._port, self._name, self._stop = port, name, threading.Event()
        self.ledgers = [Ledger(folder / f"ledger-{number}.jsonl") for number in range(callers)]
        self.refused: list[Any] = []
        self.answered = 0
        self.reasons: Counter[str] = Counter()
        self._threads = [
            threading.Thread(target=self._run, args=(number, ledger)) for number, ledger in enumerate(self.ledgers)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        for ledger in self.ledgers:
            ledger.close()

    def acknowledged(self) -> list[dict[str, Any]]:
        """All ledgers together."""
        return [line for ledger in self.ledgers for line in ledger.lines()]

    def _run(self, caller: int, ledger: Ledger) -> None:
        link, number, owed = Caller(self._port), 0, list[dict[str, Any]]()
        while not self._stop.is_set():
            number += 1
            name = f"{self._name}{caller}-{number}"
            asked = {"decision_id": name, "unit_id": f"u{number % 50}", "context": {"x": number % 10}}
            answer = self._until_answered(link, asked)
            if answer is None:
                break
            self.reasons[answer["reason"]] += 1
            ledger.write({"decision": name, **{word: answer[word] for word in ("action", "arm", "reason")}})
            owed.append({"outcome_id": "o", "decision_id": name, "signals": {"cost": number % 100}})
            while owed and (receipt := self._reported(link, owed[0])) is not None:
                ledger.write({"outcome": "o", "of": owed.pop(0)["decision_id"], "place": receipt["place"]})
        link.close()

    def _until_answered(self, link: Caller, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None when it is time to stop, or the request was refused."""
        while not self._stop.is_set():
            try:
                status, answer = link.post("/v1/toy/decisions", asked)
            except OSError:
                time.sleep(RETRY_S)
                continue
            if status != 200:
                self.refused.append((status, answer))
                return None
            self.answered += 1
            return answer
        return None

    def _reported(self, link: Caller, report: dict[str, Any]) -> dict[str, Any] | None:
        """The receipt of an outcome; None when it could not be taken now, and must be sent again."""
        try:
            status, receipt = link.post("/v1/toy/outcomes", report)
        except OSError:
            return None
        if status < 500 and status != 200:
            self.refused.append((status, receipt))
        return receipt if status == 200 else None
