"""The form of a step as a browser sends it: its fields, and the photos among them."""

from __future__ import annotations

from fastapi import Request

from laporhub.pipeline.errors import Refused
from laporhub.pipeline.messages import InlineFile
from laporhub.web import forms


async def read_step(request: Request, prefix: str) -> tuple[dict[str, str], dict[str, list[InlineFile]]]:
    """The fields of a submitted form, cleaned, and by field the files of those whose name begins with `prefix`."""
    limits = {"max_files": 3 * forms.FILES, "max_fields": 60, "max_part_size": forms.PART_LIMIT}
    found: dict[str, list[InlineFile]] = {}
    async with request.form(**limits) as form:
        fields = {name: forms.clean(value) for name, value in form.multi_items() if isinstance(value, str)}
        for name, each in form.multi_items():
            if not isinstance(each, str) and each.filename and name.startswith(prefix):
                data = await each.read(forms.FILE_LIMIT + 1)
                found.setdefault(name.removeprefix(prefix), []).append(InlineFile(data=data))
    for name, files in found.items():
        if len(files) > forms.FILES or any(len(each.data) > forms.FILE_LIMIT for each in files):
            raise Refused("Three photos at most, of ten megabytes each", code="too_large", field=name)
    return fields, found
