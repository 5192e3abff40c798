"""What every handler works with: settings, rows, objects, hints, templates, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from litestar import Request
from litestar.connection import ASGIConnection
from redis.asyncio import Redis

from adapters.database import Engines
from adapters.images.intake import Intake
from adapters.images.thumbnails import Thumbnails
from adapters.limits import Limits
from adapters.queue.feed import RedisFeed
from adapters.settings import Settings
from adapters.signin.passwords import Passwords
from adapters.wiring import Runtime, build_runtime
from app.assets import Assets
from app.frames import Frames
from app.readings import Readings
from app.templating import Templates
from domain.production.ports import ObjectStore
from tenants.unit import Units

if TYPE_CHECKING:
    from adapters.vendors.casting import Casting
    from adapters.vendors.counting import PromptCounter

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Site:
    """The parts of a running web server. `closing` tells open event streams to end."""

    runtime: Runtime
    feed: RedisFeed
    assets: Assets
    templates: Templates
    clock: SystemClock
    intake: Intake
    thumbnails: Thumbnails
    frames: Frames
    redis: Redis
    limits: Limits
    passwords: Passwords
    readings: Readings
    closing: bool = False
    _counter: PromptCounter | None = None
    _casting: Casting | None = None

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    @property
    def engines(self) -> Engines:
        return self.runtime.engines

    @property
    def units(self) -> Units:
        return self.runtime.units

    @property
    def store(self) -> ObjectStore:
        return self.runtime.store

    @property
    def counter(self) -> PromptCounter:
        """Counts the prompts of quotes; what it needs is loaded with the first one."""
        if self._counter is None:
            from adapters.vendors.counting import PromptCounter

            self._counter = PromptCounter(self.runtime.open_desk)
        return self._counter

    @property
    def casting(self) -> Casting:
        """Lists voices and speaks previews; what it needs is loaded with the first one."""
        if self._casting is None:
            from adapters.vendors.casting import Casting

            self._casting = Casting(self.runtime.open_desk)
        return self._casting

    @property
    def secure(self) -> bool:
        """True when people reach us over TLS."""
        return self.settings.address.startswith("https://")

    async def close(self) -> None:
        """Close every connection."""
        self.closing = True
        for lent in (self._counter, self._casting):
            if lent is not None:
                await lent.close()
        self.frames.close()
        await self.feed.close()
        await self.redis.aclose()
        await self.runtime.close()


def open_site(settings: Settings) -> Site:
    """Wire a web server; nothing connects before the first request."""
    assets = Assets()
    runtime = build_runtime(settings, "web")
    redis = Redis.from_url(settings.redis_url)
    return Site(
        runtime=runtime,
        feed=RedisFeed(settings.redis_url),
        assets=assets,
        templates=Templates(assets),
        clock=SystemClock(),
        intake=Intake(),
        thumbnails=Thumbnails(runtime.store, settings.home / "thumbnails"),
        frames=Frames(runtime.store, settings.home / "frames"),
        redis=redis,
        limits=Limits(redis),
        passwords=Passwords(),
        readings=Readings(runtime.units),
    )


def site_of(connection: AnyConnection) -> Site:
    """The site that serves a connection."""
    site: Site = connection.app.state.site
    return site
