"""What belongs together: near-duplicates within and across classes, faces of one photo, photos of one person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from stages.quality.grouping import NearDuplicates, find_near_duplicates, group_rows


def unit(*angles: float) -> np.ndarray:
    """Embeddings of two dimensions at angles, in degrees: the cosine of two is that of the angle between them."""
    radians = np.deg2rad(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def compared(
    bits: list[int], angles: list[float], labels: list[int] | None = None, photos: list[int] | None = None,
    distance: int = 3, cosine: float = 0.9, copy_cosine: float = 1.1,
) -> NearDuplicates:  # fmt: skip
    """Rows of me in photos of their own, but for what is given; faces alone make no copy unless a limit is given."""
    count = len(bits)
    return find_near_duplicates(
        np.array(bits, np.uint64), unit(*angles), np.array(labels or [1] * count),
        np.array(photos or range(count)), distance, cosine, copy_cosine,
    )  # fmt: skip


def test_the_limits_themselves_are_near_enough() -> None:
    """Three bits of three; a cosine that is the limit exactly."""
    near = compared([0, 0b111, 0b1111 << 8], [0, 0, 0])
    assert near.same_class.tolist() == [-1, 0, -1]
    assert near.distance_same.tolist()[1] == 3
    limit = float(np.float32(unit(0) @ unit(25).T)[0, 0])
    assert compared([0, 0], [0, 25], cosine=limit).same_class.tolist() == [-1, 0]
    assert compared([0, 0], [0, 25], cosine=limit + 1e-6).same_class.tolist() == [-1, -1]


def test_alike_from_afar_is_not_enough_nor_are_like_faces() -> None:
    assert compared([0, 0], [0, 60]).groups.tolist() == [0, 1]
    assert compared([0, 0b11111], [0, 0]).groups.tolist() == [0, 1]


def test_faces_that_are_as_alike_as_copies_are_enough_whatever_the_hashes_are() -> None:
    """Rows 1 and 2 have other hashes; row 2 is a little too far from row 0, and goes with it through row 1."""
    limit = float(np.float32(unit(0) @ unit(5).T)[0, 0])
    near = compared([0, 2**40 - 1, 2**60 - 1, 7], [0, 5, 10, 60], copy_cosine=limit)
    assert near.groups.tolist() == [0, 0, 0, 1]
    assert near.same_class.tolist() == [-1, 0, 1, -1]
    assert near.distance_same.tolist() == [0, 40, 20, 0]
    assert near.cosine_same == pytest.approx([0, limit, limit, 0])
    assert compared([0, 2**40 - 1], [0, 5], copy_cosine=limit + 1e-6).groups.tolist() == [0, 1]


def test_copies_in_the_other_class_are_found_by_their_faces_too() -> None:
    near = compared([0, 2**40 - 1], [0, 1], labels=[1, 0], copy_cosine=0.995)
    assert (near.other_class.tolist(), near.same_class.tolist()) == ([-1, 0], [-1, -1])
    assert near.distance_other[1] == 40
    assert near.cosine_other[1] == pytest.approx(np.cos(np.deg2rad(1)))


def test_faces_of_one_photo_do_not_repeat_it() -> None:
    assert compared([0, 0], [0, 0], photos=[5, 5], copy_cosine=0.9).groups.tolist() == [0, 1]
    assert compared([0, 0, 0], [0, 0, 0], photos=[5, 5, 6]).same_class.tolist() == [-1, -1, 0]


def test_the_row_named_has_the_fewest_bits_then_the_likest_face() -> None:
    """Row 3 is two bits from row 0, one from rows 1 and 2, of which 2 is the more alike; it is looked for before it."""
    near = compared([0b0110, 0b1000, 0b10000, 0b0000], [0, 20, 4, 0], distance=2)
    assert near.same_class[3] == 2
    assert near.distance_same[3] == 1
    assert near.same_class[0] == -1, "nothing is before the first"


def test_each_class_has_its_own_row_and_distance() -> None:
    """The last row, of me, repeats row 0 of the others by two bits and row 1 of me by three."""
    near = compared([0b11, 0b11100000, 0], [0, 0, 0], labels=[0, 1, 1])
    assert near.other_class.tolist() == [-1, -1, 0]
    assert near.same_class.tolist() == [-1, -1, 1]
    assert (near.distance_other[2], near.distance_same[2]) == (2, 3)
    assert len(set(near.groups)) == 1, "rows 0 and 1 are linked through row 2"


def index_of(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["photo", "label", "person"])


def test_rows_stay_with_their_photo_their_person_and_their_near_duplicates() -> None:
    """Of me all photos have one person, "me", who is no group; without a folder others are nobody known."""
    index = index_of(
        ("me/a", 1, "me"), ("me/b", 1, "me"), ("me/c", 1, "me"), ("not_me/x", 0, ""), ("not_me/y", 0, ""),
        ("not_me/ana/1", 0, "ana"), ("not_me/ana/2", 0, "ana"), ("not_me/z", 0, ""), ("not_me/z", 0, ""),
        ("not_me/eva/1", 0, "eva"),
    )  # fmt: skip
    near = np.array([0, 1, 0, 3, 4, 5, 6, 7, 8, 6])  # a and c; ana's second photo and eva's
    groups = group_rows(index, near)
    assert groups.tolist() == [0, 1, 0, 2, 3, 4, 4, 5, 5, 4]


def test_a_photo_in_both_classes_joins_its_rows() -> None:
    index = index_of(("me/a", 1, "me"), ("not_me/a", 0, "ana"), ("not_me/b", 0, "ana"), ("me/b", 1, "me"))
    assert group_rows(index, np.array([0, 0, 2, 3])).tolist() == [0, 0, 0, 1]


def naive_near_duplicates(
    bits: Iterable[int], embeddings: np.ndarray, photos: np.ndarray, distance: int, cosine: float, copy_cosine: float
) -> set[tuple[int, int]]:
    numbers = list(bits)
    return {
        (first, second)
        for second in range(len(numbers))
        for first in range(second)
        if photos[first] != photos[second]
        and (
            embeddings[first] @ embeddings[second] >= copy_cosine
            or (
                (numbers[first] ^ numbers[second]).bit_count() <= distance
                and embeddings[first] @ embeddings[second] >= cosine
            )
        )
    }


def test_blocks_find_what_a_loop_over_pairs_finds() -> None:
    """700 rows, three blocks; chains of near-duplicates reach across them."""
    generator = np.random.default_rng(0)
    count = 700
    family = generator.integers(0, 60, count)
    bits = generator.integers(0, 2**63, 60).astype(np.uint64)[family] ^ (
        np.uint64(1) << generator.integers(0, 63, count).astype(np.uint64)
    )
    embeddings = generator.normal(size=(60, 16))[family] + generator.normal(size=(count, 16)) * 0.25
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    labels, photos = generator.integers(0, 2, count), np.arange(count) // 2
    found = find_near_duplicates(bits, embeddings, labels, photos, 2, 0.93, 0.985)
    pairs = naive_near_duplicates(bits.tolist(), embeddings, photos, 2, 0.93, 0.985)
    assert len(pairs) > 1000
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for first, second in pairs:
        parent[root(second)] = root(first)
    expected = np.array([root(row) for row in range(count)])
    assert (pd.factorize(found.groups)[0] == pd.factorize(expected)[0]).all()
    for rows, alike in ((found.same_class, True), (found.other_class, False)):
        wanted = {second for first, second in pairs if (labels[first] == labels[second]) == alike}
        assert set(np.flatnonzero(rows >= 0)) == wanted
        assert {(int(rows[second]), second) for second in wanted} <= pairs
