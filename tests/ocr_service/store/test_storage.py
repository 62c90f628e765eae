"""What holds for every object store: a folder, and a real store that speaks S3."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.services import Weed
from ocr_service.errors import NotFoundError, StorageError, UsageError
from ocr_service.settings import Settings, load_settings
from ocr_service.storage import LocalStore, ObjectStore, chunks_of, open_store
from ocr_service.storage.orphans import ASIDE_AGE, LEFTOVER_AGE, ORPHAN_AGE, Swept, prefix_of_hour, sweep_orphans

ANYTHING_HELD = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
NOW = datetime.now(UTC)


def s3_settings(weed: Weed, **more: object) -> Settings:
    return Settings(
        s3_endpoint=weed.endpoint,
        s3_secure=False,
        s3_access_key=weed.access_key,
        s3_secret_key=weed.secret_key,
        **more,
    )


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "local":
        store = open_store(Settings(data_dir=tmp_path))
    else:
        store = open_store(s3_settings(request.getfixturevalue("weed")))
    store.prepare()
    yield store


def keep(store: ObjectStore, data: bytes) -> str:
    incoming = store.incoming()
    incoming.write(data)
    return incoming.finish().sha256


def new_bytes() -> bytes:
    return secrets.token_bytes(2000)


def listed(store: ObjectStore, sha256: str) -> bool:
    return sha256 in {entry.name for entry in store.objects(sha256[:2])}


@given(chunks=st.lists(st.binary(max_size=3000), max_size=6))
@settings(suppress_health_check=ANYTHING_HELD, max_examples=20, deadline=None)
def test_an_object_comes_back_byte_for_byte_under_its_sha256(store: ObjectStore, chunks: list[bytes]) -> None:
    incoming = store.incoming()
    for chunk in chunks:
        incoming.write(chunk)
    kept = incoming.finish()
    whole = b"".join(chunks)
    assert (kept.sha256, kept.size_bytes) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert store.read(kept.sha256) == whole


@given(many=st.lists(st.binary(max_size=200), max_size=12))
@settings(suppress_health_check=ANYTHING_HELD, max_examples=15, deadline=None)
def test_many_are_made_durable_together_in_their_order(store: ObjectStore, many: list[bytes]) -> None:
    incoming = [store.incoming() for _ in many]
    for one, data in zip(incoming, many, strict=True):
        one.write(data)
    kept = store.durable(incoming)
    assert [one.sha256 for one in kept] == [hashlib.sha256(data).hexdigest() for data in many]
    assert [store.read(one.sha256) for one in kept] == many


def test_a_large_object_comes_back_whole(store: ObjectStore) -> None:
    data = secrets.token_bytes(1024) * 20_000  # in S3 more than two parts
    incoming = store.incoming()
    for start in range(0, len(data), 5_000_000):
        incoming.write(data[start : start + 5_000_000])
    assert store.read(incoming.finish().sha256) == data


def test_an_object_is_not_visible_before_it_is_finished(store: ObjectStore) -> None:
    data = new_bytes()
    digest = hashlib.sha256(data).hexdigest()
    incoming = store.incoming()
    incoming.write(data)
    assert not store.exists(digest)
    incoming.finish()
    assert store.exists(digest)


def test_a_discarded_object_is_not_there(store: ObjectStore) -> None:
    data = new_bytes()
    incoming = store.incoming()
    incoming.write(data)
    incoming.discard()
    assert not store.exists(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63])
def test_only_a_sha256_names_an_object(store: ObjectStore, name: str) -> None:
    for ask in (store.read, store.exists, store.set_aside, store.put_back, store.delete_aside):
        with pytest.raises(NotFoundError):
            ask(name)


def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFoundError):
        store.read("0" * 64)


def test_a_store_can_be_prepared_again(store: ObjectStore) -> None:
    kept = keep(store, b"stone")
    store.prepare()
    assert store.read(kept) == b"stone"


def test_an_object_set_aside_is_not_there_until_it_is_put_back(store: ObjectStore) -> None:
    data = new_bytes()
    kept = keep(store, data)
    assert listed(store, kept)
    store.set_aside(kept)
    assert not store.exists(kept) and not listed(store, kept)
    assert kept in {entry.name for entry in store.objects_aside()}
    store.put_back(kept)
    assert store.read(kept) == data and listed(store, kept)
    assert kept not in {entry.name for entry in store.objects_aside()}


def test_reading_an_object_that_was_set_aside_brings_it_back(store: ObjectStore) -> None:
    data = new_bytes()
    kept = keep(store, data)
    store.set_aside(kept)
    assert store.read(kept) == data
    assert store.exists(kept)


def test_moving_and_deleting_what_another_process_moved_harms_nothing(store: ObjectStore) -> None:
    for step in (store.set_aside, store.put_back, store.delete_aside):
        step("0" * 64)
    kept = keep(store, b"stone")
    store.put_back(kept)
    assert store.read(kept) == b"stone"


def test_only_an_old_object_that_no_row_names_is_set_aside(store: ObjectStore) -> None:
    named, orphan = keep(store, new_bytes()), keep(store, new_bytes())
    parts = {int(name[:2], 16) for name in (named, orphan)}

    def sweep(now: datetime) -> None:
        for part in parts:
            # other tests share the store of S3: all but ours is named
            sweep_orphans(store, lambda names: set(names) - {orphan}, now, part)

    sweep(NOW + ORPHAN_AGE / 2)
    assert store.exists(named) and store.exists(orphan)
    sweep(NOW + ORPHAN_AGE + timedelta(hours=1))
    assert store.exists(named) and not store.exists(orphan)
    sweep(NOW + ASIDE_AGE / 2)
    assert orphan in {entry.name for entry in store.objects_aside()}
    sweep(NOW + ASIDE_AGE + timedelta(hours=1))
    with pytest.raises(NotFoundError):
        store.read(orphan)


def test_an_orphan_that_a_row_names_meanwhile_comes_back(store: ObjectStore) -> None:
    kept = keep(store, new_bytes())
    part, later = int(kept[:2], 16), NOW + ORPHAN_AGE + timedelta(hours=1)
    sweep_orphans(store, lambda names: set(names) - {kept}, later, part)
    assert not store.exists(kept)
    assert sweep_orphans(store, set, later, part) == Swept(0, 1, 0, 0)
    assert store.exists(kept)


def test_an_orphan_whose_row_is_committed_while_it_is_set_aside_comes_back_at_once(store: ObjectStore) -> None:
    kept = keep(store, new_bytes())
    asked: list[str] = []

    def named(names: object) -> set[str]:
        answer = set(names) - {kept} if kept not in asked else set(names)  # type: ignore[call-overload]
        asked.extend(names)  # type: ignore[arg-type]
        return answer

    swept = sweep_orphans(store, named, NOW + ORPHAN_AGE + timedelta(hours=1), int(kept[:2], 16))
    assert (swept.set_aside, swept.put_back) == (0, 1)
    assert store.exists(kept)


def test_hourly_sweeps_see_every_part_of_the_store() -> None:
    assert {prefix_of_hour(NOW + timedelta(hours=hours)) for hours in range(256)} == set(range(256))


def test_what_a_killed_process_began_is_removed_when_it_is_old(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.incoming().write(b"never finished")
    assert store.delete_leftovers(NOW - LEFTOVER_AGE) == 0
    assert store.delete_leftovers(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_settings_that_do_not_fit_together_are_told(weed: Weed) -> None:
    with pytest.raises(UsageError, match="HEADSTONE_S3_ACCESS_KEY"):
        open_store(Settings(s3_endpoint=weed.endpoint))
    with pytest.raises(UsageError, match="HEADSTONE_S3_ENDPOINT"):
        open_store(Settings(s3_endpoint="store.example?x", s3_access_key="a", s3_secret_key="b"))
    for name, wrong in (("s3_endpoint", "https://store.example"), ("s3_public_endpoint", "store.example")):
        with pytest.raises(UsageError, match=f"HEADSTONE_{name.upper()}"):
            load_settings(**{name: wrong})


def test_an_empty_endpoint_is_none(tmp_path: Path) -> None:
    assert isinstance(open_store(Settings(data_dir=tmp_path, s3_endpoint="", s3_public_endpoint="")), LocalStore)


def test_chunks_hold_a_whole_file(tmp_path: Path) -> None:
    data = os.urandom(2_500_000)
    (tmp_path / "f").write_bytes(data)
    assert b"".join(chunks_of(tmp_path / "f")) == data == b"".join(chunks_of(data))


def test_an_object_that_is_damaged_in_the_folder_is_told(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    kept = keep(store, b"stone")
    path = next(tmp_path.rglob(kept))
    path.chmod(0o640)
    path.write_bytes(b"stony")
    with pytest.raises(StorageError, match="damaged"):
        store.read(kept)
