"""Which dashboards an audience gets. What differs between governments comes from the profile."""

from __future__ import annotations

from laporhub.dashboards.access import Audience, channel_roles
from laporhub.dashboards.describe import Dashboard
from laporhub.dashboards.leaders import leaders
from laporhub.dashboards.office import deadlines, overview
from laporhub.dashboards.queues import queue, unit
from laporhub.dashboards.routing import routing
from laporhub.pipeline.profile.rulebook import Rulebook


def dashboards(rulebook: Rulebook, audience: Audience) -> tuple[Dashboard, ...]:
    """All dashboards of the audience."""
    match audience:
        case Audience.OFFICE:
            pages = (overview(), deadlines(rulebook), routing())
            return pages + tuple(queue(rulebook, role) for role in channel_roles(rulebook))
        case Audience.UNITS:
            return (unit(rulebook),)
        case Audience.LEADERS:
            return (leaders(rulebook),)
