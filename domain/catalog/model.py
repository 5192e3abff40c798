"""Rows of the catalogue: projects, versioned items (one pair of tables for all kinds), bindings, pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to, of_tenant, uuid7

ITEM_KINDS = ("recipe", "prompt", "preset", "validator", "knowledge", "provider")


class Project(TenantOwned, Timed, Base):
    """A channel or brand inside a tenant; `palette` seeds the colours of its art boards."""

    __tablename__ = "projects"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    slug: Mapped[str]
    name: Mapped[str]
    tagline: Mapped[str] = mapped_column(default="", server_default="")
    languages: Mapped[list[str]]
    palette: Mapped[str] = mapped_column(default="", server_default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    max_running: Mapped[int | None]
    running: Mapped[int] = mapped_column(default=0, server_default="0")
    paused_at: Mapped[datetime | None]
    paused_reason: Mapped[str | None]
    paused_by: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint("running >= 0", name="running"),
    )


class ProjectVisit(TenantOwned, Base):
    """When a person last worked in a project: switchers show the recent ones first."""

    __tablename__ = "project_visits"
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (
        of_tenant(),
        belongs_to("projects", "project_id"),
        Index("ix_project_visits_project", "tenant_id", "project_id"),
    )


class CatalogItem(TenantOwned, Timed, Base):
    """A named thing with versions: recipe, prompt, preset, validator, knowledge document or provider.

    `project_id` null = shared by the whole tenant. `current` is the version in use; `slug` is unique per kind.
    """

    __tablename__ = "catalog_items"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str]
    slug: Mapped[str]
    name: Mapped[str]
    project_id: Mapped[UUID | None]
    current: Mapped[int] = mapped_column(default=1)
    archived_at: Mapped[datetime | None]
    __table_args__ = (
        of_tenant(),
        belongs_to("projects", "project_id"),
        UniqueConstraint("tenant_id", "kind", "slug"),
        Index("ix_catalog_items_project", "tenant_id", "project_id"),
        CheckConstraint(f"kind IN {ITEM_KINDS!r}", name="kind"),
    )


class CatalogVersion(TenantOwned, Timed, Base):
    """One immutable version of an item; `body` has the form of its kind (domain/catalog/bodies.py)."""

    __tablename__ = "catalog_versions"
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]
    digest: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default="")
    made_by: Mapped[UUID | None]
    __table_args__ = (belongs_to("catalog_items", "item_id"),)


class Binding(TenantOwned, Timed, Base):
    """A project's own choice for a slot of a recipe (`prompt`, `voice`, …), overriding the recipe's."""

    __tablename__ = "bindings"
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    recipe_id: Mapped[UUID] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    __table_args__ = (
        belongs_to("projects", "project_id"),
        belongs_to("catalog_items", "recipe_id"),
        belongs_to("catalog_items", "item_id"),
        Index("ix_bindings_recipe", "tenant_id", "recipe_id"),
        Index("ix_bindings_item", "tenant_id", "item_id"),
    )


class LibraryPicture(TenantOwned, Timed, Base):
    """A picture uploaded to a project; `tags` and `captions` (by language) match it to scenes.

    `role`: picture, logo or music (sound files live here too, with width and height 0 and their exact `seconds`).
    """

    __tablename__ = "library_pictures"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID]
    sha256: Mapped[str]
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    captions: Mapped[dict[str, Any]]
    tags: Mapped[dict[str, Any]]
    focus: Mapped[list[Any]] = mapped_column(default=lambda: ["0.5", "0.5"])
    licence: Mapped[str] = mapped_column(default="")
    credit: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="picture", server_default="picture")
    seconds: Mapped[str] = mapped_column(default="", server_default="")
    uploaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (
        belongs_to("projects", "project_id"),
        Index("ix_library_pictures_project", "tenant_id", "project_id", "role"),
    )
