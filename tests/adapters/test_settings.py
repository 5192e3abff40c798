"""Settings: every fault at once, in words that name the variable and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import settings
from adapters.settings import SettingsError


class TestDefaults:
    def test_nothing_given_means_embedded_and_local(self) -> None:
        found = settings.load({})
        assert found.embedded_database
        assert found.embedded_redis
        assert found.home == Path.cwd() / "var"
        assert found.address == "http://localhost:8000"
        assert found.secret_key_file == found.home / "secret.key"

    def test_an_empty_variable_counts_as_not_given(self) -> None:
        assert settings.load({"VFOS_PORT": "", "VFOS_SLOTS": "  "}) == settings.load({})


class TestFaults:
    def faults(self, **given: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            settings.load(given)
        return caught.value.faults

    def test_all_are_reported_together(self) -> None:
        found = self.faults(VFOS_PORT="80800", VFOS_SLOTS="two", VFOS_LOG_FORMAT="xml", REDIS_URL="http://x")
        assert len(found) == 4
        assert "VFOS_PORT is “80800”: give a whole number from 1 to 65535." in found
        assert "VFOS_SLOTS is “two”: give a whole number from 1 to 256." in found
        assert "VFOS_LOG_FORMAT is “xml”: give one of text, json." in found

    @pytest.mark.parametrize("text", ["٣", "-1", "0", "1.5", "1e3", "99999999999999999999"])
    def test_numbers_are_plain_and_in_range(self, text: str) -> None:
        assert self.faults(VFOS_PORT=text)[0].startswith("VFOS_PORT is")

    def test_a_misspelt_name_is_corrected(self) -> None:
        assert self.faults(VFOS_PROT="8001") == [
            "VFOS_PROT is not a setting: remove it or correct its name (did you mean VFOS_PORT?)."
        ]

    def test_half_a_database_names_what_is_missing(self) -> None:
        found = self.faults(DATABASE_URL="postgresql://vfos_app@db/vfos")
        assert [fault.split(" ", 1)[0] for fault in found] == ["DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL"]

    def test_a_password_is_never_repeated(self) -> None:
        found = self.faults(DATABASE_URL="mysql://me:hunter2@db/vfos")
        assert "hunter2" not in " ".join(found)

    def test_files_where_folders_are_wanted_and_the_reverse(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        found = self.faults(VFOS_HOME=str(file), VFOS_SECRET_KEY_FILE=str(tmp_path), VFOS_FFMPEG=str(file))
        assert len(found) == 3
        assert "this is a file; give a folder" in found[0]


class TestForChildren:
    def test_settings_survive_the_way_through_the_environment(self, tmp_path: Path) -> None:
        given = settings.load(
            {
                "VFOS_HOME": str(tmp_path / "a b"),
                "VFOS_DEMO": "no",
                "VFOS_PUBLIC_URL": "https://films.example.org/",
                "DATABASE_URL": "postgres://vfos_app:p%40ss@db/vfos",
                "DATABASE_OWNER_URL": "postgresql://vfos_owner@db/vfos",
                "DATABASE_SYSTEM_URL": "postgresql+psycopg://vfos_system@/vfos?host=%2Ftmp%2Fa%20b",
            }
        )
        assert settings.load(given.environment()) == given
        assert given.database_url == "postgresql+psycopg://vfos_app:p%40ss@db/vfos"
        assert given.address == "https://films.example.org"


class TestDocumentation:
    def test_the_operations_page_lists_exactly_these_settings(self) -> None:
        page = Path(__file__).parents[2] / "docs" / "operations.md"
        assert settings.table_markdown() in page.read_text(encoding="utf-8")
