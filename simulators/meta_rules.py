"""Meta's rules for what an office may say, as far as a sender can notice them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

MESSENGER_LIMIT, INSTAGRAM_BYTES, COMMENT_LIMIT, INSTAGRAM_COMMENT_LIMIT = 2000, 1000, 8000, 2200
WINDOW, HUMAN_WINDOW = timedelta(hours=24), timedelta(days=7)
VERSIONS: Final = tuple(f"v{number}.0" for number in range(20, 27))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: HTTP status, Meta's code and subcode, and what it says."""

    status: int
    code: int
    subcode: int
    message: str
    transient: bool = False

    def body(self, trace: str) -> Mapping[str, Any]:
        """As the Graph API words it."""
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        return {"error": error | {"is_transient": self.transient, "fbtrace_id": trace}}


DEAD_TOKEN = Refusal(400, 190, 463, "Error validating access token: Session has expired.")
NO_TOKEN = Refusal(400, 190, 0, "Invalid OAuth access token - Cannot parse access token")
NO_PROOF = Refusal(400, 100, 0, "API calls from the server require an appsecret_proof argument")
WRONG_PROOF = Refusal(400, 100, 0, "Invalid appsecret_proof provided in the API argument")
OLD_VERSION = Refusal(400, 2635, 0, "You are calling a deprecated version of the API.")
TOO_MANY = Refusal(400, 4, 0, "(#4) Application request limit reached")
GONE = Refusal(400, 100, 33, "Unsupported request. Object does not exist, or cannot be loaded.")
NO_WORDS = Refusal(400, 100, 0, "(#100) The parameter message is required")
TOO_LONG = Refusal(400, 100, 2018044, "(#100) Length of param message[text] is too long")
NOBODY = Refusal(400, 100, 2018001, "(#100) No matching user found")
UNAVAILABLE = Refusal(400, 551, 1545041, "(#551) This person isn't available right now.")
WRONG_TAG = Refusal(400, 100, 2018065, "(#100) This message tag is not supported")
ONCE = Refusal(400, 10900, 0, "(#10900) Activity already replied to")
NOT_REPLYABLE = Refusal(400, 10902, 0, "(#10902) This is not a replyable activity")
TOO_LATE = Refusal(400, 10903, 0, "(#10903) This activity can no longer be replied to")
NOT_THERE = Refusal(400, 10, 0, "(#10) Application does not have permission for this action")


def message(
    where: str, form: Mapping[str, Any], last_inbound: datetime | None, now: datetime
) -> Refusal | None:
    """Why a direct message would not be taken; None if it would. The deprecated tags are refused like made-up ones."""
    if wrong := words(where, form):
        return wrong
    is_tagged = form.get("messaging_type") == "MESSAGE_TAG"
    if is_tagged and form.get("tag") != "HUMAN_AGENT":
        return WRONG_TAG
    window = HUMAN_WINDOW if is_tagged else WINDOW
    if last_inbound is None or now - last_inbound > window:
        subcode = 2534022 if where == "instagram" else 2018278
        return Refusal(403, 10, subcode, "(#10) This message is sent outside of allowed window.")
    return None


def words(where: str, form: Mapping[str, Any]) -> Refusal | None:
    """Why the words of a message would not be taken, wherever it goes."""
    message = form.get("message")
    text = str(message.get("text", "")) if isinstance(message, dict) else ""
    if not text:
        return NO_WORDS
    too_long = len(text.encode()) > INSTAGRAM_BYTES if where == "instagram" else len(text) > MESSENGER_LIMIT
    return TOO_LONG if too_long else None


def comment(where: str, text: str) -> Refusal | None:
    """Why a comment would not be taken."""
    if not text.strip():
        return NO_WORDS
    limit = INSTAGRAM_COMMENT_LIMIT if where == "instagram" else COMMENT_LIMIT
    return TOO_LONG if len(text) > limit else None
