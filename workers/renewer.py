"""Keeps leases alive from a thread and a connection of its own, and ends the unit when it cannot."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy import Engine as Database
from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from domain.dispatch.farm import beat, renew_leases
from domain.production.model import Job
from domain.production.tether import Tether, Tethers
from workers import host

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How often control flags are read: the longest a running step goes on after a cancel."""

MARGIN_S = 5.0
"""The unit ends itself this long before its leases can be given away; a third of a lease when that is shorter."""


def end_own_group() -> None:
    """Kill this unit and all it started, at once; a unit that shares its session ends alone."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


class Renewer(threading.Thread):
    """Renews the leases of all tethered steps every third of a lease, and pulls those lost or cancelled.

    `retire` is called when somebody has told the unit to take nothing more.
    """

    def __init__(
        self,
        url: str,
        worker_id: UUID,
        tethers: Tethers,
        lease_s: float,
        end: Callable[[], None] = end_own_group,
        retire: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="renewer", daemon=True)
        self._database = open_database(url)
        self._worker_id, self._tethers, self._lease_s = worker_id, tethers, lease_s
        self._end, self._retire = end, retire
        # A renewal is due every third of a lease; with less than two thirds of slack one late look would be the end.
        self._safe_s = lease_s - min(MARGIN_S, lease_s / 3)
        self._stopped = threading.Event()
        self._safe_until = time.monotonic() + self._safe_s

    def run(self) -> None:
        due = 0.0
        while not self._stopped.wait(min(LOOK_S, self._lease_s / 3)):
            now = time.monotonic()
            try:
                self._read_control()
                if now >= due:
                    self._renew(now)
                    due = now + self._lease_s / 3
            except SQLAlchemyError as error:
                log.warning("lease.not_renewed", error=type(error).__name__)
            self._check_safe()

    def stop(self) -> None:
        self._stopped.set()
        self.join(5)
        self._database.dispose()

    def _check_safe(self) -> None:
        """Without a renewal the steps will soon be given to others: end before, so that none runs twice."""
        if not self._tethers.all():
            self._safe_until = max(self._safe_until, time.monotonic() + self._safe_s)
        elif time.monotonic() > self._safe_until:
            log.critical("lease.lost", reason="no renewal succeeded in time; ending this unit")
            self._end()

    def _renew(self, now: float) -> None:
        held = self._tethers.all()
        keys = [(one.claim.tenant_id, one.claim.step_id, one.claim.fence) for one in held]
        memory = host.memory()
        with self._database.begin() as connection:
            told = connection.execute(beat(self._worker_id, memory)).scalar_one_or_none()
            kept = {row[0] for row in connection.execute(renew_leases(keys, self._lease_s))} if keys else set()
        self._safe_until = now + self._safe_s
        for tether in held:
            if tether.claim.step_id not in kept and tether in self._tethers.all():
                tether.pull("lost")
        if told is not None:
            self._retire()

    def _read_control(self) -> None:
        held: list[Tether] = self._tethers.all()
        jobs = {one.claim.job_id for one in held}
        if not jobs:
            return
        with self._database.begin() as connection:
            rows = connection.execute(select(Job.id).where(Job.id.in_(jobs), Job.control == "cancel"))
            cancelled = {row[0] for row in rows}
        for tether in held:
            if tether.claim.job_id in cancelled:
                tether.pull("cancel")


def open_database(url: str) -> Database:
    """A connection that gives up soon: a renewal that hangs is a renewal that failed."""
    return create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 3,
            "options": "-c statement_timeout=3000",
            "application_name": "vfos leases",
        },
    )
