"""The web application: every page, wired once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State

from adapters import settings as settings_module
from adapters.settings import Settings
from app.api.document import show_document
from app.api.problems import answer_problem, well_formed
from app.api.routes import API_HANDLERS
from app.api.shown_key import shows_key
from app.errors import convert
from app.forms import LIMIT
from app.guards import add_headers, same_site, signed_in, synchronised, without_nul
from app.live import stream_job
from app.pages import (
    approvals,
    artifacts,
    audit,
    bulk,
    catalogue,
    catalogue_edit,
    catalogue_import,
    factors,
    farm,
    find,
    fork,
    gate,
    home,
    invitation,
    job,
    jobs,
    keys,
    members,
    money,
    pictures,
    projects,
    providers,
    queue,
    recipes,
    saved_views,
    schedules,
    script,
    second_step,
    security,
    settings,
    sheet,
    side,
    sign_in,
    sign_in_providers,
    sign_in_with,
    start,
    static,
    step,
    timeline,
    voices,
    webhook_messages,
    webhooks,
    workspace,
)
from app.post import keep_delivering
from app.site import AnyRequest, Site, open_site

OPEN_HANDLERS: tuple[Any, ...] = (
    static.serve_static,
    static.live,
    static.ready,
    start.enter,
    sign_in_with.show_workspace_door,
    sign_in_with.begin,
    sign_in_with.begin_at,
    sign_in_with.begin_joining,
    sign_in_with.come_back,
    sign_in.show_door,
    sign_in.sign_in,
    sign_in.show_forgot,
    sign_in.forgot,
    sign_in.show_reset,
    sign_in.reset,
    second_step.ask_sign_in,
    second_step.ask_second,
    second_step.sign_in_with_passkey,
    second_step.show_second,
    second_step.second,
    invitation.show_invitation,
    invitation.accept,
    start.show_start,
    start.use_start,
    start.sign_out,
    show_document,
)
"""Pages for everybody."""
CLOSED_HANDLERS: tuple[Any, ...] = (
    home.show_workspace,
    home.show_project,
    find.show_found,
    side.stream_side,
    queue.show_queue,
    queue.stream_queue,
    queue.pause,
    queue.resume,
    bulk.ask_letters,
    bulk.do_letters,
    bulk.ask_jobs,
    bulk.do_jobs,
    schedules.show_schedules,
    schedules.show_new_schedule,
    schedules.add,
    schedules.change,
    farm.show_farm,
    farm.stream_farm,
    farm.give_order,
    approvals.show_inbox,
    approvals.decide,
    saved_views.show_views,
    saved_views.save,
    saved_views.choose_opening,
    saved_views.change,
    saved_views.remove,
    jobs.show_jobs,
    jobs.show_new_job,
    jobs.start_job,
    money.show_quote,
    money.decide_one,
    money.change_limit,
    money.show_usage,
    money.download_usage,
    money.save_limits,
    job.show_job,
    job.show_artifacts,
    sheet.show_sheet,
    sheet.decide_sheet,
    sheet.remake_picture,
    script.show_script,
    script.check_edit,
    script.start_edit,
    script.write_again,
    timeline.show_timeline,
    timeline.edit_timeline,
    timeline.undo,
    timeline.redo,
    timeline.ask_making,
    timeline.make_film,
    timeline.serve_frame,
    timeline.serve_small,
    gate.decide,
    gate.show_edit,
    gate.save_edit,
    step.show_step,
    step.act_on_step,
    fork.show_fork,
    fork.start_fork,
    job.show_tab,
    job.steer_job,
    artifacts.serve_artifact,
    artifacts.serve_earlier,
    artifacts.serve_log,
    stream_job,
    pictures.show_pictures,
    pictures.show_upload,
    pictures.add_pictures,
    pictures.show_picture,
    pictures.serve_picture,
    pictures.save_picture,
    pictures.take_out,
    pictures.bring_back,
    providers.show_providers,
    providers.show_new_provider,
    providers.add_one,
    providers.show_provider,
    providers.save_one,
    providers.do_with_provider,
    providers.show_choice,
    providers.save_choice,
    voices.show_voices,
    voices.show_new_voice,
    voices.show_voice,
    voices.serve_preview,
    voices.add_voice,
    voices.save_voice,
    voices.choose_voices,
    *catalogue.HANDLERS,
    *catalogue_edit.HANDLERS,
    *catalogue_import.HANDLERS,
    *recipes.HANDLERS,
    settings.show_settings,
    settings.save_settings,
    security.show_security,
    security.save_password,
    security.end_one,
    security.end_others,
    sign_in_with.begin_proof,
    sign_in_with.begin_linking,
    sign_in_with.show_link,
    sign_in_with.link,
    sign_in_with.unlink,
    sign_in_providers.show_ways,
    sign_in_providers.show_new,
    sign_in_providers.add,
    sign_in_providers.show_one,
    sign_in_providers.save,
    sign_in_providers.act,
    sign_in.show_confirm,
    sign_in.confirm,
    second_step.ask_confirm,
    second_step.ask_for_new,
    second_step.confirm_with_passkey,
    factors.show_factors,
    factors.start_app,
    factors.show_app,
    factors.confirm_app,
    factors.remove_app,
    factors.add_passkey,
    factors.drop_passkey,
    factors.make_codes,
    members.show_members,
    members.show_roles,
    members.invite,
    members.new_link,
    members.withdraw,
    members.change,
    members.remove,
    members.transfer,
    members.leave,
    projects.show_projects,
    projects.create,
    projects.show_edit,
    projects.save,
    projects.archive,
    projects.restore,
    keys.show_keys,
    keys.create,
    keys.renew,
    keys.revoke,
    webhooks.show_webhooks,
    webhooks.add,
    webhooks.show_webhook,
    webhooks.save,
    webhooks.rotate,
    webhooks.send_test,
    webhooks.pause,
    webhooks.resume,
    webhooks.recover,
    webhooks.remove,
    webhook_messages.show_message,
    webhook_messages.replay,
    audit.show_audit,
    audit.export_audit,
    workspace.show_new,
    workspace.found,
    workspace.show_settings,
    workspace.rename,
    workspace.ask_for_factor,
    workspace.archive,
    workspace.restore,
    workspace.doom,
)
"""Pages for signed-in people."""


def create_app(given: Settings | None = None) -> Litestar:
    """Make the application; settings come from the environment unless given."""
    site = open_site(given if given is not None else settings_module.load())

    @asynccontextmanager
    async def run(_app: Litestar) -> AsyncIterator[None]:
        # What was made at the start stays for ever: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        letters = asyncio.create_task(keep_delivering(site.units, site.settings))
        try:
            yield
        finally:
            letters.cancel()
            await asyncio.gather(letters, return_exceptions=True)
            await site.close()

    return build(site, [run])


STREAMS: tuple[Any, ...] = (stream_job, side.stream_side, queue.stream_queue, farm.stream_farm)


def answer_head(handlers: Iterable[Any]) -> None:
    """Let every page that can be read also be asked for its headers alone.

    Not an event stream, which has no end to wait for, and not a sign-in, which asking once uses up.
    """
    for handler in handlers:
        if "GET" in handler.http_methods and handler not in STREAMS and not handler.opt.get("once"):
            handler.http_methods.add("HEAD")


def answer_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """Turn any error into an answer: of the API into problem details, of a page into a page."""
    return (answer_problem if request.scope["path"].startswith("/api/") else convert)(request, error)


def build(site: Site, lifespan: list[Any] | None = None) -> Litestar:
    """Put the pages on a site."""
    answer_head([*OPEN_HANDLERS, *CLOSED_HANDLERS, *API_HANDLERS])
    return Litestar(
        route_handlers=[
            *OPEN_HANDLERS,
            Router("/", route_handlers=list(CLOSED_HANDLERS), guards=[signed_in]),
            Router(
                "/api/v1",
                route_handlers=list(API_HANDLERS),
                guards=[shows_key],
                before_request=well_formed,
                exception_handlers={Exception: answer_problem},
                opt={"api": True},
            ),
        ],
        guards=[same_site],
        middleware=[without_nul],
        before_request=synchronised,
        before_send=[add_headers],
        exception_handlers={Exception: answer_error},
        request_max_body_size=LIMIT,
        response_cache_config=ResponseCacheConfig(default_expiration=None),
        openapi_config=None,
        logging_config=None,
        lifespan=lifespan or [],
        state=State({"site": site}),
        include_in_schema=False,
        debug=False,
    )
