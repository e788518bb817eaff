"""Where files are kept: a folder, or an S3-compatible store. What is kept is sealed before it comes here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured, RetryLater


class Blobs(Protocol):
    """Named bytes. Names are "<owner>/<name>"; writing the same name again is harmless. Blocking."""

    def put(self, name: str, data: bytes) -> None:
        """Durable when it returns. Raises `RetryLater`."""
        ...

    def get(self, name: str) -> bytes | None:
        """None if there is no such blob. Raises `RetryLater`."""
        ...

    def delete(self, name: str) -> None:
        """Deletes one, if it is there. Raises `RetryLater`."""
        ...

    def delete_of(self, owner: str) -> int:
        """Deletes all of an owner. How many there were."""
        ...


def open_blobs(settings: Settings) -> Blobs:
    """As the settings say. Raises `Misconfigured`."""
    if not settings.files_url:
        return FolderBlobs(settings.data / "files")
    if not settings.files_url.startswith("s3://"):
        raise Misconfigured(
            "LAPORHUB_FILES_URL is s3://BUCKET or s3://BUCKET/PREFIX; without it a folder is used"
        )
    return S3Blobs.opened(settings)


class FolderBlobs:
    """A file each, in a folder of its owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        path = self._path(
            name
        )  # written anew even if it is there: it may be sealed with a key that was never stored
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).rename(path)
            _sync(path.parent)
        except OSError as error:
            raise RetryLater(f"The file cannot be kept: {error.strerror}") from error

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RetryLater(f"The file cannot be read: {error.strerror}") from error

    def delete(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise RetryLater(f"The file cannot be deleted: {error.strerror}") from error

    def delete_of(self, owner: str) -> int:
        folder = self._path(owner)
        count = sum(1 for each in folder.glob("*") if not each.name.startswith(".part-"))
        shutil.rmtree(folder, ignore_errors=True)
        return count

    def _path(self, name: str) -> Path:
        owner, _, rest = name.partition("/")
        if not _is_plain(owner) or (rest and not _is_plain(rest)):
            raise ValueError(f"{name!r} is no name of a blob")
        return self._folder / owner[:5] / owner / rest if rest else self._folder / owner[:5] / owner


def _is_plain(name: str) -> bool:
    return name.replace("_", "").replace(".", "").isalnum() and name.isascii() and not name.startswith(".")


def _sync(folder: Path) -> None:
    """A new name is durable when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class S3Blobs:
    """An object each, in a bucket. Needs the extra `s3`."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @classmethod
    def opened(cls, settings: Settings) -> S3Blobs:
        """Raises `Misconfigured` when the library or a setting is missing."""
        try:
            import boto3
        except ImportError:
            raise Misconfigured("LAPORHUB_FILES_URL names S3: install laporhub[s3]") from None
        bucket, _, prefix = settings.files_url.removeprefix("s3://").partition("/")
        secret = settings.files_secret_key.get_secret_value() if settings.files_secret_key else None
        given: Mapping[str, Any] = {
            "endpoint_url": settings.files_endpoint or None,
            "aws_access_key_id": settings.files_access_key or None,
            "aws_secret_access_key": secret or None,
            "region_name": settings.files_region or "us-east-1",
        }
        return cls(boto3.client("s3", **given), bucket, prefix)

    def put(self, name: str, data: bytes) -> None:
        self._call("put_object", Key=self._prefix + name, Body=data)

    def get(self, name: str) -> bytes | None:
        found = self._call("get_object", missing=("NoSuchKey", "404"), Key=self._prefix + name)
        return None if found is None else bytes(found["Body"].read())

    def delete(self, name: str) -> None:
        self._call("delete_object", Key=self._prefix + name)

    def delete_of(self, owner: str) -> int:
        count = 0
        while True:
            page = self._call("list_objects_v2", Prefix=f"{self._prefix}{owner}/", MaxKeys=1000) or {}
            keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
            if not keys:
                return count
            self._call("delete_objects", Delete={"Objects": keys, "Quiet": True})
            count += len(keys)

    def _call(self, method: str, missing: tuple[str, ...] = (), **given: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, method)(Bucket=self._bucket, **given)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in missing:
                return None
            raise RetryLater(f"The files' store answers {code}") from error
        except BotoCoreError as error:
            raise RetryLater(f"The files' store cannot be reached: {type(error).__name__}") from error
