"""Calls of a web service that takes and gives JSON: tried again, within its limits, and ended at will.

A call is given up when it is refused (a status of 400 to 499, but for those that pass) or has failed too often.
Between its tries it waits as long as the service asks (Retry-After), and so do all other calls; or else twice as long
from time to time, by a share that chance takes off, so that calls that failed together do not come back together.
"""

import contextlib
import email.utils
import http.client
import json
import logging
import random
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529)  # statuses that pass
REFUSED = ("insufficient_quota", "billing_hard_limit_reached")  # codes with a status of 429 that do not
FIRST, LONGEST = 0.5, 60.0  # seconds between tries
LONGEST_ASKED = 900.0  # seconds that a service may ask to wait
CONNECT = 30.0  # seconds
BLOCK = 1 << 16  # bytes read at a time
SHOWN = 500  # characters of a service's message
TOLD = 10.0  # seconds between warnings


class Ended(Exception):
    """The session was ended while a call was on its way."""


class Pace:
    """Lets so much pass in a minute, evenly; 0: without a limit."""

    def __init__(self, per_minute: int):
        self._seconds = 60 / per_minute if per_minute else 0.0
        self._free, self._lock = 0.0, threading.Lock()

    def take(self, amount: float) -> float:
        """The seconds to wait before `amount` may pass, which is hereby taken."""
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._free)
            self._free = begin + amount * self._seconds
            return begin - now

    def give_back(self, amount: float):
        """What was taken and not used; below 0, what was used beyond it."""
        with self._lock:
            self._free -= amount * self._seconds


class Session:
    """Connections to the service at `url`, one for each thread that calls; `secret` is its key, or "".

    No message that leaves this class holds the secret.
    """

    def __init__(self, url: str, secret: str, *, timeout: float, tries: int):
        self.url, self.timeout, self.tries = url.rstrip("/"), timeout, tries
        self.retries = 0
        self._secret, self._parts = secret, urllib.parse.urlsplit(self.url)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if secret:
            self._headers["Authorization"] = f"Bearer {secret}"
        self._proxy = _proxy(self._parts)
        self._context = ssl.create_default_context() if self._parts.scheme == "https" else None
        self._own, self._open, self._lock = threading.local(), set(), threading.Lock()
        self._leaving, self._ended = threading.Event(), False
        self._quiet = self._told = 0.0  # until when all wait; when a warning was given

    def post(self, path: str, body: dict, read: Callable[[dict], object], *, pause: Callable[[], float], seed: int):
        """What `read` makes of the answer to `body`; it may raise ValueError, TypeError, KeyError for a malformed one.

        `pause()` gives the seconds that the pace wants before each try; `seed` decides the chance between tries.
        PermissionError (401, 403) and ValueError for what is refused, ConnectionError for what failed `tries` times:
        each names URL, status and the service's message.
        """
        data, chance, wait = json.dumps(body).encode(), random.Random(seed), 0.0
        for number in range(self.tries):
            self._wait(max(wait, pause()))
            wait = chance.uniform(0.5, 1) * min(LONGEST, FIRST * 2**number)
            try:
                status, headers, text = self._send(path, data)
            except ssl.SSLCertVerificationError as error:
                raise ConnectionError(self._said(path, error)) from None
            except (OSError, http.client.HTTPException) as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if status == 200:
                    try:
                        return read(json.loads(text))
                    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
                        why = f"status 200 with a malformed answer: {_text(self._hidden(text))}"
                else:
                    why = f"status {status}: {_message(self._hidden(text))}"
                    if status not in AGAIN or any(code in why for code in REFUSED):
                        kind = PermissionError if status in (401, 403) else ValueError
                        raise kind(self._said(path, why)) from None
                    wait = self._asked(path, headers, wait)
            if self._leaving.is_set() or number + 1 == self.tries:
                break
            self._failed(path, why)
        raise ConnectionError(self._said(path, f"given up after {number + 1} tries, the last: {why}"))

    def leave(self):
        """Let calls that are on their way come to their end; none is tried again, and none that waits is sent."""
        self._leaving.set()

    def end(self):
        """End all calls at once; their connections are closed."""
        self._leaving.set()
        with self._lock:
            self._ended = True
            for connection in self._open:
                _shut(connection)

    def close(self):
        """Close the connections, when no call is on its way any more."""
        for connection in self._open:
            connection.close()

    def _wait(self, seconds):
        until = time.monotonic() + seconds
        while (left := max(until, self._quiet) - time.monotonic()) > 0 and not self._leaving.wait(left):
            pass
        if self._leaving.is_set():
            raise Ended

    def _asked(self, path, headers, wait):
        """The seconds to wait that the service asks for, or else `wait`."""
        asked = _seconds(headers.get("Retry-After"))
        if asked is None:
            return wait
        if asked > LONGEST_ASKED:
            raise ConnectionError(self._said(path, f"it asks to come back in {asked:,.0f} seconds"))
        self._quiet = max(self._quiet, time.monotonic() + asked)
        return asked

    def _failed(self, path, why):
        with self._lock:
            self.retries += 1
            now = time.monotonic()
            tell, self._told = now - self._told > TOLD, max(self._told, now if now - self._told > TOLD else 0)
        if tell:
            logging.getLogger("mathjax").warning("%s; trying again", self._said(path, why))

    def _said(self, path, why):
        return f"{self.url}{path}: {self._hidden(str(why).encode()).decode()}"

    def _hidden(self, data):
        """Bytes without the secret, before anything is cut off them that could leave a part of it."""
        return data.replace(self._secret.encode(), b"***") if self._secret else data

    def _send(self, path, data):
        """(status, headers, body) of one try."""
        until = time.monotonic() + self.timeout
        connection = self._connection()
        used = connection.sock is not None
        try:
            try:
                response = self._request(connection, path, data, until)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not used:
                    raise
                connection.close()  # it lay idle, and the service has closed it: no failure
                response = self._request(connection, path, data, until)
            parts = []
            while part := response.read1(BLOCK):
                parts.append(part)
                self._limit(connection, until)
            if response.length:
                raise http.client.IncompleteRead(b"".join(parts), response.length)
            response.close()  # so that the connection can be used again
            return response.status, response.headers, b"".join(parts)
        except BaseException:
            connection.close()
            if self._ended:
                raise Ended from None
            raise

    def _request(self, connection, path, data, until):
        if connection.sock is None:
            connection.timeout = min(CONNECT, self.timeout)
            connection.connect()
        if self._ended:
            raise Ended
        self._limit(connection, until)
        target = f"{self._parts.path}{path}"
        if self._proxy and not self._context:
            target = f"{self.url}{path}"
        connection.request("POST", target, data, self._headers)
        return connection.getresponse()

    def _limit(self, connection, until):
        """Let the next read end in time; what is read of a connection that is done with needs no limit."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no whole answer in {self.timeout:g} seconds")
        if connection.sock is not None:
            connection.sock.settimeout(left)

    def _connection(self):
        if not hasattr(self._own, "connection"):
            host, port = self._proxy or (self._parts.hostname, self._parts.port)
            if self._context:
                connection = http.client.HTTPSConnection(host, port, context=self._context)
                if self._proxy:
                    connection.set_tunnel(self._parts.hostname, self._parts.port or 443)
            else:
                connection = http.client.HTTPConnection(host, port)
            self._own.connection = connection
            with self._lock:
                self._open.add(connection)
        return self._own.connection


def _proxy(parts):
    """(host, port) of the proxy that the environment names for a URL; None without one, and on this machine."""
    found = urllib.request.getproxies().get(parts.scheme)
    if not found or parts.hostname in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(parts.hostname):
        return None
    place = urllib.parse.urlsplit(found if "://" in found else f"http://{found}")
    return place.hostname, place.port or 80


def _shut(connection):
    """Wake the thread that waits for a connection, by closing its line."""
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(2)


def _seconds(text):
    """What Retry-After says: seconds, or a date; None where it says nothing that can be read."""
    try:
        seconds = float(text)
        return seconds if seconds >= 0 else None
    except (TypeError, ValueError):
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _message(text):
    """The service's own words, whatever form it gives them."""
    try:
        found = json.loads(text)
    except ValueError:
        return _text(text)
    for name in ("error", "detail", "message"):
        if isinstance(found, dict) and found.get(name):
            code, found = found.get("code"), found[name]
    said = found if isinstance(found, str) else json.dumps(found)
    return _text(f"{said} ({code})".encode() if isinstance(found, str) and code else said.encode())


def _text(data):
    text = " ".join(data.decode("utf-8", "replace").split())
    return text if len(text) <= SHOWN else text[:SHOWN] + " ..."
