"""Row-level security: who may touch which rows of which table, and the statements that make PostgreSQL hold it.

Three roles: `vfos_owner` owns the tables and runs migrations (under FORCE it sees no rows), `vfos_app` serves
people and workers inside one tenant, `vfos_system` runs the cross-tenant routines of `SYSTEM_ROUTINES`. The tenant
of a transaction is the setting `app.tenant_id`; without it the app role sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, text

OWNER, APP, SYSTEM = "vfos_owner", "vfos_app", "vfos_system"

ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
READ = ("SELECT",)
APPEND = ("SELECT", "INSERT")
NOTHING: tuple[str, ...] = ()

OWN_ROWS = "(tenant_id = app.tid())"


@dataclass(frozen=True)
class Wall:
    """How one table is closed: the verbs of each role, the rows the app role may reach, and why.

    A verb may carry columns (`UPDATE (name)`). The system role reaches all rows, with its own verbs only.
    """

    app: tuple[str, ...] = ALL
    rows: str = OWN_ROWS
    system: tuple[str, ...] = ALL
    reason: str = ""


GLOBAL_TABLES: dict[str, Wall] = {
    "tenants": Wall(
        ("SELECT", "UPDATE (name, paused_at, paused_by, paused_reason, running, slug)"),
        "(id = app.tid())",
        reason="The tenant itself: its key is the tenant's id. Tier, weight and limits are not the tenant's to set.",
    ),
    "users": Wall(
        READ,
        "app.is_member(id)",
        reason="A person belongs to several tenants; each sees only its members. Changed by tenants/directory.py.",
    ),
    "memberships": Wall(
        READ,
        reason="Read at sign-in, before a tenant is known. A tenant that could add members could read any user.",
    ),
    "auth_session": Wall(NOTHING, "", reason="Sessions belong to people, not to tenants: tenants/directory.py only."),
    "owner_links": Wall(NOTHING, "", reason="Redeemed before anybody is signed in: tenants/directory.py only."),
    "passwords": Wall(NOTHING, "", reason="Hashes belong to people and are compared by tenants/entrance.py only."),
    "tickets": Wall(NOTHING, "", reason="One-time tokens are redeemed before a tenant is known: tenants/tickets.py."),
    "app_factors": Wall(NOTHING, "", reason="Authenticator apps belong to people: tenants/factors.py, personal.py."),
    "passkeys": Wall(NOTHING, "", reason="Passkeys belong to people and are found at sign-in: tenants/passkeys.py."),
    "recovery_codes": Wall(NOTHING, "", reason="Hashes of codes belong to people: tenants/factors.py only."),
    "letters": Wall(NOTHING, "", reason="Letters go to people, also to those of no tenant: tenants/letters.py only."),
    "house_providers": Wall(NOTHING, "", reason="Providers of the installation: tenants/signin_providers.py only."),
    "identities": Wall(NOTHING, "", reason="Who people are elsewhere is theirs, not a tenant's: tenants/signin.py."),
    "signin_attempts": Wall(NOTHING, "", reason="Sign-ins under way, of no tenant: tenants/signin_attempts.py."),
    "issuer_keys": Wall(NOTHING, "", reason="Public keys of issuers, of no tenant: tenants/signin_keys.py only."),
    "sched_pool": Wall(READ, "true", reason="A pool serves all tenants and holds nothing of any of them."),
    "workers": Wall(READ, "true", reason="Workers serve all tenants; pages say how many are there."),
    "step_stats": Wall(READ, "true", reason="How long steps take, over all tenants, for estimates."),
    "leader_lease": Wall(NOTHING, "", reason="Who leads the pump; no page shows it."),
    "host_faults": Wall(NOTHING, "", reason="Which kinds fail on which host, over all tenants; for operators only."),
    "counter_drift": Wall(NOTHING, "", reason="What the auditor of counters found; for operators only."),
}
"""The reviewed list of tables that are not one tenant's."""

TENANT_TABLES: dict[str, Wall] = {
    "audit_entries": Wall(APPEND, system=APPEND, reason="Append-only: a line once written stays."),
    "budget_entries": Wall(APPEND, system=APPEND, reason="A ledger: corrections are new entries."),
    "catalog_versions": Wall(APPEND, reason="Versions are immutable; jobs refer to them."),
    "events": Wall(APPEND, reason="Events happened; only the system role may prune old ones."),
}
"""Tenant tables with fewer verbs than usual; every other table with the TenantOwned mark gets `Wall()`."""

OPEN_TABLES: dict[str, str] = {"alembic_version": "One row: the version of the schema."}
"""Tables without row-level security, and why."""
OPEN = Wall(READ, "true", READ)
"""What both roles may do there."""

CROSS_TENANT_INDEXES: dict[str, str] = {
    "ix_outbox_unsent": "The pump sends messages of all tenants in order of birth.",
    "ix_sched_flow_next": "The claim compares the flows of all tenants of one pool.",
    "ix_api_keys_public_id": "A program that shows a key names no tenant: the key's row does.",
    "ix_approvals_waiting": "The pump ends approvals of all tenants whose time has passed.",
    "ix_schedules_due": "The pump starts what is due for all tenants.",
    "ix_attempts_started": "Pages say how much was done in the last hour, over all tenants.",
    "ix_steps_delayed": "The pump wakes delayed steps of all tenants.",
    "ix_steps_fallback": "The pump moves steps of all tenants whose pool has kept them waiting too long.",
    "ix_steps_running": "The reaper looks for expired leases of all tenants.",
    "ix_memberships_user_id": "Sign-in asks for the tenants of a person.",
    "ix_auth_session_user_id": "A person lists and ends their sessions.",
    "ix_auth_session_tenant_id": "Deleting a tenant ends the sessions that its own provider began.",
    "ix_house_providers_joins": "Deleting a tenant leaves providers of the installation without it.",
    "ix_identities_user_id": "A person lists and unlinks their identities.",
    "ix_signin_attempts_expires_at": "Old attempts of all tenants are swept away.",
    "ix_owner_links_tenant_id": "Deleting a tenant deletes its links.",
    "ix_tickets_tenant_id": "Deleting a tenant deletes its tickets.",
    "ix_tickets_user_id": "A new reset link ends a person's earlier ones.",
    "ix_passkeys_user_id": "A person lists their passkeys, and sign-in looks whether there is one.",
    "ix_letters_tenant_id": "Deleting a tenant deletes its letters.",
    "ix_letters_user_id": "Deleting a person deletes their letters.",
    "ix_webhook_deliveries_ended": "The pump sweeps away what ended long ago, of all tenants.",
    "ix_letters_unsent": "The pump sends the letters of all tenants in order of their time.",
}
"""Indexes that do not begin with tenant_id. None is unique, so none tells whether a foreign row exists."""

SYSTEM_ROUTINES: dict[str, str] = {
    "directory": "tenants/directory.py",
    "entrance": "tenants/entrance.py",
    "factors": "tenants/factors.py",
    "films": "app/films.py",
    "keys": "tenants/api_keys.py",
    "letters": "tenants/letters.py",
    "members": "tenants/members.py",
    "passkeys": "tenants/passkeys.py",
    "personal": "tenants/personal.py",
    "secrets": "tenants/vault.py",
    "signin": "tenants/signin.py",
    "signin attempts": "tenants/signin_attempts.py",
    "signin keys": "tenants/signin_keys.py",
    "signin providers": "tenants/signin_providers.py",
    "farm": "domain/dispatch/farm.py",
    "hosts": "domain/dispatch/hosts.py",
    "reroute": "domain/dispatch/reroute.py",
    "recount": "domain/dispatch/recount.py",
    "stats": "domain/dispatch/stats.py",
    "upkeep": "domain/production/upkeep.py",
    "capacity": "domain/dispatch/capacity.py",
    "crew": "domain/dispatch/crew.py",
    "farm-metrics": "domain/insight/farm.py",
    "operators": "tenants/operators.py",
    "clockwork": "domain/production/clockwork.py",
    "position": "domain/production/position.py",
    "watch": "domain/dispatch/watch.py",
    "webhooks": "domain/outreach/rounds.py",
    "relay": "workers/relay.py",
    "workspaces": "tenants/workspaces.py",
}
"""Purpose of each cross-tenant routine → the one file that opens its units (`units.system(purpose)`)."""

BARE_ROUTINES: frozenset[str] = frozenset({"domain/dispatch/claim.py", "domain/production/settle_at_once.py"})
"""Files that call routines of the database bare (tenants/routines.py): each statement of theirs names its tenant."""

PREPARE: tuple[str, ...] = (
    "CREATE SCHEMA app",
    f"GRANT USAGE ON SCHEMA app TO {APP}, {SYSTEM}",
    f"GRANT USAGE ON SCHEMA public TO {APP}, {SYSTEM}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    # A transaction-local setting leaves an empty string behind, not null: hence nullif.
    "CREATE FUNCTION app.tid() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE "
    "RETURN nullif(current_setting('app.tenant_id', true), '')::uuid",
    f"GRANT SELECT ON alembic_version TO {APP}, {SYSTEM}",
)
"""Statements that come before the first table is closed."""

IS_MEMBER = (
    "CREATE FUNCTION app.is_member(person uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE "
    "RETURN EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = app.tid() AND m.user_id = person)"
)
"""Says whether a person belongs to the present tenant; needs the table `memberships`."""


def close_table(table: str, wall: Wall = Wall()) -> list[str]:
    """Make the statements that close one table: grants, ENABLE + FORCE, one policy per role."""
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY system_rows ON {table} TO {SYSTEM} USING (true) WITH CHECK (true)",
        f"GRANT {', '.join(wall.system)} ON {table} TO {SYSTEM}",
    ]
    if wall.app:
        statements += [
            f"CREATE POLICY app_rows ON {table} TO {APP} USING ({wall.rows}) WITH CHECK ({wall.rows})",
            f"GRANT {', '.join(wall.app)} ON {table} TO {APP}",
        ]
    return statements


def walls(metadata: MetaData) -> dict[str, Wall]:
    """Answer the wall of every table of the product.

    Raises LookupError for a table that neither carries tenant_id in its key nor is on the reviewed list.
    """
    found: dict[str, Wall] = {}
    for table in metadata.sorted_tables:
        if table.name in GLOBAL_TABLES:
            found[table.name] = GLOBAL_TABLES[table.name]
        elif "tenant_id" in table.primary_key.columns:
            found[table.name] = TENANT_TABLES.get(table.name, Wall())
        else:
            raise LookupError(f"{table.name} has no tenant: mark it TenantOwned, or review it into rls.GLOBAL_TABLES")
    return found


# ── What the database really holds ────────────────────────────────────────────────────────────────────────
_TABLES = text(
    "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
    "AND n.nspname NOT LIKE 'pg\\_%'"
)
_POLICIES = text("SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies")
_GRANTS = text(
    "SELECT c.relname, g.grantee, g.privilege_type, '' AS columns "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, "
    "LATERAL (SELECT coalesce(r.rolname, 'PUBLIC') AS grantee, x.privilege_type FROM aclexplode(c.relacl) x "
    "LEFT JOIN pg_roles r ON r.oid = x.grantee) g "
    "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm', 'v', 'f') "
    "UNION ALL SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), x.privilege_type, "
    "string_agg(a.attname, ', ' ORDER BY a.attname) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid, "
    "LATERAL aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee "
    "WHERE n.nspname = 'public' GROUP BY 1, 2, 3"
)


def faults(connection: Connection, metadata: MetaData) -> list[str]:
    """Compare the database with the walls; answer one sentence per difference, none when all is closed."""
    expected = walls(metadata)
    present = {row[0]: row for row in connection.execute(_TABLES)}
    answer = [f"Table {name} is in the database but not in the product" for name in _unknown(present, expected)]
    answer += [f"Table {name} is missing from the database" for name in sorted(expected.keys() - present.keys())]
    for name in sorted(present.keys() & expected.keys()):
        _, enabled, forced, owner = present[name]
        if not (enabled and forced):
            answer.append(f"Table {name} has no forced row-level security")
        if owner != OWNER:
            answer.append(f"Table {name} belongs to {owner}, not to {OWNER}")
    known = {name: wall for name, wall in expected.items() if name in present}
    answer += _differences("policy", _policies(connection), {p for n, w in known.items() for p in _policies_of(n, w)})
    known |= {name: OPEN for name in OPEN_TABLES if name in present}
    answer += _differences("grant", _grants(connection), {g for n, w in known.items() for g in _grants_of(n, w)})
    return answer


def _unknown(present: Iterable[str], expected: Mapping[str, Wall]) -> list[str]:
    return sorted(set(present) - expected.keys() - OPEN_TABLES.keys())


def _differences(kind: str, present: set[tuple[str, ...]], expected: set[tuple[str, ...]]) -> list[str]:
    extra = [f"Unexpected {kind}: {' · '.join(item)}" for item in sorted(present - expected)]
    return extra + [f"Missing {kind}: {' · '.join(item)}" for item in sorted(expected - present)]


def _policies(connection: Connection) -> set[tuple[str, ...]]:
    return {
        (table, name, permissive, ",".join(roles), command, _bare(using), _bare(check))
        for table, name, permissive, roles, command, using, check in connection.execute(_POLICIES)
    }


def _policies_of(table: str, wall: Wall) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [(table, "system_rows", "PERMISSIVE", SYSTEM, "ALL", "true", "true")]
    if wall.app:
        found.append((table, "app_rows", "PERMISSIVE", APP, "ALL", _bare(wall.rows), _bare(wall.rows)))
    return found


def _bare(predicate: str | None) -> str:
    found = predicate or "none"
    return found[1:-1] if found.startswith("(") and found.endswith(")") else found


def _grants(connection: Connection) -> set[tuple[str, ...]]:
    rows = connection.execute(_GRANTS)
    return {(table, who, verb, columns) for table, who, verb, columns in rows if who != OWNER}


def _grants_of(table: str, wall: Wall) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for role, verbs in ((APP, wall.app), (SYSTEM, wall.system)):
        for verb in verbs:
            word, _, columns = verb.partition(" (")
            found.append((table, role, word, columns.removesuffix(")")))
    return found
