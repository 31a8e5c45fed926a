"""What the audit log has of a question: the one place that says so."""

from schemas.audit_entries import AuditResult
from streams.kafka.audit_log import Audited
from streams.serving.identity import Identity
from streams.serving.roles import Route


def audited(
    identity: Identity,
    route: Route,
    query: str,
    result: AuditResult,
    count: int = 0,
    total: int = 0,
) -> Audited:
    """That someone asked for a route, and what came of it."""
    roles = tuple(sorted(identity.roles))
    return Audited(identity.name, roles, route.name, query, result, count, total)
