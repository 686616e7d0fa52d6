"""What a run file asks for: which generators are fitted, at which fractions and seeds, for which cohorts.

Read while the Snakefile is parsed, so nothing heavy is imported here.
"""

from collections.abc import Callable, Iterator

from syngeno.models.catalogue import KINDS, Kind
from syngeno.workflow import runfile

NOBODY = "(?!)"  # a wildcard constraint that nothing meets


class Plan:
    """A checked run file, defaults filled in, as the rules ask it."""

    def __init__(self, config: dict) -> None:
        self.config = config
        self.cohorts = list(config["cohorts"])
        self.generators = list(config["generators"])
        self.seeds = config["seeds"]

    def settings(self, name: str) -> dict:
        """A generator's settings."""
        return self.config["generators"][name]

    def kind(self, name: str) -> Kind:
        """What the catalogue says of a generator."""
        return KINDS[self.settings(name)["kind"]]

    def names(self, where: Callable[[Kind], bool] = lambda kind: True) -> list[str]:
        """The generators whose kind is so."""
        return [name for name in self.generators if where(self.kind(name))]

    def of(self, **flags: object) -> str:
        """The generators whose kind has these attributes, as a wildcard constraint."""
        return self.constraint(self.names(lambda kind: all(getattr(kind, key) == flags[key] for key in flags)))

    @staticmethod
    def constraint(names: list[str]) -> str:
        """These names as a wildcard constraint."""
        return "|".join(names) or NOBODY

    def model_of(self, name: str) -> str:
        """The generator whose fitted model a generator samples: its own, or another's."""
        return self.settings(name).get("model") or name

    def fitted(self, where: Callable[[Kind], bool] = lambda kind: True) -> list[str]:
        """The generators that have a model of their own to fit, and whose kind is so."""
        return [name for name in self.names(where) if self.kind(name).model and self.model_of(name) == name]

    def fractions(self, name: str) -> list[int]:
        """The fractions at which a generator is fitted; see `runfile.fractions`."""
        return runfile.fractions(self.config, name)

    def all_fractions(self) -> list[int]:
        """Every fraction of the run, ascending."""
        return sorted({*self.config["fractions"], *(one for name in self.generators for one in self.fractions(name))})

    def runs(
        self, cohorts: list[str], where: Callable[[Kind], bool] = lambda kind: True, *, newest: bool = False
    ) -> Iterator[dict]:
        """Wildcards (cohort, generator, fraction, seed) of every synthetic cohort of generators whose kind is so.

        `newest` takes the largest fraction and the first seed only. What the user brings stands for itself: it has
        neither fractions nor seeds.
        """
        for name in self.names(where):
            brought = self.kind(name).source == "files"
            fractions = [100] if brought else self.fractions(name)
            seeds = self.seeds[:1] if brought or newest else self.seeds
            for cohort in cohorts:
                if self.settings(name).get("cohort", cohort) == cohort:
                    for fraction in [max(fractions)] if newest else fractions:
                        for seed in seeds:
                            yield {"cohort": cohort, "generator": name, "fraction": fraction, "seed": seed}
