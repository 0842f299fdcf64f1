"""The catalog as the services see it: bundled vendors, newer facts that were fetched, and the user's own files over all."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from catalog import bundled
from catalog.merge import merge_model
from catalog.refreshed import SOURCES, Note, Refreshed
from catalog.types import CatalogProvider, ModelInfo, ProviderSpec
from catalog.user import Problem, UserCatalog, load_user

if TYPE_CHECKING:
    from catalog.detect import Detection


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
    """Looks vendors and models up. User files are read once, on first use; fetched facts one vendor at a time."""

    def __init__(
        self,
        user_dir: Path | None = None,
        refreshed_dir: Path | None = None,
        sources: Iterable[str] = SOURCES,
    ) -> None:
        self._user_dir, self._refreshed_dir, self._sources = user_dir, refreshed_dir, tuple(sources)
        self.refreshed = Refreshed(refreshed_dir, self._sources)

    def copy(self) -> Catalog:
        """The same files, looked at anew: for a thread of its own."""
        return Catalog(self._user_dir, self._refreshed_dir, self._sources)

    def with_list(self, source: str, prepared: Path) -> Catalog:
        """The catalog as it would be with a prepared list in the place of a source's present one."""
        other = self.copy()
        other.refreshed = Refreshed(self._refreshed_dir, self._sources, {source: prepared})
        return other

    def forget(self, sources: Iterable[str] | None = None) -> None:
        """Files changed: read them again when they are next needed. `sources`: those in use from now on."""
        if sources is not None:
            self._sources = tuple(sources)
        self.__dict__.pop("_user", None)
        self.refreshed = Refreshed(self._refreshed_dir, self._sources)

    @property
    def user(self) -> UserCatalog:
        """What the user's files say."""
        return self._user

    def with_user(self, said: UserCatalog) -> Catalog:
        """The catalog as it is with these words of the user."""
        other = self.copy()
        other.take_user(said)
        return other

    def take_user(self, said: UserCatalog) -> None:
        """The user's files were read anew, elsewhere: from now on they say this."""
        self.__dict__["_user"] = said

    def read_user(self) -> UserCatalog:
        """Read the user's files anew; nothing changes by that."""
        return UserCatalog() if self._user_dir is None else load_user(self._user_dir)

    @cached_property
    def _user(self) -> UserCatalog:
        return self.read_user()

    @property
    def problems(self) -> tuple[Problem | Note, ...]:
        """Files that are not used: the user's with file, line and reason, then fetched lists that are not whole."""
        return (*self._user.problems, *self.refreshed.notes)

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

    def detect(self, url: str) -> Detection:
        """Dialect and vendor of a base URL: bundled vendors first, then those that only the user's files describe."""
        from catalog import detect

        found = detect.detect(url)
        if found.confidence in ("high", "medium") or not self._user.providers:
            return found
        own = [vendor for name, vendor in self._user.providers.items() if bundled.spec(name) is None]
        return detect.among(own, url) or found

    def provider(self, catalog_id: str | None) -> CatalogProvider | None:
        """A vendor with all models that any source names, each merged as far as the catalog knows it."""
        if catalog_id is None:
            return None
        own, shipped = self._user.providers.get(catalog_id), bundled.provider(catalog_id)
        fetched = self.refreshed.ids(catalog_id) if shipped is not None else []
        vendor = own or shipped
        if vendor is None or shipped is None or (own is None and not fetched):
            return vendor
        ids = dict.fromkeys([*(model.id for model in shipped.models), *fetched])
        ids |= dict.fromkeys(model.id for model in own.models) if own is not None else {}
        models = tuple(self.info(catalog_id, model_id) for model_id in ids)
        return vendor.model_copy(update={"models": models})

    def ids(self, catalog_id: str | None) -> list[str]:
        """The ids of a vendor's models in all layers; nothing is merged for it."""
        if catalog_id is None:
            return []
        shipped = bundled.provider(catalog_id)
        found = [*_bundled_models(catalog_id), *self.refreshed.ids(catalog_id)] if shipped is not None else []
        return list(dict.fromkeys([*found, *self.own_ids(catalog_id)]))

    def own_ids(self, catalog_id: str | None) -> list[str]:
        """Those that the user's file names."""
        return [] if catalog_id is None else list(self._user.models.get(catalog_id, ()))

    def without_user(self, catalog_id: str, also: Iterable[str] = ()) -> dict[str, ModelInfo]:
        """A vendor's models as bundled and fetched facts have them, whatever the user's files say.

        `also`: further ids, such as those of a live list, that a rule of a source may mean.
        """
        ids = dict.fromkeys([*_bundled_models(catalog_id), *self.refreshed.ids(catalog_id), *also])
        found: dict[str, ModelInfo] = {}
        for name in ids:
            fetched = self.refreshed.model(catalog_id, plain(name))
            known = _find(_bundled_models(catalog_id), name)
            if fetched is not None or known is not None:
                found[name] = merge_model(name, refreshed=fetched, bundled=known)
        return found

    def info(self, catalog_id: str, model_id: str) -> ModelInfo:
        """A model as the catalog alone knows it."""
        facts = self.model(catalog_id, model_id)
        return merge_model(model_id, user=facts.user, refreshed=facts.refreshed, bundled=facts.bundled)

    def model(self, catalog_id: str | None, model_id: str) -> Facts:
        """What each layer of the catalog says about a model, for `merge_model`."""
        if catalog_id is None:
            return Facts()
        own = self._user.models.get(catalog_id, {})
        fetched = self.refreshed.model(catalog_id, plain(model_id))
        return Facts(_find(own, model_id), fetched, _find(_bundled_models(catalog_id), model_id))


_MODELS: dict[str, dict[str, ModelInfo]] = {}


def _bundled_models(catalog_id: str) -> dict[str, ModelInfo]:
    if catalog_id not in _MODELS:
        found = bundled.provider(catalog_id)
        _MODELS[catalog_id] = {model.id: model for model in found.models} if found else {}
    return _MODELS[catalog_id]


def _find(models: dict[str, ModelInfo], model_id: str) -> ModelInfo | None:
    """By exact id, else by the plain one."""
    if not models:
        return None
    return models.get(model_id) or models.get(plain(model_id))


def plain(model_id: str) -> str:
    """The id without what two vendors add: Gemini's `models/`, Ollama's `:latest`."""
    return model_id.removeprefix("models/").removesuffix(":latest")
