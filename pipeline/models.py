"""What a connector makes of a payload: the names for connectors of others. The hub itself imports where they live."""

from __future__ import annotations

from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.messages import INLINE, Attachment, Inbound, InlineFile, Location, MessageKind

__all__ = [
    "INLINE",
    "Attachment",
    "DeliveryStatus",
    "Inbound",
    "InlineFile",
    "Location",
    "MessageKind",
]
