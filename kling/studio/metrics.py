"""The studio's figures in the text form of Prometheus, made anew for each reader.

No label is a prompt, a name of a person or an id. Labels have few values: a model that the catalog does not
know and an account that is not in use are called `other`, because anybody may type one.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kling.catalog import catalog
from kling.studio.archive import free_bytes
from kling.studio.jobs import STATES
from kling.studio.service import Studio

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Connections:
    """What the web server knows.

    Args:
        sockets: how many WebSockets are open.
        sessions: how many people's sessions are signed in.
        requests: how many requests were answered, by the first digit of the status.
    """

    sockets: int = 0
    sessions: int = 0
    requests: tuple[tuple[str, int], ...] = ()


class Metrics:
    """Writes the figures. The library is imported at the first use: it takes 0.1 s and 9 MB.

    Args:
        studio: whose figures they are.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._lock = threading.Lock()
        self._process: CollectorRegistry | None = None

    def text(self, connections: Connections) -> bytes:
        """Return all figures; it reads the disk, so do not call it on an event loop."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        with self._lock:
            if self._process is None:
                self._process = CollectorRegistry()
                ProcessCollector(registry=self._process)
            process = generate_latest(self._process)
        registry = CollectorRegistry()
        registry.register(_Collector(self._studio, connections))
        return generate_latest(registry) + process


class _Collector:
    """Gives the figures of one moment to the library."""

    def __init__(self, studio: Studio, connections: Connections) -> None:
        self._studio, self._connections = studio, connections

    def describe(self) -> list[Any]:
        return []  # so that registering does not collect

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        def gauge(name: str, help_: str, value: float) -> Any:
            return GaugeMetricFamily(f"studio_{name}", help_, value=value)

        studio, connections = self._studio, self._connections
        yield self._jobs()
        yield self._spending()
        yield gauge("jobs_running", "Jobs of the account that were sent and have not ended.", studio.running)
        yield gauge("jobs_waiting", "Jobs of the account that wait to be sent.", studio.waiting)
        at_risk, gone = studio.downloads.not_safe
        yield gauge("videos_not_stored", "Videos that Kling has and the archive has not.", at_risk)
        yield gauge("videos_gone", "Videos that Kling deleted before they were stored.", gone)
        age = studio.health.turn_age()
        yield gauge("poller_last_turn_age_seconds", "How long ago the poller gave a sign of life.", age)
        failing = bool(studio.poller.trouble)
        yield gauge("poller_in_trouble", "Whether the last poll of Kling failed (1) or not (0).", failing)
        yield self._health()
        folder = studio.settings.data_dir
        yield gauge("disk_free_bytes", "Free bytes on the disk of the data folder.", free_bytes(folder))
        stat = os.statvfs(folder)
        yield gauge("disk_size_bytes", "Size of that disk.", stat.f_blocks * stat.f_frsize)
        yield gauge("warnings", "How many warnings the pages show.", sum(1 for _ in studio.warnings))
        yield gauge("sockets", "Open WebSockets.", connections.sockets)
        yield gauge("sessions", "Sessions of people who are signed in.", connections.sessions)
        requests = CounterMetricFamily("studio_requests", "Answered requests.", labels=["status"])
        for status, count in connections.requests:
            requests.add_metric([status], count)
        yield requests

    def _jobs(self) -> Any:
        from prometheus_client.core import GaugeMetricFamily

        jobs = GaugeMetricFamily("studio_jobs", "Jobs in the log.", labels=["account", "model", "state"])
        known = catalog().models.keys()
        counts: Counter[tuple[str, str, str]] = Counter()
        for (account, model, state), count in self._studio.ledger.index.counts().items():
            names = (self._account(account), model if model in known else OTHER)
            counts[*names, state if state in STATES else OTHER] += count
        for labels, count in sorted(counts.items()):
            jobs.add_metric(labels, count)
        return jobs

    def _spending(self) -> Any:
        from prometheus_client.core import GaugeMetricFamily

        labels = ["account", "period", "kind", "unit"]
        spent = GaugeMetricFamily("studio_spent", "What the team has used of its account.", labels=labels)
        team, account = self._studio.spending.team(), self._account(self._studio.accounts.name)
        for period, of_period in (("day", team.day), ("month", team.month)):
            for kind, amount in (("reserved", of_period.reserved), ("settled", of_period.settled)):
                spent.add_metric([account, period, kind, "units"], float(amount.units))
                spent.add_metric([account, period, kind, self._studio.settings.currency], float(amount.money))
        return spent

    def _health(self) -> Any:
        from prometheus_client.core import GaugeMetricFamily

        health = GaugeMetricFamily("studio_part_works", "Whether a part works (1).", labels=["part"])
        for part, works in self._studio.health.parts().items():
            health.add_metric([part], works)
        return health

    def _account(self, name: str) -> str:
        """Return the host of the account; not the fingerprint of its key."""
        if name in {"", "sandbox"}:
            return name or OTHER
        return name.partition("#")[0] if name == self._studio.accounts.name else OTHER
