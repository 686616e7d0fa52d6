"""The run file: checked against its closed schema, every fault reported in one line that names the key.

Read while the Snakefile is parsed, so nothing heavy is imported here.
"""

import csv
import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import jsonschema
import yaml

from syngeno.errors import BadInput
from syngeno.models import catalogue
from syngeno.workflow import regions

RESERVED = ("prepare", "summary", "logs", "benchmarks")
ALIKE = "labels", "label", "split", "family", "samples", "simulate"  # in cohorts of the same samples
SHADOWS = 8  # seeds, or more: runs that are shadow models for each other
TABLES = ("published", "download")  # of a cohort, each a folder of resources/
UNKNOWN = ("additionalProperties", "unevaluatedProperties")  # faults of keys that the schema does not have
QUOTES = "put it in quotes, as NO, off and null must be: 'NO'"
SCIENTIFIC = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
# Keys that had other names in version 0.1, by path, and what is written now.
RENAMED = {
    "cohorts.*.people": "`samples`",
    "cohorts.*.simulate.people": "`samples`",
    "sample.people": "`size`",
    "release.genomes.people": "`samples`",
    "evaluate.fidelity.rarefied_people": "`rarefied_samples`",
    "evaluate.paper.neighbours.people": "`samples`",
    "generators.*.space": "no `space`, and the kind latent_diffusion or haplotype_diffusion",
    "generators.*.founders": "`clusters: {number: ..}`",
    "generators.*.segment": "`clusters: {segment: ..}`",
    "generators.*.carriers": "`clusters: {min_support: ..}`",
    "generators.*.ancestry": "`clusters: {subpopulation_size: ..}`",
    "generators.*.components": "`reranker: {components: ..}`",
    "generators.*.training": "`reranker: {..}`",
    "generators.*.training.save_every": "`save_every` beside `training`",
    "generators.*.sampler.guidance": "`reranker_weight`",
    "generators.*.membership": "`max_membership_auc`",
    "generators.*.planted": "`canaries`",
    "generators.*.own": "`residual`",
}


def check(config: dict, schema_path: Path) -> None:
    """Raise BadInput for the most telling fault of a run file: unknown, missing, mistyped, renamed, impossible.

    A number that YAML reads as text, as it does 1.5e5, becomes one where the schema wants a number.
    """
    _refuse_keys(config)
    schema = yaml.safe_load(schema_path.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for fault in list(validator.iter_errors(config)):
        _read_number(config, fault)
    faults = list(validator.iter_errors(config))
    for fault in faults:
        _refuse_renamed(fault)
    unknown = [fault for fault in faults if fault.validator in UNKNOWN]  # a typo is told before what it leaves missing
    fault = jsonschema.exceptions.best_match(unknown or faults)
    if fault is not None:
        _refuse(_path(fault) or "top level", *_explained(fault, schema))
    for name in [*config["cohorts"], *config.get("generators", {})]:
        if name in RESERVED:
            raise BadInput("run file", f"'{name}' is the name of a folder of the workflow", "choose another name")


def _refuse_keys(section: object, path: str = "") -> None:
    """Raise BadInput for a key that YAML does not read as text or as a whole number, as it does NO and 1.5."""
    items = section.items() if isinstance(section, dict) else enumerate(section) if isinstance(section, list) else ()
    for key, value in items:
        if type(key) not in (str, int):
            _refuse(path or "top level", f"YAML reads a key as {json.dumps(key, default=str)}, not as text", QUOTES)
        _refuse_keys(value, f"{path}.{key}".lstrip("."))


def _path(fault: jsonschema.ValidationError) -> str:
    return ".".join(str(key) for key in fault.absolute_path)


def _read_number(config: dict, fault: jsonschema.ValidationError) -> None:
    """Mend the fault in `config` where it is a number that YAML took for text."""
    if fault.validator == "type" and isinstance(fault.instance, str) and SCIENTIFIC.fullmatch(fault.instance):
        wanted = fault.validator_value if isinstance(fault.validator_value, list) else [fault.validator_value]
        value = float(fault.instance)
        if "number" in wanted or ("integer" in wanted and value.is_integer()):
            *parents, key = fault.absolute_path
            section = config
            for parent in parents:
                section = section[parent]
            section[key] = value if "number" in wanted else int(value)
    for part in fault.context or []:
        _read_number(config, part)


def _refuse_renamed(fault: jsonschema.ValidationError) -> None:
    """Raise BadInput where the fault is a key, or a kind of generator, by its name in version 0.1."""
    if fault.validator == "enum" and fault.absolute_path[-1] == "kind" and fault.instance in catalogue.RENAMED:
        remedy = f"write {catalogue.RENAMED[fault.instance]}"
        _refuse(_path(fault), f"the kind '{fault.instance}' has another name now", remedy)
    if fault.validator != "additionalProperties":
        return
    for key in sorted(set(fault.instance) - set(fault.schema.get("properties", {}))):
        keys = [*map(str, fault.absolute_path), key]
        new = RENAMED.get(".".join([keys[0], "*", *keys[2:]] if keys[0] in ("cohorts", "generators") else keys))
        if new is not None:
            _refuse(".".join(keys), "this key has another name now", f"write {new}")


def check_sense(config: dict) -> None:
    """Raise BadInput for keys that are right one by one and impossible together; defaults must be filled in."""
    for name, cohort in config["cohorts"].items():
        if "column" not in cohort["split"]:
            total = sum(cohort["split"][part] for part in ("train", "validation", "test"))
            if abs(total - 1) > 1e-9:
                fact = f"train, validation and test sum to {total:g}"
                _refuse(f"cohorts.{name}.split", fact, "make them sum to 1")
    for name, generator in config["generators"].items():
        if generator.get("cohort", next(iter(config["cohorts"]))) not in config["cohorts"]:
            fact = f"there is no cohort '{generator['cohort']}'"
            _refuse(f"generators.{name}.cohort", fact, f"name one of: {', '.join(config['cohorts'])}")
        if generator.get("model"):
            _check_model(config, name)
        if "source" in generator:
            _check_source(config, name)
        if generator.get("training", {}).get("epsilon") is not None and generator["max_membership_auc"] is not None:
            fact = "epsilon and max_membership_auc exclude each other: the latter scores training samples without noise"
            _refuse(f"generators.{name}", fact, "give one of them")
        if "denoiser" not in generator:
            continue
        width, heads = (generator["denoiser"][f"transformer_{key}"] for key in ("width", "heads"))
        _check_heads(f"generators.{name}.denoiser.transformer_heads", width, heads)
        steps, most = generator["sampler"].get("steps", 0), generator["diffusion"]["steps"]
        if generator["sampler"]["sampler"] == "ddim" and steps > most:
            fact = f"{steps} is more than the {most} steps of the diffusion"
            _refuse(f"generators.{name}.sampler.steps", fact, f"give at most {most}")
    for label, shares in (config.get("sample", {}).get("proportions") or {}).items():
        total = sum(shares.values())
        if abs(total - 1) > 1e-6:
            _refuse(f"sample.proportions.{label}", f"the shares sum to {total:.8g}", "make them sum to 1")
    for title, names in (config.get("evaluate", {}).get("ablation") or {}).items():
        if unknown := [name for name in names if name not in config["generators"]]:
            fact = f"there is no generator '{unknown[0]}'"
            _refuse(f"evaluate.ablation.{title}", fact, "name generators of the run")
    for region in config.get("release", {}).get("genomes", {}).get("regions") or []:
        regions.parse(region)
    _check_paper(config)
    _check_lira(config)


def _refuse(key: str, fact: str, remedy: str) -> NoReturn:
    raise BadInput(f"run file, {key}", fact, remedy)


def _check_model(config: dict, name: str) -> None:
    generator, where = config["generators"][name], f"generators.{name}.model"
    other = config["generators"].get(generator["model"], {})
    if any(other.get(key) != generator.get(key) for key in ("kind", "space")) or other["model"]:
        fact = f"'{generator['model']}' fits no model of this kind and space"
        _refuse(where, fact, "name a generator of the run that does")
    if not set(fractions(config, name)) <= set(fractions(config, generator["model"])):
        _refuse(where, f"'{generator['model']}' is fitted at other fractions", "give both the same")


def _check_source(config: dict, name: str) -> None:
    generator, where = config["generators"][name], f"generators.{name}.source"
    source = generator["source"]
    if source["cohort"] not in config["cohorts"] or source["cohort"] == generator["cohort"]:
        fact = f"'{source['cohort']}' is no other cohort of the run"
        _refuse(where, fact, "name the cohort with fewer variants")
    dense, sparse = (config["cohorts"][one["cohort"]] for one in (generator, source))
    if differ := [key for key in ALIKE if dense.get(key) != sparse.get(key)]:
        fact = f"the cohorts {generator['cohort']} and {source['cohort']} differ in `{differ[0]}`"
        _refuse(where, fact, "give them the same samples, split in the same way")
    drawn = config["generators"].get(source["generator"])
    if drawn is None or catalogue.KINDS[drawn["kind"]].source != "model":
        fact = f"'{source['generator']}' is no generator of the run whose samples can be imputed"
        _refuse(where, fact, "name one that draws samples of its own")


def fractions(config: dict, name: str) -> list[int]:
    """The fractions at which a generator is fitted: its own, or the run's; those of the source of imputed samples."""
    generator = config["generators"][name]
    if "source" in generator:
        return fractions(config, generator["source"]["generator"])
    return generator.get("fractions") or config["fractions"]


def _check_heads(key: str, width: int, heads: int) -> None:
    if width % heads:
        _refuse(key, f"{heads} heads do not divide the width {width}", "give a divisor of it")


def _check_paper(config: dict) -> None:
    paper = config.get("evaluate", {}).get("paper")
    if paper is None:
        return
    classifiers = paper["classifiers"]
    _check_heads("evaluate.paper.classifiers.heads", classifiers["width"], classifiers["heads"])
    encoded = [name for name, one in config["generators"].items() if catalogue.KINDS[one["kind"]].encoded]
    if not encoded:
        kinds = ", ".join(name for name, kind in catalogue.KINDS.items() if kind.encoded)
        _refuse("evaluate.paper", "there is no diffusion of encoded genotypes", f"add a {kinds}")
    for name in paper["augment"]:
        where = "evaluate.paper.augment"
        if name not in encoded:
            _refuse(where, f"there is no diffusion model '{name}'", f"name one of: {', '.join(encoded)}")
        trained = fractions(config, name)
        if 100 not in trained or len(trained) < 2:
            fact = f"'{name}' is fitted at {', '.join(map(str, trained))} % of the training samples"
            _refuse(where, fact, "give it `fractions` with 100 and at least one smaller share")


def _check_lira(config: dict) -> None:
    lira = config.get("evaluate", {}).get("lira")
    if lira is None:
        return
    drawn = [name for name, one in config["generators"].items() if catalogue.KINDS[one["kind"]].source != "files"]
    known = sorted({share for name in drawn for share in fractions(config, name)})
    if lira["fraction"] not in known:
        fact = f"no generator is fitted at {lira['fraction']} % of the training samples, but at " + (
            ", ".join(map(str, known)) or "none"
        )
        _refuse("evaluate.lira.fraction", fact, f"add {lira['fraction']} to `fractions`")
    if len(config["seeds"]) < SHADOWS:
        fact = f"there are {len(config['seeds'])} seeds, and each is a shadow model for the others"
        _refuse("evaluate.lira", fact, f"give {SHADOWS} `seeds` or more")


def check_files(config: dict, resources: Path, *, fetching: bool = False) -> None:
    """Raise BadInput for an input file that is not there, before any job is planned, and for tables of `resources`.

    While the target `download` is `fetching` files, those that it fetches may still be missing.
    """
    read = {f"{part}.{name}": one for part in ("cohorts", "generators") for name, one in config.get(part, {}).items()}
    for where, section in read.items():
        for kind in TABLES:
            table = section.get(kind)
            if table and not (resources / kind / f"{table}.tsv").is_file():
                known = ", ".join(sorted(path.stem for path in (resources / kind).glob("*.tsv")))
                _refuse(f"{where}.{kind}", f"there is no table '{table}'", f"name one of: {known}")
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
                start = "" if Path(path).is_absolute() else f" in {Path.cwd()}, where relative paths begin"
                raise BadInput(path, f"there is no such file{start}", remedy)


def _fetched(config: dict, table: str | None, resources: Path) -> set[str]:
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


def _explained(fault: jsonschema.ValidationError, schema: dict) -> tuple[str, str]:
    if fault.validator in UNKNOWN:
        known = list(fault.schema.get("properties", {}))
        extra = sorted(set(fault.instance) - set(known))[0]
        close = difflib.get_close_matches(extra, known, n=1)
        homes = [path for path, key in _keys(fault.schema, schema) if key == extra and path]
        if not homes and not close and "generators" not in fault.absolute_path:  # whose keys differ by kind
            homes = [path for path, key in _keys(schema, schema) if key == extra]
        if homes:
            where = " or ".join(f"`{path}`" if path else "the top level" for path in dict.fromkeys(homes))
            return f"there is no key '{extra}'", f"it belongs under {where}"
        hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
        return f"there is no key '{extra}'", hint
    if fault.validator == "required":
        missing = [key for key in fault.validator_value if key not in fault.instance]
        return f"'{missing[0]}' is missing", "add it (docs/reference/config.md lists every key)"
    if fault.validator == "not":
        return (
            "a cohort is either simulated or read",
            "leave out `simulate`, or `genotypes`, `labels`, `genes`, `genetic_map`, `reference` and `trait`",
        )
    if fault.validator == "pattern":
        return f"'{fault.instance}' cannot be a name", "use only letters, digits, _ and -"
    if _wants_text(fault):
        value = json.dumps(fault.instance, default=str)
        return f"YAML reads this as {value}, not as text", QUOTES
    return " ".join(fault.message.split()), "docs/reference/config.md lists every key with its values"


def _wants_text(fault: jsonschema.ValidationError) -> bool:
    """Whether text is wanted where YAML read something else."""
    kinds = [fault, *(fault.context or [])]
    wanted = any(one.validator == "type" and "string" in str(one.validator_value) for one in kinds)
    return wanted and not isinstance(fault.instance, str | list | dict)


def _keys(part: dict, schema: dict, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key below a part of the schema, with where it stands; a name of the user's choice is written NAME."""
    part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    for key, value in part.get("properties", {}).items():
        yield path, key
        yield from _keys(value, schema, f"{path}.{key}".lstrip("."))
    if isinstance(part.get("additionalProperties"), dict):
        yield from _keys(part["additionalProperties"], schema, f"{path}.NAME".lstrip("."))
    for inner in [part.get("then"), part.get("else"), *part.get("allOf", [])]:
        if inner:
            yield from _keys(inner, schema, path)
