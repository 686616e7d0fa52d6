"""The run file: checked against its closed schema, every fault told in one line that names the key.

Read while the Snakefile is parsed, so nothing heavy is imported here.
"""

import csv
import difflib
from pathlib import Path

import jsonschema
import yaml

from syngeno.errors import BadInput
from syngeno.workflow import regions

RESERVED = ("prepare", "summary", "logs", "benchmarks")
ALIKE = "labels", "label", "split", "family", "people", "simulate"  # in cohorts of the same people
TABLES = ("published", "download")  # of a cohort, each a folder of resources/


def check(config: dict, schema_path: Path) -> None:
    """Raise BadInput for the most telling fault of a run file: unknown, missing, mistyped, impossible."""
    schema = yaml.safe_load(schema_path.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    fault = jsonschema.exceptions.best_match(validator.iter_errors(config))
    if fault is not None:
        where = "run file, " + (".".join(str(key) for key in fault.absolute_path) or "top level")
        raise BadInput(where, *_told(fault))
    for name in [*config["cohorts"], *config.get("generators", {})]:
        if name in RESERVED:
            raise BadInput("run file", f"'{name}' is the name of a folder of the workflow", "choose another name")


def check_sense(config: dict) -> None:
    """Raise BadInput for keys that are right one by one and impossible together; defaults must be filled in."""
    for name, cohort in config["cohorts"].items():
        if "column" not in cohort["split"]:
            total = sum(cohort["split"][part] for part in ("train", "validation", "test"))
            if abs(total - 1) > 1e-9:
                where = f"run file, cohorts.{name}.split"
                raise BadInput(where, f"train, validation and test sum to {total:g}", "make them sum to 1")
    for name, generator in config["generators"].items():
        if generator.get("cohort", next(iter(config["cohorts"]))) not in config["cohorts"]:
            where = f"run file, generators.{name}.cohort"
            known = ", ".join(config["cohorts"])
            raise BadInput(where, f"there is no cohort '{generator['cohort']}'", f"name one of: {known}")
        if generator.get("model"):
            _check_model(config, name)
        if generator["kind"] == "imputed":
            _check_source(config, name)
        training = generator.get("training", {})
        if training.get("epsilon") is not None and generator.get("membership") is not None:
            fact = "epsilon and membership exclude each other: the latter looks at members without noise"
            raise BadInput(f"run file, generators.{name}", fact, "give one of them")
        if generator["kind"] != "diffusion" or generator["space"] != "latent":
            continue
        width, heads = (generator["denoiser"][f"transformer_{key}"] for key in ("width", "heads"))
        _check_heads(f"generators.{name}.denoiser.transformer_heads", width, heads)
        if generator["sampler"]["sampler"] != "ddim":
            continue
        steps, most = generator["sampler"]["steps"], generator["diffusion"]["steps"]
        if steps > most:
            where = f"run file, generators.{name}.sampler.steps"
            raise BadInput(where, f"{steps} is more than the {most} steps of the diffusion", f"give at most {most}")
    for title, names in (config.get("evaluate", {}).get("ablation") or {}).items():
        if unknown := [name for name in names if name not in config["generators"]]:
            where = f"run file, evaluate.ablation.{title}"
            raise BadInput(where, f"there is no generator '{unknown[0]}'", "name generators of the run")
    for region in config.get("release", {}).get("genomes", {}).get("regions") or []:
        regions.parse(region)
    _check_paper(config)


def _check_model(config: dict, name: str) -> None:
    """Raise BadInput for a generator that samples the model of one that has none for it."""
    generator, where = config["generators"][name], f"run file, generators.{name}.model"
    other = config["generators"].get(generator["model"])
    if other is None or other.get("space") != generator["space"] or other["model"]:
        fact = f"'{generator['model']}' trains no model of the space {generator['space']}"
        raise BadInput(where, fact, "name a generator of the run that does")
    mine, theirs = (one.get("fractions") or config["fractions"] for one in (generator, other))
    if not set(mine) <= set(theirs):
        raise BadInput(where, f"'{generator['model']}' is trained at other fractions", "give both the same")


def _check_source(config: dict, name: str) -> None:
    """Raise BadInput for people to impute whom no generator of the run draws, or who are not to be handed on."""
    generator, where = config["generators"][name], f"run file, generators.{name}.source"
    source = generator["source"]
    if source["cohort"] not in config["cohorts"] or source["cohort"] == generator["cohort"]:
        fact = f"'{source['cohort']}' is no other cohort of the run"
        raise BadInput(where, fact, "name the cohort with fewer variants")
    dense, sparse = (config["cohorts"][one["cohort"]] for one in (generator, source))
    if differ := [key for key in ALIKE if dense.get(key) != sparse.get(key)]:
        fact = f"the cohorts {generator['cohort']} and {source['cohort']} differ in `{differ[0]}`"
        raise BadInput(where, fact, "give them the same people, divided in the same way")
    kind = config["generators"].get(source["generator"], {}).get("kind")
    if kind in (None, "copycat", "imputed", "external"):
        fact = f"'{source['generator']}' is no generator of the run whose people can be imputed"
        raise BadInput(where, fact, "name one that draws people of its own")


def fractions(config: dict, name: str) -> list[int]:
    """The fractions at which a generator is trained: its own, or the run's; those of the source of imputed people."""
    generator = config["generators"][name]
    if "source" in generator:
        return fractions(config, generator["source"]["generator"])
    return generator.get("fractions") or config["fractions"]


def _check_heads(key: str, width: int, heads: int) -> None:
    """Raise BadInput where a transformer cannot share its width among its heads."""
    if width % heads:
        raise BadInput(f"run file, {key}", f"{heads} heads do not divide the width {width}", "give a divisor of it")


def _check_paper(config: dict) -> None:
    """Raise BadInput for experiments of the paper with generators that are not there or saw too few, or bad sizes."""
    paper = config.get("evaluate", {}).get("paper")
    if paper is None:
        return
    classifiers = paper["classifiers"]
    _check_heads("evaluate.paper.classifiers.heads", classifiers["width"], classifiers["heads"])
    diffusion = [name for name, one in config["generators"].items() if one.get("space") == "latent"]
    if not diffusion:
        raise BadInput(
            "run file, evaluate.paper", "there is no generator of kind diffusion and space latent", "add one"
        )
    for name in paper["augment"]:
        where = "run file, evaluate.paper.augment"
        if name not in diffusion:
            raise BadInput(where, f"there is no diffusion model '{name}'", f"name one of: {', '.join(diffusion)}")
        trained = config["generators"][name].get("fractions") or config["fractions"]
        if 100 not in trained or len(trained) < 2:
            fact = f"'{name}' is trained at {', '.join(map(str, trained))} % of the people"
            raise BadInput(where, fact, "give it `fractions` with 100 and at least one smaller share")


def check_files(config: dict, resources: Path, *, fetching: bool = False) -> None:
    """Raise BadInput for an input file that is not there, before any job is planned, and for tables of `resources`.

    While the target `download` is `fetching` files, those that it fetches may still be missing.
    """
    read = [(f"cohorts.{name}", cohort) for name, cohort in config["cohorts"].items()]
    generators = config.get("generators", {}).items()
    read += [(f"generators.{name}", one) for name, one in generators]
    for where, section in read:
        for kind in TABLES:
            table = section.get(kind)
            if table and not (resources / kind / f"{table}.tsv").is_file():
                known = ", ".join(sorted(path.stem for path in (resources / kind).glob("*.tsv")))
                raise BadInput(f"run file, {where}.{kind}", f"there is no table '{table}'", f"name one of: {known}")
        for path in paths(config, section.get("panel") or []):
            if Path(path).is_file() and not any(Path(f"{path}.{kind}").is_file() for kind in ("tbi", "csi")):
                raise BadInput(path, "has no index beside it", "make one: bcftools index --tbi")
        fetched = _fetched(config, section.get("download"), resources)
        for key in ("genotypes", "labels", "genes", "genetic_map", "reference", "panel"):
            files = paths(config, section.get(key) or [])
            for path in [*files, *(plink_parts(files) if key == "genotypes" else [])]:
                if Path(path).is_file() or (fetching and path in fetched):
                    continue
                remedy = f"correct {where}.{key}, or say with --config data_dir=... where the data lie"
                if path in fetched:
                    remedy = "fetch it by the target `download`, or say with --config data_dir=... where it lies"
                raise BadInput(path, "there is no such file", remedy)


def _fetched(config: dict, table: str | None, resources: Path) -> set[str]:
    """The paths that files of a table of public files are to have."""
    if not table:
        return set()
    with open(resources / "download" / f"{table}.tsv") as lines:
        rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
        return set(paths(config, [f"{table}/{row['file']}" for row in rows]))


def paths(config: dict, names: str | list[str]) -> list[str]:
    """The paths of a cohort's files: relative ones lie under `data_dir`."""
    names = [names] if isinstance(names, str) else names
    return [str(Path(config["data_dir"]) / name) for name in names]


def plink_parts(genotypes: list[str]) -> list[str]:
    """The .bim and .fam that belong to the .bed files among these."""
    beds = [Path(path) for path in genotypes if path.endswith(".bed")]
    return [str(bed.with_suffix(suffix)) for bed in beds for suffix in (".bim", ".fam")]


def _told(fault: jsonschema.ValidationError) -> tuple[str, str]:
    """Fact and remedy of one schema violation."""
    if fault.validator in ("additionalProperties", "unevaluatedProperties"):
        known = list(fault.schema.get("properties", {}))
        extra = sorted(set(fault.instance) - set(known))[0]
        close = difflib.get_close_matches(extra, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
        return f"there is no key '{extra}'", hint
    if fault.validator == "required":
        missing = [key for key in fault.validator_value if key not in fault.instance]
        return f"'{missing[0]}' is missing", "add it (config/README.md lists every key)"
    if fault.validator == "not":
        return (
            "a cohort is either simulated or read",
            "leave out `simulate`, or `genotypes`, `labels`, `genes`, `genetic_map`, `reference` and `trait`",
        )
    return " ".join(fault.message.split()), "config/README.md lists every key with its values"
