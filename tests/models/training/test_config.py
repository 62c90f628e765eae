from __future__ import annotations

from models.training.config import RECIPES


def test_recipes_are_known_by_their_own_names() -> None:
    assert {name: recipe.name for name, recipe in RECIPES.items()} == {name: name for name in RECIPES}


def test_the_quick_recipe_takes_minutes_and_no_accelerator() -> None:
    assert RECIPES["quick"].budget_s <= 600
    assert RECIPES["quick"].device == "cpu"
