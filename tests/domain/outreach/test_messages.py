"""What is told, what messages say, how they are signed, and what an endpoint may be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.outreach.kinds import KINDS, SOURCES, TEST, kind_of
from domain.outreach.messages import Happening, JobFacts, message_id, write_body
from domain.outreach.signature import headers_of, make_secret, sign
from domain.outreach.wish import EndpointWish, WebhookRefused, check_wish
from tenants.model import IS_TOLD
from tenants.secret import Secret

ADDRESS = "https://films.example.org"
JOB = JobFacts(UUID(int=7), 12, "Por que os polvos têm três corações?", "deep-sea", "Deep Sea", "northlight")
AT = datetime(2030, 5, 1, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-3)))
TENANT = UUID(int=1)


def body_of(kind: str, data: dict[str, Any], approval: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(write_body(Happening(kind, AT, data, JOB, approval), ADDRESS))
    return made


class TestKinds:
    @pytest.mark.parametrize(
        ("event", "data", "kind"),
        [
            ("job.created", {"state": "queued"}, "job.created"),
            ("job.state", {"state": "succeeded"}, "job.finished"),
            ("job.state", {"state": "failed"}, "job.failed"),
            ("job.state", {"state": "cancelled"}, "job.cancelled"),
            ("job.state", {"state": "running"}, None),
            ("job.paused", {}, "job.paused"),
            ("step.dead", {}, "step.failed"),
            ("step.waiting", {}, "approval.waiting"),
            ("approval.decided", {}, "approval.decided"),
            ("approval.expired", {}, "approval.expired"),
            ("step.succeeded", {}, None),
            ("log", {}, None),
        ],
    )
    def test_what_an_event_is_told_as(self, event: str, data: dict[str, Any], kind: str | None) -> None:
        assert kind_of(event, data) == kind

    def test_the_index_of_the_database_knows_every_source(self) -> None:
        assert tuple(re.findall(r"'([a-z.]+)'", IS_TOLD.text)) == SOURCES
        assert TEST not in KINDS


class TestBody:
    def test_a_finished_job(self) -> None:
        assert body_of("job.finished", {"state": "succeeded", "micro_dollars": 5}) == {
            "type": "job.finished",
            "timestamp": "2030-05-01T12:30:00.123Z",
            "data": {
                "workspace": {"slug": "northlight"},
                "project": {"slug": "deep-sea", "name": "Deep Sea"},
                "job": {
                    "id": str(UUID(int=7)),
                    "number": 12,
                    "title": "Por que os polvos têm três corações?",
                    "url": f"{ADDRESS}/w/northlight/p/deep-sea/jobs/12",
                    "api_url": f"{ADDRESS}/api/v1/jobs/{UUID(int=7)}",
                },
            },
        }

    def test_failures_say_what_people_read_and_nothing_else(self) -> None:
        error = {"class": "ProviderRefused", "step": "script", "sentence": "No.", "next": "Set a key.", "trace": "t-1"}
        said = {"step": "script", "class": "ProviderRefused", "message": "No.", "next": "Set a key."}
        assert body_of("job.failed", {"error": error})["data"]["error"] == said
        step = body_of("step.failed", {"error": error, "step": "render", "shard": "003", "step_id": "x"})["data"]
        assert (step["step"], step["error"]) == ({"id": "x", "kind": "render", "part": "003"}, said)
        assert body_of("job.failed", {"error": None})["data"]["error"]["message"] == ""

    def test_questions_and_pauses(self) -> None:
        asked = body_of("approval.waiting", {}, {"id": "a", "step": "script"})["data"]["approval"]
        assert asked == {"id": "a", "step": "script", "url": f"{ADDRESS}/w/northlight/p/deep-sea/jobs/12#gates"}
        paused = body_of("job.paused", {"by": "Ada", "reason": "x" * 9999})["data"]
        assert (paused["by"], len(paused["reason"])) == ("Ada", 500)

    def test_the_id_is_the_event_s(self) -> None:
        assert message_id(TENANT, 5) == message_id(TENANT, 5) != message_id(TENANT, 6) != message_id(UUID(int=2), 6)
        assert "." not in message_id(TENANT, 5)


class TestSignature:
    BODY = '{"type":"job.finished","data":"três"}'.encode()

    @pytest.mark.parametrize(
        ("secret", "at"), [("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330), ("whsec_" + "QUJD" * 8, 0)]
    )
    def test_by_the_description_of_the_protocol(self, secret: str, at: int) -> None:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        said = b"msg_1." + str(at).encode() + b"." + self.BODY
        expected = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        assert sign(Secret(secret), "msg_1", at, self.BODY) == f"v1,{expected}"

    def test_another_implementation_agrees(self) -> None:
        secret = make_secret()
        other = Webhook(secret.reveal()).sign("msg_1", datetime.fromtimestamp(1614265330, UTC), self.BODY.decode())
        assert sign(secret, "msg_1", 1614265330, self.BODY) == other

    def test_while_a_new_secret_takes_over_either_verifies(self) -> None:
        old, new, other = make_secret(), make_secret(), make_secret()
        headers = headers_of([new, old], "msg_1", int(datetime.now(UTC).timestamp()), self.BODY)
        for secret in (old, new):
            assert Webhook(secret.reveal()).verify(self.BODY, headers)["type"] == "job.finished"
        for broken in ({**headers, "webhook-id": "msg_2"}, {**headers, "webhook-timestamp": "0"}):
            with pytest.raises(WebhookVerificationError):
                Webhook(new.reveal()).verify(self.BODY, broken)
        with pytest.raises(WebhookVerificationError):
            Webhook(other.reveal()).verify(self.BODY, headers)

    def test_secrets_are_long_and_never_shown(self) -> None:
        secret = make_secret()
        assert len(base64.b64decode(secret.reveal().removeprefix("whsec_"))) == 32
        assert secret.reveal() not in f"{secret} {secret!r}"


class TestWish:
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("https://hooks.example.org/films?channel=a%20b", None),
            ("http://127.0.0.1:9101/", None),
            ("https://[2606:4700::1]:443/x", None),
            ("", "url"),
            ("hooks.example.org", "url"),
            ("ftp://hooks.example.org/", "url"),
            ("javascript:alert(1)", "url"),
            ("https:///x", "url"),
            ("https://hooks.example.org:0/", "url"),
            ("https://hooks.example.org:99999/", "url"),
            ("https://hooks.example.org/ x", "url"),
            ("https://hooks.example.org/\r\nx: y", "url"),
            ("https://hooks.example.org\\@inside/", "url"),
            ("https://hooks.example.org/#x", "url"),
            ("https://[::1", "url"),
            ("https://hooks.example.org/" + "x" * 1000, "url"),
            ("https://ada:secret@hooks.example.org/", "url-login"),
            ("https://@hooks.example.org/", "url-login"),
        ],
    )
    def test_addresses(self, url: str, reason: str | None) -> None:
        wish = EndpointWish(url, "Shop", ("job.finished",))
        if reason is None:
            check_wish(wish)
            return
        with pytest.raises(WebhookRefused) as refused:
            check_wish(wish)
        assert refused.value.reason == reason

    @pytest.mark.parametrize(
        ("description", "kinds", "reason"),
        [("x" * 121, ("job.finished",), "description"), ("a\x07", ("job.finished",), "description")]
        + [("", kinds, "kinds") for kinds in ((), ("job.finished", "everything"), (TEST,))],
    )
    def test_the_rest(self, description: str, kinds: tuple[str, ...], reason: str) -> None:
        with pytest.raises(WebhookRefused) as refused:
            check_wish(EndpointWish("https://hooks.example.org/", description, kinds))
        assert refused.value.reason == reason
