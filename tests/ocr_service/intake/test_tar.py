from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocr_service.errors import UsageError
from ocr_service.intake.taking import Refusal, Taken
from ocr_service.intake.tar import Member, take_tar
from ocr_service.records import RejectReason
from ocr_service.storage import LocalStore

JPEG = b"\xff\xd8\xff\xe0"
FILES = {f"khu A/{number}.jpg": JPEG + bytes([number]) * (700 * number) for number in range(1, 6)}


def tar_of(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


class Noted:
    """What was noted, group by group."""

    def __init__(self) -> None:
        self.members: list[Member] = []

    def __call__(self, members: Sequence[Member]) -> None:
        self.members += members

    def paths(self) -> list[str]:
        return [member.file.path for member in self.members]


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def take(store: LocalStore, noted: Noted) -> Callable[[bytes], None]:
    return lambda data: take_tar(io.BytesIO(data), store, 10_000, noted)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_member_is_a_file(store: LocalStore, take: Callable[[bytes], None], noted: Noted, form: int) -> None:
    take(tar_of(FILES, form))
    assert noted.paths() == list(FILES)
    for member, data in zip(noted.members, FILES.values(), strict=True):
        assert (member.file.sha256, member.file.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
        assert store.read(member.file.sha256) == data


def test_long_names_with_marks_are_kept_and_climbing_ones_brought_down(
    take: Callable[[bytes], None], noted: Noted
) -> None:
    long = "nghĩa trang liệt sĩ/" * 8 + "bia mộ.jpg"
    take(tar_of({long: JPEG, "../../etc/x.jpg": JPEG, "/y.jpg": JPEG, "./z.jpg": JPEG}))
    assert noted.paths() == [long, "_/_/etc/x.jpg", "y.jpg", "z.jpg"]


def test_what_is_no_photo_is_refused_and_the_rest_goes_on(take: Callable[[bytes], None], noted: Noted) -> None:
    pdf, large = b"%PDF-1.7 " + b"x" * 5000, JPEG + b"x" * 20_000
    take(tar_of({"a.pdf": pdf, "b.jpg": b"", "c.jpg": large, "d.jpg": JPEG}))
    outcomes = [member.outcome for member in noted.members]
    assert [one.reason for one in outcomes[:3] if isinstance(one, Refusal)] == [
        RejectReason.UNSUPPORTED_TYPE, RejectReason.EMPTY, RejectReason.TOO_LARGE_FILE,
    ]  # fmt: skip
    assert isinstance(outcomes[3], Taken)
    # refused or not: the hash says which file was meant
    assert [m.file.sha256 for m in noted.members[:3]] == [
        hashlib.sha256(data).hexdigest() for data in (pdf, b"", large)
    ]


def test_links_are_refused_and_folders_passed_over(take: Callable[[bytes], None], noted: Noted) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, kind in (("khu A", tarfile.DIRTYPE), ("link.jpg", tarfile.SYMTYPE), ("twin.jpg", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    take(file.getvalue())
    assert noted.paths() == ["link.jpg", "twin.jpg"]
    assert all(isinstance(member.outcome, Refusal) for member in noted.members)


@given(cut=st.integers(0, sum(512 + len(data) + -len(data) % 512 for data in FILES.values())))
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_tar_that_breaks_off_keeps_its_whole_members_and_says_so(store: LocalStore, cut: int) -> None:
    noted = Noted()
    whole = tar_of(FILES, tarfile.USTAR_FORMAT)
    with pytest.raises(UsageError):
        take_tar(io.BytesIO(whole[:cut]), store, 10_000, noted)
    at, expected = 0, []
    for path, data in FILES.items():
        if at + 512 + len(data) <= cut:
            expected.append(path)
        at += 512 + len(data) + -len(data) % 512
    assert noted.paths() == expected
    for member in noted.members:
        assert store.read(member.file.sha256) == FILES[member.file.path]


def test_a_damaged_header_in_the_middle_is_no_end(take: Callable[[bytes], None], noted: Noted) -> None:
    data = bytearray(tar_of(FILES, tarfile.USTAR_FORMAT))
    second = 512 + 1024  # header and padded content of the first
    assert data[second : second + 5] == b"khu A"
    data[second + 150] ^= 0xFF  # in the checksum
    with pytest.raises(UsageError, match="breaks off after 1 files, which are kept"):
        take(bytes(data))
    assert noted.paths() == ["khu A/1.jpg"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x1f\x8b\x08" + b"x" * 2000, "gzip"),
        (JPEG * 500, "no tar"),
        (b"", "no tar"),
        (b"PK\x03\x04" + b"x" * 999, "ZIP"),
    ],
)
def test_what_is_no_tar_is_told_by_its_name(
    take: Callable[[bytes], None], noted: Noted, data: bytes, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        take(data)
    assert noted.members == []


def test_an_empty_tar_is_one(take: Callable[[bytes], None], noted: Noted) -> None:
    take(tar_of({}))
    assert noted.members == []


def test_a_description_that_would_fill_memory_is_not_read(take: Callable[[bytes], None]) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 8 * 1024**3
    with pytest.raises(UsageError):
        take(header.tobuf(tarfile.GNU_FORMAT) + b"x" * 2000)


@given(st.binary(max_size=3000))
@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_break_it(store: LocalStore, data: bytes) -> None:
    with contextlib.suppress(UsageError):
        take_tar(io.BytesIO(data), store, 10_000, Noted())
