"""The settings of a run with all that the law, its rivals and its judges look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from analysis.collapse_law import fitting, forms, settings
from jaxbox.config import Configuration
from jaxbox.forecast.law import Law


class Settings(NamedTuple):
    """Of each setting: its configuration, its variables, its fields as they are, how many of its members were lost, and
    how many it has."""

    configurations: list[Configuration]
    known: pd.DataFrame
    fields: pd.DataFrame
    lost: Int[np.ndarray, " settings"]
    members: Int[np.ndarray, " settings"]

    @classmethod
    def of(cls, run: Path) -> Settings:
        """Those of a run.

        Raises:
            RunError: not a run, one that is not at its end, or one of something else than `fates` trains.
        """
        found, lost, members = settings.counts(run)
        return cls(found, fitting.table(found), settings.fields(found), lost, members)

    @classmethod
    def joined(cls, parts: Sequence[Settings]) -> Settings:
        """All settings of several runs, one run after the other."""
        own = [configuration for part in parts for configuration in part.configurations]
        known, fields = (
            pd.concat([getattr(part, name) for part in parts], ignore_index=True) for name in ("known", "fields")
        )
        lost, members = (np.concatenate([getattr(part, name) for part in parts]) for name in ("lost", "members"))
        return cls(own, known, fields, lost, members)

    def only(self, chosen: Bool[np.ndarray, " settings"]) -> Settings:
        """Those that are chosen, renumbered."""
        known, fields = (table.loc[chosen].reset_index(drop=True) for table in (self.known, self.fields))
        own = [each for each, wanted in zip(self.configurations, chosen, strict=True) if wanted]
        return Settings(own, known, fields, self.lost[chosen], self.members[chosen])

    def of_kind(self, kind: str) -> Settings:
        """Those with this kind of optimiser, a key of `forms.FORMS`."""
        return self.only(forms.kinds(self.configurations) == kind)

    def laws(self, by_kind: dict[str, forms.Form]) -> dict[str, Law]:
        """The law of each kind of optimiser, of these forms, fitted to the settings of that kind."""
        own = {kind: self.of_kind(kind) for kind in by_kind}
        return {
            kind: fitting.fit(form, own[kind].known, own[kind].lost, own[kind].members)
            for kind, form in by_kind.items()
        }
