"""What only a store that speaks S3 does: presigned URLs, and being away or killed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from minio import Minio

from bench.services import Weed
from ocr_service.errors import NotFoundError, StorageError
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore, PresignedPut, open_store
from ocr_service.storage.orphans import LEFTOVER_AGE

BUCKET = "headstone"


def open_s3(weed: Weed, **more: Any) -> ObjectStore:
    given = {"s3_secure": False, "s3_access_key": weed.access_key, "s3_secret_key": weed.secret_key, **more}
    return open_store(Settings(s3_endpoint=weed.endpoint, **given))


@pytest.fixture
def store(weed: Weed) -> ObjectStore:
    store = open_s3(weed, s3_public_endpoint=f"http://{weed.endpoint}")
    store.prepare()
    return store


@pytest.fixture
def client(weed: Weed) -> Minio:
    """Somebody else who may write into the bucket."""
    return Minio(weed.endpoint, weed.access_key, weed.secret_key, secure=False, region="us-east-1")


def new_bytes(size: int = 2000) -> bytes:
    return secrets.token_bytes(size)


def keep(store: ObjectStore, data: bytes) -> str:
    incoming = store.incoming()
    incoming.write(data)
    return incoming.finish().sha256


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def presigned(store: ObjectStore, sha256: str) -> PresignedPut:
    url = store.presigned_put(7, sha256)
    assert url is not None
    return url


def put_by_url(store: ObjectStore, sha256: str, data: bytes) -> None:
    assert httpx.put(presigned(store, sha256).url, content=data).status_code == 200


def adopt(store: ObjectStore, sha256: str) -> str:
    upload = store.uploaded(7, sha256)
    assert upload is not None
    incoming = upload.incoming()
    for chunk in upload.chunks():
        incoming.write(chunk)
    return incoming.finish().sha256


def object_key(sha256: str) -> str:
    return f"objects/{sha256[:2]}/{sha256[2:4]}/{sha256}"


@pytest.mark.parametrize("size", [1, 2000, 5_000_001])
def test_what_a_client_puts_by_its_url_is_adopted_under_its_name(store: ObjectStore, size: int) -> None:
    data = new_bytes(size)
    name = sha256_of(data)
    assert store.uploaded(7, name) is None
    put_by_url(store, name, data)
    assert not store.exists(name)
    assert adopt(store, name) == name
    assert store.read(name) == data
    store.delete_uploaded(7, name)
    assert store.uploaded(7, name) is None
    assert store.read(name) == data


def test_wrong_bytes_never_get_the_name_they_were_announced_with(store: ObjectStore) -> None:
    announced, sent = sha256_of(new_bytes()), new_bytes()
    put_by_url(store, announced, sent)
    assert adopt(store, announced) == sha256_of(sent)
    assert not store.exists(announced)


def test_the_size_is_known_before_anything_is_read(store: ObjectStore) -> None:
    name = sha256_of(new_bytes())
    put_by_url(store, name, bytes(3_000_000))
    upload = store.uploaded(7, name)
    assert upload is not None and upload.size_bytes == 3_000_000


@pytest.mark.parametrize("when", ["before reading", "before adopting"])
def test_bytes_that_are_exchanged_while_they_are_checked_are_not_adopted(store: ObjectStore, when: str) -> None:
    good, bad = new_bytes(), new_bytes()
    name = sha256_of(good)
    put_by_url(store, name, good)
    upload = store.uploaded(7, name)
    assert upload is not None
    if when == "before reading":
        put_by_url(store, name, bad)
        with pytest.raises(StorageError, match="changed meanwhile"):
            list(upload.chunks())
    else:
        incoming = upload.incoming()
        for chunk in upload.chunks():
            incoming.write(chunk)
        put_by_url(store, name, bad)
        with pytest.raises(StorageError, match="changed meanwhile"):
            incoming.finish()
    assert not store.exists(name)


def test_an_upload_that_was_not_read_to_its_end_is_not_adopted(store: ObjectStore) -> None:
    data = new_bytes()
    put_by_url(store, sha256_of(data), data)
    upload = store.uploaded(7, sha256_of(data))
    assert upload is not None
    incoming = upload.incoming()
    incoming.write(data[:-1])
    with pytest.raises(StorageError):
        incoming.finish()


def test_an_upload_that_was_removed_meanwhile_is_told(store: ObjectStore) -> None:
    data = new_bytes()
    put_by_url(store, sha256_of(data), data)
    upload = store.uploaded(7, sha256_of(data))
    assert upload is not None
    incoming = upload.incoming()
    incoming.write(data)
    store.delete_uploaded(7, sha256_of(data))
    for step in (lambda: list(upload.chunks()), incoming.finish):
        with pytest.raises(StorageError, match="send the file again"):
            step()


def test_a_url_is_for_one_file_one_method_and_a_while(store: ObjectStore, client: Minio) -> None:
    one, other = sha256_of(new_bytes()), sha256_of(new_bytes())
    url = presigned(store, one).url
    assert httpx.put(url.replace(one, other), content=b"x").status_code == 403
    assert httpx.put(url.replace("incoming/7", "objects/7"), content=b"x").status_code == 403
    assert httpx.get(url).status_code == 403
    assert httpx.delete(url).status_code == 403
    assert store.uploaded(7, other) is None and store.uploaded(7, one) is None
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    old = client.get_presigned_url(
        "PUT", BUCKET, f"incoming/7/{one}", expires=timedelta(hours=1), request_date=long_ago
    )
    assert httpx.put(old, content=b"x").status_code == 403


def test_urls_name_the_public_endpoint_and_expire(weed: Weed) -> None:
    store = open_s3(weed, s3_public_endpoint="https://files.example", s3_presigned_s=60)
    url = presigned(store, "a" * 64)
    assert url.url.startswith("https://files.example/headstone/incoming/7/")
    assert "X-Amz-Expires=60&" in url.url and url.expires_s == 60
    assert weed.secret_key not in url.url


def test_without_a_public_endpoint_no_url_is_given_out(weed: Weed) -> None:
    assert open_s3(weed).presigned_put(7, "a" * 64) is None


def test_an_object_that_is_there_is_not_written_again(store: ObjectStore, client: Minio) -> None:
    data = new_bytes()
    name = keep(store, data)
    client.put_object(BUCKET, object_key(name), io.BytesIO(b"marked"), 6)
    keep(store, data)
    put_by_url(store, name, data)
    adopt(store, name)
    answer = client.get_object(BUCKET, object_key(name))
    assert answer.data == b"marked"
    with pytest.raises(StorageError, match="damaged"):
        store.read(name)


def test_uploads_whose_end_nobody_told_are_removed_when_they_are_old(store: ObjectStore) -> None:
    data = new_bytes()
    name = sha256_of(data)
    put_by_url(store, name, data)
    store.delete_leftovers(datetime.now(UTC) - LEFTOVER_AGE)
    assert store.uploaded(7, name) is not None
    store.delete_leftovers(datetime.now(UTC) + timedelta(hours=1))
    assert store.uploaded(7, name) is None


def test_wrong_keys_and_a_missing_bucket_say_what_to_do(weed: Weed) -> None:
    with pytest.raises(StorageError, match="HEADSTONE_S3_SECRET_KEY"):
        open_s3(weed, s3_secret_key="wrong").read("a" * 64)
    with pytest.raises(StorageError, match="headstone migrate"):
        open_s3(weed, s3_bucket="never-made").read("a" * 64)


def test_a_store_that_is_away_is_told_at_every_step() -> None:
    away = Weed()  # not started
    store = open_s3(away, s3_public_endpoint=f"http://{away.endpoint}")
    away.remove()
    incoming = store.incoming()
    incoming.write(b"stone")
    steps: list[Callable[[], object]] = [
        incoming.finish,
        store.prepare,
        lambda: store.read("a" * 64),
        lambda: store.exists("a" * 64),
        lambda: store.uploaded(7, "a" * 64),
        lambda: list(store.objects("ab")),
    ]
    for step in steps:
        with pytest.raises(StorageError, match=r"does not answer .* HEADSTONE_S3_ENDPOINT"):
            step()


def test_what_was_acknowledged_is_there_after_the_store_was_killed(own_service: Callable[..., Weed]) -> None:
    weed = own_service(Weed)
    store = open_s3(weed)
    store.prepare()
    acknowledged: list[str] = []
    done, up = threading.Event(), threading.Event()

    def send() -> None:
        while not done.is_set():
            up.wait()  # what comes while it starts may hang in it for seconds
            with contextlib.suppress(StorageError):
                acknowledged.append(keep(store, new_bytes(50_000)))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    counts = []
    for _ in range(2):
        up.set()
        before = len(acknowledged)
        while len(acknowledged) < before + 40:
            time.sleep(0.01)
        weed.kill()
        up.clear()
        counts.append(len(acknowledged))
        weed.start()
    done.set()
    up.set()
    for sender in senders:
        sender.join()
    assert counts[1] >= counts[0] + 40  # it went on after the first kill
    for name in acknowledged:
        assert sha256_of(store.read(name)) == name
    with pytest.raises(NotFoundError):
        store.read("0" * 64)
