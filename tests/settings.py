"""Complete settings for tests, filled in from the schema as a run file's are."""

from copy import deepcopy
from pathlib import Path

from snakemake.utils import validate

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
COHORT = {"simulate": {}, "label": "population"}


def run_file(**sections):
    """A run file of these sections, with the schema's defaults."""
    config = deepcopy({"cohorts": {"made": COHORT}, **sections})
    validate(config, str(SCHEMA))
    return config


def generator_settings(kind, **changes):
    """The settings of one generator; `changes` as they would stand in a run file."""
    return run_file(generators={"made": {"kind": kind, **changes}})["generators"]["made"]
