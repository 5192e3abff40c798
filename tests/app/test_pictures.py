"""The picture library: adding files of every kind, describing, removing, bringing back, serving; and who may."""

from __future__ import annotations

import errno
import io
import re
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import pytest_asyncio
from httpx import AsyncClient
from PIL import Image
from sqlalchemy import select, update

from app.site import Site
from domain.catalog.model import LibraryPicture
from domain.production.model import Job
from tenants.model import AuditEntry, Event, Membership
from tests.app.conftest import Person, sign_in
from tests.support.factories import add_job, make_picture, seed_workspace

Browser = Callable[[], AsyncClient]
BASE = "/w/northlight/p/deep-sky/pictures"
ROW = re.compile(r'<li data-state="(\w+)">.*?<b>(.*?)</b><p class="st"[^>]*><svg.*?</svg>(.*?)</p>', re.S)


def drawing(seed: int, width: int = 200, height: int = 120) -> bytes:
    return make_picture(seed, width, height)


def bomb(height: int = 30_000) -> bytes:
    """A PNG of 30,000 pixels a line in a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 90_001))
        + chunk(b"IEND", b"")
    )


def turned() -> bytes:
    """A JPEG that says it must be turned by a quarter, with a place in its data: red on top once it is upright."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100] = (255, 0, 0)
    image, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "Rua das Flores 12"
    made = io.BytesIO()
    image.save(made, "JPEG", exif=exif)
    return made.getvalue()


async def add(person: Person, files: Sequence[tuple[str, bytes]], *, base: str = BASE, **fields: str) -> Any:
    """Post the form as a browser does: fields first, the token before them all."""
    data = {"csrf": person.csrf, **{name.replace("__", ":"): value for name, value in fields.items()}}
    parts = [("files", (name, body, "application/octet-stream")) for name, body in files]
    headers = {"Sec-Fetch-Site": "same-origin"}
    return await person.client.post(base, data=data, files=parts or None, headers=headers, follow_redirects=False)


def outcomes(page: Any) -> list[tuple[str, str, str]]:
    return [(name, state, sentence.strip()) for state, name, sentence in ROW.findall(page.text)]


async def rows(site: Site, person: Person) -> list[LibraryPicture]:
    async with site.units.open(person.space.owner) as unit:
        statement = select(LibraryPicture).order_by(LibraryPicture.id.desc())
        return list((await unit.session.execute(statement)).scalars())


async def added(site: Site, person: Person, seed: int, name: str = "europa.png", **fields: str) -> LibraryPicture:
    page = await add(person, [(name, drawing(seed))], **fields)
    assert page.status_code == 200, page.text
    return (await rows(site, person))[0]


@pytest_asyncio.fixture
async def seen_by_viewer(site: Site, marina: Person) -> AsyncIterator[LibraryPicture]:
    """A picture, while Marina herself may only look."""

    async def become(role: str) -> None:
        async with site.units.system("directory") as unit:
            change = update(Membership).where(Membership.tenant_id == marina.space.tenant_id).values(role=role)
            await unit.session.execute(change)

    row = await added(site, marina, 53)
    await become("viewer")
    yield row
    await become("owner")


class TestAdding:
    async def test_pictures_are_added_with_their_words(self, site: Site, marina: Person) -> None:
        page = await add(
            marina,
            [("Europa_close-up_IMG_2041.png", drawing(1)), ("io volcano.png", drawing(2))],
            caption__en="A moon of Jupiter",
            tags__en="Jupiter, moons",
            licence="CC0",
            credit="NASA",
        )
        assert page.status_code == 200
        assert [(name, state) for name, state, _ in outcomes(page)] == [
            ("Europa_close-up_IMG_2041.png", "added"),
            ("io volcano.png", "added"),
        ]
        second, first = (await rows(site, marina))[:2]
        assert first.tags == {"en": ["Jupiter", "moons", "europa", "close"]}
        assert second.tags == {"en": ["Jupiter", "moons", "volcano"]}
        assert (first.captions, first.licence, first.credit) == ({"en": "A moon of Jupiter"}, "CC0", "NASA")
        assert (first.width, first.height, first.media_type) == (200, 120, "image/jpeg")
        assert await site.store.exists(marina.space.tenant_id, first.sha256)

    async def test_what_happened_is_told_and_recorded(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 3)
        async with site.units.open(marina.space.owner) as unit:
            told = select(Event).where(Event.type == "library.added").order_by(Event.seq.desc()).limit(1)
            event = (await unit.session.execute(told)).scalar_one()
            written = select(AuditEntry).where(AuditEntry.object_id == str(row.id))
            entry = (await unit.session.execute(written)).scalar_one()
        assert event.data == {"picture": str(row.id)}
        assert (entry.action, entry.actor_name) == ("library.added", "Marina")

    async def test_the_same_picture_is_there_once(self, site: Site, marina: Person) -> None:
        await added(site, marina, 4)
        before = len(await rows(site, marina))
        page = await add(marina, [("again.png", drawing(4)), ("again2.png", drawing(4))])
        assert page.status_code == 200
        assert outcomes(page) == [
            (name, "known", "This picture was already there.") for name in ("again.png", "again2.png")
        ]
        assert len(await rows(site, marina)) == before

    async def test_every_refused_file_gets_its_sentence_and_the_good_ones_stay(
        self, site: Site, marina: Person
    ) -> None:
        whole = drawing(5, 640, 480)
        before = len(await rows(site, marina))
        page = await add(
            marina,
            [
                ("notes.jpg", b"This is a text, whatever its name says.\n" * 50),
                ("cut.jpg", whole[: len(whole) // 2]),
                ("bomb.png", bomb()),
                ("strip.png", bomb(100)),
                ("huge.jpg", whole + bytes(41 * 1024 * 1024)),
                ("dot.png", drawing(6, 10, 10)),
                ("empty.png", b""),
                ("good.png", drawing(7)),
            ],
        )
        assert page.status_code == 200
        assert outcomes(page) == [
            ("notes.jpg", "refused", "This is not a picture we can read. Use JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF."),
            ("cut.jpg", "refused", "The picture is damaged and cannot be decoded. Export it again."),
            ("bomb.png", "refused", "The picture has more than 100 megapixels. Make it smaller."),
            (
                "strip.png",
                "refused",
                "The picture measures 30,000 × 100 pixels; up to 100 megapixels and 20,000 pixels a side are "
                "allowed. Make it smaller.",
            ),
            ("huge.jpg", "refused", "This file is larger than 40 MB. Make it smaller and add it again."),
            ("dot.png", "refused", "The picture measures 10 × 10 pixels; at least 64 pixels a side are needed."),
            ("empty.png", "refused", "This is not a picture we can read. Use JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF."),
            ("good.png", "added", "Added."),
        ]
        assert len(await rows(site, marina)) == before + 1
        assert list(site.settings.staging.iterdir()) == []

    async def test_a_form_of_refused_files_only_is_422(self, marina: Person) -> None:
        page = await add(marina, [("notes.jpg", b"text")])
        assert page.status_code == 422
        assert "0 pictures added, 1 refused" in page.text

    async def test_a_turned_photograph_is_kept_upright_and_without_its_data(self, site: Site, marina: Person) -> None:
        assert (await add(marina, [("phone.jpg", turned())])).status_code == 200
        row = (await rows(site, marina))[0]
        assert (row.width, row.height) == (100, 200)
        data = await site.store.get_bytes(marina.space.tenant_id, row.sha256)
        assert b"Rua das Flores" not in data
        kept = Image.open(io.BytesIO(data))
        assert not kept.getexif()
        assert np.asarray(kept)[20, 50].tolist()[0] > 200
        assert np.asarray(kept)[180, 50].tolist()[0] < 50

    async def test_a_full_disk_is_one_clear_sentence_and_leaves_nothing(
        self, site: Site, marina: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(_tenant: UUID, _path: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        before = len(await rows(site, marina))
        monkeypatch.setattr(site.store, "put_file", full)
        page = await add(marina, [("late.png", drawing(8))])
        assert page.status_code == 507
        assert outcomes(page) == [
            ("late.png", "refused", "The disk is full, so this file was not kept. Free some space and add it again.")
        ]
        assert len(await rows(site, marina)) == before
        assert list(site.settings.staging.iterdir()) == []

    async def test_faults_of_the_words_are_told_before_anything_is_kept(self, site: Site, marina: Person) -> None:
        before = len(await rows(site, marina))
        page = await add(
            marina,
            [("a.png", drawing(9))],
            caption__en="x" * 301,
            tags__en=",".join("abcdefghijklmnopqrstuvwxyz12345"),
            more="1",
        )
        assert page.status_code == 422
        for text in (
            "3 things must be corrected",
            "301 characters; at most 300",
            "31 tags; at most 30",
            "no field “more”",
        ):
            assert text in page.text
        assert len(await rows(site, marina)) == before

    async def test_a_telling_name_never_makes_too_many_or_too_long_tags(self, site: Site, marina: Person) -> None:
        given = [f"t{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(29)]
        row = await added(site, marina, 11, f"comet tail {'x' * 90}.png", tags__en=",".join(given))
        assert row.tags == {"en": [*given, "comet"]}

    async def test_no_file_is_a_fault(self, marina: Person) -> None:
        page = await add(marina, [("", b"")])
        assert page.status_code == 422
        assert "No file was chosen" in page.text

    async def test_names_are_shown_escaped_and_without_folders(self, marina: Person) -> None:
        page = await add(marina, [("C:\\photos\\<img src=x>.png", b"text")])
        assert outcomes(page)[0][0] == "&lt;img src=x&gt;.png"
        assert "<img src=x>" not in page.text

    async def test_more_files_than_allowed_are_refused_one_by_one(self, marina: Person) -> None:
        page = await add(marina, [(f"{n}.png", b"text") for n in range(52)])
        assert [sentence for _, _, sentence in outcomes(page)].count(
            "Only 50 files can be added at once. Add this one in another go."
        ) == 2

    async def test_a_form_without_the_session_s_token_is_refused(self, site: Site, marina: Person) -> None:
        before = len(await rows(site, marina))
        for data in ({"csrf": "wrong"}, {}):
            answer = await marina.client.post(
                BASE,
                data=data,
                files=[("files", ("a.png", drawing(10), "image/png"))],
                headers={"Sec-Fetch-Site": "same-origin"},
            )
            assert answer.status_code == 403
            assert "not accepted" in answer.text
        assert len(await rows(site, marina)) == before

    async def test_what_is_no_such_form_is_refused(self, marina: Person) -> None:
        for kind in ("multipart/form-data", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = await marina.client.post(
                BASE, content=b"--y\r\nnonsense", headers={"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
            )
            assert answer.status_code in (400, 403)


class TestList:
    async def test_words_of_the_search_must_all_be_there(self, site: Site, marina: Person) -> None:
        one = await added(site, marina, 20, "ganymede.png", caption__en="Ice and rock", credit="Galileo probe")
        await added(site, marina, 21, "ganymede.png", tags__en="crater")
        page = await marina.get(f"{BASE}?q=GANYMEDE+galileo")
        assert re.findall(r'id="p-([^"]+)"', page.text) == [str(one.id)]
        assert 'value="GANYMEDE galileo"' in page.text
        assert "No picture matches" in (await marina.get(f"{BASE}?q=ganymede+saturn")).text
        assert "No picture matches" in (await marina.get(f"{BASE}?q=%25")).text

    async def test_an_empty_library_says_what_to_do(self, marina: Person) -> None:
        page = await marina.get("/w/northlight/p/bedtime-atlas/pictures")
        assert "Add the first pictures" in page.text

    async def test_a_thousand_pictures_have_pages(self, site: Site, browser: Browser) -> None:
        space = await seed_workspace(site.units, site.store, "manyland", "Manyland")
        async with site.units.open(space.owner) as unit:
            for number in range(1000):
                row = LibraryPicture(project_id=space.project.id, sha256=f"{number:064x}", media_type="image/jpeg")
                row.width, row.height, row.captions, row.tags = 640, 480, {"en": f"Number {number}"}, {"en": ["count"]}
                unit.session.add(row)
        async with browser() as client:
            person = await sign_in(client, site, space, "Many")
            base = "/w/manyland/p/deep-sky/pictures"
            first = await person.get(base)
            assert (len(re.findall(r'id="p-', first.text)), "1000 pictures" in first.text) == (60, True)
            assert "Page 1 of 17" in first.text
            assert f'href="{base}?page=2"' in first.text
            last = await person.get(f"{base}?q=count&page=17")
            assert len(re.findall(r'id="p-', last.text)) == 40
            assert f'href="{base}?q=count&amp;page=16"' in last.text
            seen = re.findall(r'id="p-([^"]+)"', first.text + (await person.get(f"{base}?page=2")).text)
            assert len(set(seen)) == 120
            for beyond in ("999", "x", "-1"):
                assert (await person.get(f"{base}?page={beyond}")).status_code == 200

    async def test_a_card_says_which_job_showed_the_picture_last(self, site: Site, marina: Person) -> None:
        async with site.units.open(marina.space.owner) as unit:
            from domain.production.model import ArtifactRef

            found = await unit.session.execute(select(ArtifactRef).where(ArtifactRef.role == "picture").limit(1))
            shown = found.scalar_one()
            row = LibraryPicture(project_id=marina.space.project.id, sha256=shown.sha256, media_type="image/jpeg")
            row.width, row.height, row.captions, row.tags = 320, 180, {"pt-BR": "Céu fundo"}, {}
            unit.session.add(row)
            await unit.session.flush()
            picture = row.id
        page = await marina.get(f"{BASE}?q=fundo")
        assert re.search(rf'<a href="{marina.space.base}/\d">Shown in #\d</a>', page.text)
        assert 'alt="Céu fundo" lang="pt-BR"' in page.text
        assert (await marina.get(f"{BASE}/{picture}")).status_code == 200


class TestChanging:
    async def test_words_and_focus_are_saved(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 30, "callisto.png")
        values = {
            "caption:en": " Callisto,  scarred ",
            "tags:en": "moon, Moon, craters,",
            "caption:pt-BR": "Calisto",
            "tags:pt-BR": "lua",
            "licence": "CC BY 4.0",
            "credit": "ESA",
            "focus_x": "25",
            "focus_y": "62,5",
        }
        answer = await marina.post(f"{BASE}/{row.id}", values)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/{row.id}?saved=1")
        kept = next(other for other in await rows(site, marina) if other.id == row.id)
        assert kept.captions == {"en": "Callisto, scarred", "pt-BR": "Calisto"}
        assert kept.tags == {"en": ["moon", "craters"], "pt-BR": ["lua"]}
        assert (kept.focus, kept.licence, kept.credit) == (["0.25", "0.625"], "CC BY 4.0", "ESA")
        page = await marina.get(f"{BASE}/{row.id}?saved=1")
        assert "Saved." in page.text
        assert 'name="tags:en" type="text" value="moon, craters"' in page.text

    async def test_every_fault_is_told_and_nothing_is_saved(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 31)
        values = {"caption:en": "a\x07b", "tags:en": "t" * 61, "focus_x": "101", "focus_y": "<b>", "credit": "c" * 201}
        answer = await marina.post(f"{BASE}/{row.id}", values)
        assert answer.status_code == 422
        for text in (
            "4 things",
            "control character",
            "61 characters; at most 60",
            "201 characters",
            "0 to 100 percent",
        ):
            assert text in answer.text
        kept = next(other for other in await rows(site, marina) if other.id == row.id)
        assert (kept.captions, kept.focus, kept.credit) == (row.captions, ["0.5", "0.5"], "")

    async def test_removing_can_be_undone_with_everything(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 32, "amalthea.png", caption__en="Small moon", credit="Voyager", licence="CC0")
        answer = await marina.post(f"{BASE}/{row.id}/remove", {})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}?removed={row.id}")
        assert (await marina.get(f"{BASE}/{row.id}")).status_code == 404
        assert (await marina.get(f"{BASE}/{row.id}/file/320.webp")).status_code == 404
        page = await marina.get(answer.headers["location"])
        assert f'action="{BASE}/{row.id}/restore"' in page.text
        assert await site.store.exists(marina.space.tenant_id, row.sha256)
        answer = await marina.post(f"{BASE}/{row.id}/restore", {})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}?restored=1")
        back = next(other for other in await rows(site, marina) if other.id == row.id)
        assert (back.captions, back.tags, back.credit, back.licence) == (row.captions, row.tags, "Voyager", "CC0")
        assert (await marina.get(f"{BASE}/{row.id}/file/320.webp")).status_code == 200
        assert (await marina.post(f"{BASE}/{row.id}/restore", {})).status_code == 303

    async def test_a_picture_of_a_job_that_still_chooses_stays(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 33, "thebe.png")
        async with site.units.open(marina.space.owner) as unit:
            job = await add_job(unit, marina.space, "A job that has not chosen yet", "queued")
            job.spec = {**job.spec, "library": [{"id": str(row.id), "role": "picture"}]}
            number = job.number
        answer = await marina.post(f"{BASE}/{row.id}/remove", {})
        assert answer.status_code == 409
        assert f"cannot be removed while #{number} may use it" in answer.text
        async with site.units.open(marina.space.owner) as unit:
            (await unit.session.get_one(Job, (marina.space.tenant_id, job.id))).state = "cancelled"
        assert (await marina.post(f"{BASE}/{row.id}/remove", {})).status_code == 303


class TestServing:
    async def test_small_versions_are_light_and_may_be_kept(self, site: Site, marina: Person) -> None:
        page = await add(marina, [("wide.png", drawing(40, 2000, 1000))])
        assert page.status_code == 200
        row = (await rows(site, marina))[0]
        for width in (320, 640):
            answer = await marina.get(f"{BASE}/{row.id}/file/{width}.webp")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
            assert Image.open(io.BytesIO(answer.content)).size == (width, width // 2)
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        again = await marina.get(f"{BASE}/{row.id}/file/640.webp", If_None_Match=answer.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
        folder = site.settings.home / "thumbnails" / str(marina.space.tenant_id) / row.sha256[:2]
        assert sorted(path.name for path in folder.glob(f"{row.sha256}*")) == [
            f"{row.sha256}-320.webp",
            f"{row.sha256}-640.webp",
        ]

    async def test_the_picture_itself(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 41)
        answer = await marina.get(f"{BASE}/{row.id}/file/full")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(answer.content)).size == (200, 120)

    async def test_other_sizes_do_not_exist(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 42)
        for file in ("100000.webp", "320.png", "320"):
            assert (await marina.get(f"{BASE}/{row.id}/file/{file}")).status_code == 404


class TestWhoMay:
    async def test_foreign_and_missing_are_the_same_answer(self, site: Site, marina: Person, stranger: Person) -> None:
        row = await added(site, marina, 50)
        missing = await stranger.get("/w/no-such-workspace/p/deep-sky/pictures")
        own = "/w/southwind/p/deep-sky/pictures"
        gets = [BASE, f"{BASE}/new", f"{BASE}/{row.id}", f"{BASE}/{row.id}/file/320.webp", f"{BASE}/{row.id}/file/full"]
        gets += [f"{own}/{row.id}", f"{own}/{row.id}/file/320.webp", f"{own}/{row.id}/file/full", f"{own}/x"]
        for path in gets:
            answer = await stranger.get(path)
            assert (answer.status_code, answer.text) == (404, missing.text), path
            assert {k: v for k, v in answer.headers.items() if k != "date"} == {
                k: v for k, v in missing.headers.items() if k != "date"
            }
        for base in (BASE, own):
            for path in (f"{base}/{row.id}", f"{base}/{row.id}/remove", f"{base}/{row.id}/restore"):
                assert (await stranger.post(path, {"focus_x": "50", "focus_y": "50"})).status_code == 404, path
        assert (await add(stranger, [("a.png", drawing(51))])).status_code == 404
        assert row.id in [other.id for other in await rows(site, marina)]

    async def test_another_project_of_the_same_workspace_does_not_have_it(self, site: Site, marina: Person) -> None:
        row = await added(site, marina, 52)
        other = "/w/northlight/p/bedtime-atlas/pictures"
        assert (await marina.get(f"{other}/{row.id}/file/320.webp")).status_code == 404
        await marina.post(f"{BASE}/{row.id}/remove", {})
        assert (await marina.post(f"{other}/{row.id}/restore", {})).status_code == 404

    async def test_a_viewer_looks_but_does_not_touch(
        self, site: Site, marina: Person, seen_by_viewer: LibraryPicture
    ) -> None:
        viewer, row = marina, seen_by_viewer
        before = len(await rows(site, marina))
        for path in (BASE, f"{BASE}/{row.id}", f"{BASE}/{row.id}/file/320.webp"):
            assert (await viewer.get(path)).status_code == 200
        assert "Add pictures" not in (await viewer.get(BASE)).text
        assert '<form method="post" action="/w' not in (await viewer.get(f"{BASE}/{row.id}")).text
        assert (await viewer.get(f"{BASE}/new")).status_code == 403
        assert (await add(viewer, [("a.png", drawing(54))])).status_code == 403
        for path in (f"{BASE}/{row.id}", f"{BASE}/{row.id}/remove", f"{BASE}/{row.id}/restore"):
            assert (await viewer.post(path, {"focus_x": "50", "focus_y": "50"})).status_code == 403, path
        assert len(await rows(site, marina)) == before

    async def test_nobody_signed_in_sees_nothing(self, browser: Browser) -> None:
        client: AsyncClient = browser()
        async with client:
            assert (await client.get(BASE)).status_code == 401
