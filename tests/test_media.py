"""What a file is, and what a picture tells: by its bytes alone, and without believing a word of its sender."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from laporhub.pipeline import media

WIB = ZoneInfo("Asia/Jakarta")


def picture(
    form: str = "JPEG", size: tuple[int, int] = (640, 400), mode: str = "RGB", exif: Image.Exif | None = None
) -> bytes:
    out = io.BytesIO()
    made = Image.new(mode, size, 128 if mode == "L" else (90, 120, 60, 40)[: len(mode)])
    made.save(out, form, **({"exif": exif} if exif else {}))
    return out.getvalue()


def taken(when: str = "2026:11:12 09:10:00", offset: str | None = None, place: bool = True) -> Image.Exif:
    exif = Image.Exif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = when
    if offset:
        inner[ExifTags.Base.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", (7.0, 1.0, 12.0)
        gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (110.0, 24.0, 36.0)
    exif[ExifTags.Base.Make] = "Kamera Contoh"
    exif[ExifTags.Base.Orientation] = 6
    return exif


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (picture("GIF", mode="L"), "image/gif"),
        (b"%PDF-1.7\n...", "application/pdf"),
        (b"OggS\0\2" + bytes(30) + b"OpusHead", "audio/ogg"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "video/mp4"),
        (b"BEGIN:VCARD\nVERSION:3.0\nFN:Warga Contoh\nEND:VCARD", "text/vcard"),
        (b"Kronologi: lampu mati sejak Senin.", "text/plain"),
        ("é".encode() * 5000, "text/plain"),
    ],
)
def test_the_bytes_tell_the_type(data: bytes, said: str) -> None:
    assert media.type_of(data) == said


@pytest.mark.parametrize(
    "data",
    [b"", b"   ", b"<html><script>x</script>", b'<svg xmlns="x" onload="y"/>', b"MZ\x90\0" + bytes(60),
     b"\x7fELF" + bytes(60), b"\0\1\2\3", b"\xff\xfe\xfa nothing", b"PK\3\4" + bytes(60)],
)  # fmt: skip
def test_what_runs_or_is_nothing_known_is_not_kept(data: bytes) -> None:
    assert media.type_of(data) is None


def test_what_the_camera_wrote_is_read_and_is_in_nothing_that_is_shown() -> None:
    looked = media.look_into(picture(exif=taken()), WIB)
    assert looked
    facts = looked.facts
    assert facts.taken_at == datetime(2026, 11, 12, 2, 10, tzinfo=UTC)
    assert (facts.lat, facts.lon) == (-7.02, 110.41)
    for shown in (looked.shown, looked.preview):
        with Image.open(io.BytesIO(shown)) as plain:
            assert dict(plain.getexif()) == {}
            assert plain.size[0] < plain.size[1], "turned as it was held"
        assert b"Kamera" not in shown


def test_a_zone_in_the_picture_comes_before_the_offices() -> None:
    looked = media.look_into(picture(exif=taken(offset="+09:00")), WIB)
    assert looked
    assert looked.facts.taken_at == datetime(2026, 11, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize("when", ["0000:00:00 00:00:00", "kemarin", "", "9999:12:31 23:59:59"])
def test_a_time_that_is_none_is_none(when: str) -> None:
    looked = media.look_into(picture(exif=taken(when, place=False)), WIB)
    assert looked
    assert looked.facts.taken_at is None
    assert looked.facts.lat is None


def test_what_is_shown_is_small_and_has_no_transparency() -> None:
    looked = media.look_into(picture("PNG", (3000, 1500), "RGBA"), WIB)
    assert looked
    sizes = [Image.open(io.BytesIO(each)).size for each in (looked.shown, looked.preview)]
    assert sizes == [(2048, 1024), (480, 240)]
    assert (looked.facts.width, looked.facts.height) == (3000, 1500)


def test_a_picture_with_too_many_pixels_is_not_decoded() -> None:
    assert media.look_into(picture("PNG", (9000, 8000), "L"), WIB) is None


SOUND = [picture(exif=taken()), picture("PNG"), picture("WEBP"), picture("GIF", mode="L")]


@settings(max_examples=150)
@given(st.sampled_from(SOUND), st.integers(0, 4000), st.binary(max_size=12), st.integers(0, 4000))
def test_a_damaged_picture_is_looked_into_or_is_none(sound: bytes, at: int, noise: bytes, end: int) -> None:
    damaged = (sound[:at] + noise + sound[at + len(noise) :])[: len(sound) - end or None]
    looked = media.look_into(damaged, WIB)
    assert looked is None or looked.preview.startswith(b"\xff\xd8")
    assert media.type_of(damaged) is None or media.type_of(damaged) in media.KEPT


@given(st.binary(max_size=300))
def test_any_bytes_have_a_type_or_none(data: bytes) -> None:
    assert media.type_of(data) in {None, *media.KEPT}
