"""The catalog as the services see it: bundled vendors with the user's own files laid over them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from catalog import bundled
from catalog.types import CatalogProvider, ModelInfo, ProviderSpec
from catalog.user import Problem, UserCatalog, load_user


class Facts(NamedTuple):
    """A model in the layers of the catalog, the strongest first; None: that layer does not know it."""

    user: ModelInfo | None = None
    refreshed: ModelInfo | None = None
    bundled: ModelInfo | None = None

    @property
    def best(self) -> ModelInfo | None:
        """The strongest layer that knows the model."""
        return self.user or self.refreshed or self.bundled


class Catalog:
    """Looks vendors and models up. User files are read once, on first use."""

    def __init__(self, user_dir: Path | None = None) -> None:
        self._user_dir = user_dir

    @cached_property
    def _user(self) -> UserCatalog:
        return UserCatalog() if self._user_dir is None else load_user(self._user_dir)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """User files that were skipped, with file, line and reason."""
        return self._user.problems

    def spec(self, catalog_id: str | None) -> ProviderSpec | None:
        """A vendor, the user's version first; None where no catalog knows the id."""
        if catalog_id is None:
            return None
        return self._user.providers.get(catalog_id) or bundled.spec(catalog_id)

    def specs(self) -> tuple[ProviderSpec, ...]:
        """Every vendor: bundled ones in their order, then those that only the user has."""
        own = [provider for name, provider in self._user.providers.items() if bundled.spec(name) is None]
        known = (self.spec(name) for name in bundled.provider_ids())
        return (*(found for found in known if found is not None), *own)

    def provider(self, catalog_id: str | None) -> CatalogProvider | None:
        """A vendor with all models that any source names; a user's model takes the place of the bundled one."""
        if catalog_id is None:
            return None
        own, shipped = self._user.providers.get(catalog_id), bundled.provider(catalog_id)
        if own is None or shipped is None:
            return own or shipped
        models = {model.id: model for model in (*shipped.models, *own.models)}
        return own.model_copy(update={"models": tuple(models.values())})

    def model(self, catalog_id: str | None, model_id: str) -> Facts:
        """What each layer of the catalog says about a model, for `merge_model`."""
        if catalog_id is None:
            return Facts()
        own = self._user.models.get(catalog_id, {})
        return Facts(_find(own, model_id), None, _find(_bundled_models(catalog_id), model_id))


_MODELS: dict[str, dict[str, ModelInfo]] = {}


def _bundled_models(catalog_id: str) -> dict[str, ModelInfo]:
    if catalog_id not in _MODELS:
        found = bundled.provider(catalog_id)
        _MODELS[catalog_id] = {model.id: model for model in found.models} if found else {}
    return _MODELS[catalog_id]


def _find(models: dict[str, ModelInfo], model_id: str) -> ModelInfo | None:
    """By exact id, else without what two vendors add: Gemini's `models/`, Ollama's `:latest`."""
    if not models:
        return None
    return models.get(model_id) or models.get(model_id.removeprefix("models/").removesuffix(":latest"))
