"""The tracker's routes from the client's side: HTTP Basic, patience with a busy server, errors that a user can read."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

ATTEMPTS = 4
LONGEST_PAUSE_S = 60.0
TIMEOUT_S = 120.0
"""A sync of many new items waits for their providers."""
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class TrackerError(Exception):
    """The server cannot be used now; the message is for the user."""


class RefusedError(TrackerError):
    """The server refuses this request, others may pass: `status` and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Tracker:
    """One user at one server. All methods raise TrackerError; a call that returns is confirmed by the server."""

    client: httpx.Client
    tell: Callable[[str], None]
    """Gets a line when there is something to wait for."""
    first_pause_s: float = 0.5
    """Pause before a second attempt where the server names none; it doubles."""

    @classmethod
    def connect(cls, url: str, user: str, password: str, tell: Callable[[str], None]) -> "Tracker":
        """Prepare; nothing is sent yet. Raises TrackerError for an address that is none."""
        try:
            client = httpx.Client(base_url=url, auth=httpx.BasicAuth(user, password), timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise TrackerError(f"{url!r} is not an address: {error}") from None
        return cls(client, tell)

    def add(self, path: str, field: str, items: Sequence[object]) -> int:
        """Post items; return how many of them were new."""
        answer = self._send("POST", path, {field: items})
        added = [value for name, value in answer.items() if name.endswith("_added") and isinstance(value, int)]
        if len(added) != 1:
            raise TrackerError(f"{self.client.base_url} does not answer as a tracker")
        return added[0]

    def shows(self) -> list[dict[str, Any]]:
        """Return the shows: folder_name, tvdb_id, tvdb_name, tvdb_image."""
        shows = self._send("GET", "shows").get("shows")
        if not isinstance(shows, list):
            raise TrackerError(f"{self.client.base_url} does not answer as a tracker")
        return shows

    def name_show(self, folder: str, tvdb_id: int) -> None:
        """Give a folder its TVDB series. RefusedError of 404: TVDB does not know the id; of 502: it cannot be asked."""
        self._send("PUT", "show", {"folder_name": folder, "tvdb_id": tvdb_id})

    def progress(self) -> dict[str, Any]:
        """Return the totals."""
        return self._send("GET", "progress")

    def _send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            pause_s = self.first_pause_s * 2 ** (attempt - 1)
            try:
                response = self.client.request(method, path, json=body)
            except httpx.UnsupportedProtocol:
                raise TrackerError(f"{self.client.base_url} is not an http or https address") from None
            except httpx.TransportError as error:
                problem = f"no answer from {self.client.base_url} ({error or type(error).__name__})"
            else:
                if response.status_code not in BUSY:
                    return _answer(response)
                problem = f"the server is busy: {_message(response)}"
                asked_s = _retry_after_s(response)
                pause_s = pause_s if asked_s is None else asked_s
            if attempt < ATTEMPTS and pause_s <= LONGEST_PAUSE_S:
                self.tell(f"Waiting {pause_s:.0f} s: {problem}" if pause_s >= 1 else f"Trying again: {problem}")
                time.sleep(pause_s)
            else:
                break
        raise TrackerError(problem)


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        raise TrackerError("the server does not know this user and password")
    if not response.is_success:
        raise RefusedError(response.status_code, f"{_message(response)} ({response.status_code})")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise TrackerError(f"{response.url} does not answer as a tracker")
    return answer


def _message(response: httpx.Response) -> str:
    """Return the server's own words, of its error format or of a gateway's."""
    try:
        answer = response.json()
        return str(answer["error"]["message"] if "error" in answer else answer["message"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase or "no reason given"


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
