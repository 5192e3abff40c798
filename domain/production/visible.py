"""The narrowing of a person's rights to some projects, as a condition of a query."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from tenants.principal import Principal


def only_visible(principal: Principal, project_id: InstrumentedAttribute[UUID]) -> list[ColumnElement[bool]]:
    """Conditions that leave only rows of projects this principal may see; none when it may see all.

    To be used in the statement itself wherever rows are counted or cut off: what is sorted out afterwards has already
    taken a place in the count.
    """
    return [] if principal.projects is None else [project_id.in_(sorted(principal.projects))]
