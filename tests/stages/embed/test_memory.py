"""Embeddings that are remembered: by crop and recipe, as long as their photo is in data/."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from stages.embed.memory import RECIPES_KEPT, EmbeddingMemory

ONE, TWO = np.arange(4, dtype=np.float32), np.arange(4, dtype=np.float32) / 3


def remembered(folder: Path, recipe: str = "recipe") -> dict[str, list[float]]:
    memory = EmbeddingMemory(folder, recipe)
    return {crop: memory[crop].tolist() for crop in ("a", "b", "c") if crop in memory}


def put(folder: Path, recipe: str = "recipe") -> None:
    """The embeddings of crop a of photo p, and b of q."""
    memory = EmbeddingMemory(folder, recipe)
    memory.add("a", "p", ONE)
    memory.add("b", "q", TWO)
    memory.write({"p", "q"})


def test_embeddings_are_recalled_to_the_last_bit_by_crop_and_recipe(tmp_path: Path) -> None:
    put(tmp_path)
    assert remembered(tmp_path) == {"a": ONE.tolist(), "b": TWO.tolist()}
    assert len(EmbeddingMemory(tmp_path, "recipe")) == 2
    assert EmbeddingMemory(tmp_path, "recipe")["b"].dtype == np.float32
    assert remembered(tmp_path, "other") == {}


def test_what_is_added_is_beside_what_was_there(tmp_path: Path) -> None:
    put(tmp_path)
    memory = EmbeddingMemory(tmp_path, "recipe")
    memory.add("c", "p", TWO)
    memory.write({"p", "q"})
    assert remembered(tmp_path) == {"a": ONE.tolist(), "b": TWO.tolist(), "c": TWO.tolist()}


def test_a_photo_that_is_gone_is_forgotten_by_every_recipe(tmp_path: Path) -> None:
    for recipe in ("recipe", "other", "empty"):
        put(tmp_path, recipe)
    memory = EmbeddingMemory(tmp_path, "empty")
    memory.write({"q"})
    assert remembered(tmp_path) == remembered(tmp_path, "other") == {"b": TWO.tolist()}
    memory.write(set())
    assert list(tmp_path.iterdir()) == []


def test_recipes_used_last_are_kept_and_to_forget_is_not_to_use(tmp_path: Path) -> None:
    names = [f"r{number}" for number in range(RECIPES_KEPT + 2)]
    for age, recipe in enumerate(names):
        put(tmp_path, recipe)
        os.utime(tmp_path / f"{recipe}.npz", (1e9 - age, 1e9 - age))
    EmbeddingMemory(tmp_path, names[-1]).write({"p"})
    kept = [names[-1], *names[: RECIPES_KEPT - 1]]
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(kept)
    assert (tmp_path / f"{names[1]}.npz").stat().st_mtime == 1e9 - 1
    assert remembered(tmp_path, names[1]) == {"a": ONE.tolist()}


@pytest.mark.parametrize("content", [b"", b"damaged", b"PK\x03\x04 cut"])
def test_a_damaged_file_remembers_nothing(tmp_path: Path, content: bytes) -> None:
    put(tmp_path)
    (tmp_path / "recipe.npz").write_bytes(content)
    assert remembered(tmp_path) == {}
    put(tmp_path)
    assert len(remembered(tmp_path)) == 2
