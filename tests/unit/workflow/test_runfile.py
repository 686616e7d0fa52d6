from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config, validate

from syngeno.errors import BadInput
from syngeno.models.catalogue import KINDS
from syngeno.workflow import runfile

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def run(**changes):
    return {"cohorts": {"mine": {"genotypes": "a.vcf.gz", "labels": "a.tsv", "label": "population"}}} | changes


def cohort(**changes):
    return run(cohorts={"mine": run()["cohorts"]["mine"] | changes})


class TestCheck:
    def test_least_run_file(self):
        runfile.check(run(), SCHEMA)

    @pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
    def test_shipped_run_files(self, path):
        config = {}
        if path.stem.endswith("_small"):  # is laid over another
            update_config(config, yaml.safe_load(path.with_stem(path.stem.removesuffix("_small")).read_text()))
        update_config(config, yaml.safe_load(path.read_text()))
        runfile.check(config, SCHEMA)
        validate(config, SCHEMA)
        runfile.check_sense(config)

    @pytest.mark.parametrize(
        ("config", "told"),
        [
            (run(fraktions=[100]), r"top level: there is no key 'fraktions'; did you mean 'fractions'\?"),
            (
                cohort(filter={"mav": 0.1}),
                r"cohorts\.mine\.filter: there is no key 'mav'; did you mean 'maf'",
            ),
            (cohort(filter={"maf": 0.7}), r"cohorts\.mine\.filter\.maf: 0\.7 is greater than the maximum"),
            (cohort(simulate={}, genotypes=None), "a cohort is either simulated or read"),
            (cohort(prune={"r2": 0}), r"prune\.r2: 0 is less than or equal to the minimum"),
            (run(seeds=["one"]), r"seeds\.0: 'one' is not of type 'integer'"),
            (run(fractions=[0]), r"fractions\.0: 0 is less than the minimum"),
            (run(generators={"g": {"kind": "gan"}}), r"generators\.g\.kind: 'gan' is not one of"),
            (
                run(generators={"g": {"kind": "copycat", "pooled": True}}),
                r"generators\.g: there is no key 'pooled'; known keys: kind",
            ),
            (run(generators={"summary": {"kind": "copycat"}}), "'summary' is the name of a folder"),
            (
                run(generators={"a b": {"kind": "copycat"}}),
                r"generators: 'a b' cannot be a name; use only letters, digits, _ and -",
            ),
            (cohort(simulate={}), r"cohorts\.mine: a cohort is either simulated or read"),
            (
                {"cohorts": {"mine": {"simulate": {}, "label": "x", "reference": "r.fa"}}},
                r"cohorts\.mine: a cohort is either simulated or read; leave out .*`reference`",
            ),
            (
                {"cohorts": {"mine": {"genotypes": "a.vcf.gz", "label": "x"}}},
                r"cohorts\.mine: 'labels' is missing",
            ),
            ({}, "'cohorts' is missing"),
            (
                {"cohorts": {"mine": {"genotypes": "a.vcf.gz", "labels": "a.tsv", "lable": "x"}}},
                r"cohorts\.mine: there is no key 'lable'; did you mean 'label'\?",
            ),
            (
                run(generators={"g": {"kind": "latent_diffusion", "epochs": 5}}),
                r"generators\.g: there is no key 'epochs'; it belongs under `training`",
            ),
            (cohort(maf=0.1), r"cohorts\.mine: there is no key 'maf'; it belongs under `filter`"),
            (run(split={}), r"top level: there is no key 'split'; it belongs under `cohorts\.NAME`"),
            (run(sample={"labels": {False: 1}}), r"sample\.labels: YAML reads a key as false, .*; put it in quotes"),
            (run(sample={"labels": {None: 1}}), r"sample\.labels: YAML reads a key as null"),
            (cohort(label=False), r"cohorts\.mine\.label: YAML reads this as false, .*; put it in quotes"),
            (cohort(label=["a", True]), r"cohorts\.mine\.label\.1: YAML reads this as true"),
            ({"cohorts": {True: run()["cohorts"]["mine"]}}, "cohorts: YAML reads a key as true"),
        ],
    )
    def test_faults_in_one_line(self, config, told):
        with pytest.raises(BadInput, match=told) as caught:
            runfile.check(config, SCHEMA)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("config", "told"),
        [
            (
                run(generators={"g": {"kind": "copying"}}),
                r"g\.kind: the kind 'copying' .* write li_stephens",
            ),
            (
                run(generators={"g": {"kind": "diffusion", "space": "latent"}}),
                r"'diffusion' .* latent_diffusion",
            ),
            (cohort(people="all"), r"cohorts\.mine\.people: this key has another name now; write `samples`"),
            (run(sample={"people": 5}), r"run file, sample\.people: this key has another name now; write `size`"),
            (
                run(generators={"g": {"kind": "haplotype_diffusion", "founders": 5}}),
                r"generators\.g\.founders: this key has another name now; write `clusters: \{number: \.\.\}`",
            ),
            (run(generators={"g": {"kind": "haplotype_diffusion", "training": {}}}), r"write `reranker: \{\.\.\}`"),
            (
                run(generators={"g": {"kind": "haplotype_diffusion", "sampler": {"guidance": 2}}}),
                r"g\.sampler\.guidance: this key has another name now; write `reranker_weight`",
            ),
        ],
    )
    def test_old_names_are_refused_with_the_new_one(self, config, told):
        with pytest.raises(BadInput, match=told) as caught:
            runfile.check(config, SCHEMA)
        assert "\n" not in str(caught.value)

    def test_numbers_that_yaml_reads_as_text(self):
        text = "{simulate: {length: 1.5e5, samples: 1e3}, label: x, prune: {r2: 8e-1}, encoder: {components: 9e-1}}"
        config = {"cohorts": {"made": yaml.safe_load(text)}, "seeds": ["1e1"]}
        assert config["cohorts"]["made"]["simulate"]["length"] == "1.5e5"
        runfile.check(config, SCHEMA)
        made = config["cohorts"]["made"]
        assert made["simulate"] == {"length": 150000.0, "samples": 1000}
        assert (made["prune"]["r2"], made["encoder"]["components"], config["seeds"]) == (0.8, 0.9, [10])
        with pytest.raises(BadInput, match=r"'1\.5e0' is not of type 'integer'"):
            runfile.check(run(seeds=["1.5e0"]), SCHEMA)


class TestCheckSense:
    def test_shares_that_do_not_sum_to_one(self):
        config = cohort(split={"train": 0.5, "validation": 0.1, "test": 0.2}) | {"generators": {}}
        with pytest.raises(BadInput, match=r"sum to 0\.8; make them sum to 1"):
            runfile.check_sense(config)

    @pytest.mark.parametrize(("share", "total"), [(0.7, "0.9"), (0.80001, "1.00001")])
    def test_proportions_that_do_not_sum_to_one(self, share, total):
        config = run(sample={"proportions": {"mixed": {"one": 0.2, "two": share}}})
        validate(config, SCHEMA)
        with pytest.raises(BadInput, match=rf"sample\.proportions\.mixed: the shares sum to {total}; make them"):
            runfile.check_sense(config)
        config["sample"]["proportions"]["mixed"]["two"] = 0.8
        runfile.check_sense(config)

    def filled(self, paper=None, **sections):
        """A run file with one diffusion model, all defaults filled in."""
        fractions = {"fractions": sections.pop("fractions", None)}
        config = run(generators={"g": {"kind": "latent_diffusion", **fractions, **sections}})
        if paper is not None:
            config["evaluate"] = {"paper": paper}
        validate(config, SCHEMA)
        return config

    def test_a_region_that_is_none(self):
        config = run(release={"genomes": {"regions": [15, "chr2:1-9"]}})
        validate(config, SCHEMA)
        runfile.check_sense(config)
        config["release"]["genomes"]["regions"].append("15:9-1")
        with pytest.raises(BadInput, match=r"release\.genomes\.regions: '15:9-1' holds no base"):
            runfile.check_sense(config)

    def test_an_ablation_of_a_generator_that_is_not_there(self):
        config = run(generators={"g": {"kind": "markov"}}, evaluate={"ablation": {"Order": ["g", "h"]}})
        validate(config, SCHEMA)
        with pytest.raises(BadInput, match=r"evaluate\.ablation\.Order: there is no generator 'h'; name generators"):
            runfile.check_sense(config)

    def test_each_kind_of_diffusion_has_settings_of_its_own(self):
        config = run(generators={"g": {"kind": "haplotype_diffusion"}})
        validate(config, SCHEMA)
        filled = config["generators"]["g"]
        sections = filled["clusters"]["number"], filled["sampler"]["candidates"], filled["save_every"]
        assert sections == ("auto", 16, 120)
        assert "denoiser" not in filled
        for bad in ({"denoiser": {}}, {"space": "phase"}, {"clusters": {"founders": 5}}):
            with pytest.raises(BadInput):
                runfile.check(run(generators={"g": {"kind": "haplotype_diffusion", **bad}}), SCHEMA)

    @pytest.mark.parametrize(
        ("other", "told"),
        [
            ({"kind": "haplotype_diffusion", "space": "genotype"}, "'other' fits no model of this kind and space"),
            ({"kind": "haplotype_diffusion", "model": "g"}, "'other' fits no model of this kind"),
            ({"kind": "markov"}, "'other' fits no model of this kind and space; name a generator"),
            ({"kind": "haplotype_diffusion", "fractions": [50]}, "'other' is fitted at other fractions"),
        ],
    )
    def test_a_model_of_another_generator_that_has_none(self, other, told):
        mine = {"kind": "haplotype_diffusion", "model": "other"}
        config = run(generators={"g": mine, "other": other})
        validate(config, SCHEMA)
        with pytest.raises(BadInput, match=told):
            runfile.check_sense(config)
        config = run(generators={"g": mine, "other": {"kind": "haplotype_diffusion"}})
        validate(config, SCHEMA)
        runfile.check_sense(config)

    def test_more_steps_than_the_diffusion_has(self):
        given = {"sampler": {"sampler": "ddim", "steps": 50}, "diffusion": {"steps": 20}}
        with pytest.raises(BadInput, match=r"generators\.g\.sampler\.steps: 50 is more than the 20 steps"):
            runfile.check_sense(self.filled(**given))
        given["sampler"]["sampler"] = "ancestral"
        runfile.check_sense(self.filled(**given))

    def test_a_guarantee_and_a_look_at_members_without_noise(self):
        with pytest.raises(BadInput, match=r"generators\.g: epsilon and max_membership_auc exclude each other"):
            runfile.check_sense(self.filled(training={"epsilon": 3.0}, max_membership_auc=0.6))
        runfile.check_sense(self.filled(training={"epsilon": 3.0}))

    def test_heads_that_do_not_divide(self):
        with pytest.raises(BadInput, match=r"g\.denoiser\.transformer_heads: 5 heads do not divide the width 384"):
            runfile.check_sense(self.filled(denoiser={"transformer_heads": 5}))
        with pytest.raises(BadInput, match=r"evaluate\.paper\.classifiers\.heads: 6 heads do not divide the width 100"):
            runfile.check_sense(self.filled(paper={"classifiers": {"width": 100}}))

    @pytest.mark.parametrize(
        ("name", "fractions", "told"),
        [
            ("h", [5, 100], r"there is no diffusion model 'h'; name one of: g"),
            (
                "g",
                None,
                r"'g' is fitted at 100 % of the training samples; give it `fractions` with 100 and",
            ),
            ("g", [5, 20], r"'g' is fitted at 5, 20 % of the training samples"),
        ],
    )
    def test_augmentation_by_generators_that_cannot(self, name, fractions, told):
        with pytest.raises(BadInput, match=r"evaluate\.paper\.augment: " + told):
            runfile.check_sense(self.filled(paper={"augment": [name]}, fractions=fractions))
        runfile.check_sense(self.filled(paper={"augment": ["g"]}, fractions=[5, 100]))

    def test_the_papers_experiments_without_a_diffusion_model(self):
        config = self.filled(paper={})
        config["generators"] = {"c": {"kind": "copycat"}}
        with pytest.raises(
            BadInput, match=r"paper: there is no diffusion of encoded genotypes; add a latent_diffusion"
        ):
            runfile.check_sense(config)

    @pytest.mark.parametrize(
        ("fraction", "seeds", "told"),
        [
            (
                40,
                8,
                r"lira\.fraction: no generator is fitted at 40 % of the training samples, but at 50, 100; "
                "add 40 to `fractions`",
            ),
            (
                50,
                7,
                r"evaluate\.lira: there are 7 seeds, and each is a shadow model for the others; "
                "give 8 `seeds` or more",
            ),
            (50, 8, None),
        ],
    )
    def test_shadow_models_that_are_not_fitted(self, fraction, seeds, told):
        config = run(generators={"g": {"kind": "markov"}, "h": {"kind": "markov", "fractions": [50]}})
        config |= {"seeds": list(range(seeds)), "evaluate": {"lira": {"fraction": fraction}}}
        validate(config, SCHEMA)
        if told is None:
            runfile.check_sense(config)
            return
        with pytest.raises(BadInput, match=told):
            runfile.check_sense(config)

    def test_external_cohort_of_nothing(self):
        theirs = {"kind": "external", "cohort": "yours", "genotypes": "b.vcf.gz", "labels": "b.tsv"}
        config = cohort(split={"column": "part"}) | {"generators": {"theirs": theirs}}
        with pytest.raises(
            BadInput, match=r"generators\.theirs\.cohort: there is no cohort 'yours'; name one of: mine"
        ):
            runfile.check_sense(config)

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            ({"cohort": "ours", "generator": "g"}, "'ours' is no other cohort of the run"),
            ({"cohort": "mine", "generator": "g"}, "'mine' is no other cohort of the run"),
            ({"cohort": "array", "generator": "h"}, "'h' is no generator of the run whose samples can be imputed"),
            ({"cohort": "array", "generator": "c"}, "'c' is no generator of the run whose samples can be imputed"),
        ],
    )
    def test_people_to_impute_whom_nobody_draws(self, source, told):
        imputed = {"kind": "imputed", "cohort": "mine", "source": source, "panel": "panel.vcf.gz"}
        config = run(generators={"g": {"kind": "markov"}, "c": {"kind": "copycat"}, "i": imputed})
        config["cohorts"]["array"] = dict(config["cohorts"]["mine"])
        validate(config, SCHEMA)
        with pytest.raises(BadInput, match=rf"generators\.i\.source: {told}"):
            runfile.check_sense(config)
        imputed["source"] = {"cohort": "array", "generator": "g"}
        runfile.check_sense(config)
        config["cohorts"]["array"]["samples"] = "intersect"
        with pytest.raises(BadInput, match=r"mine and array differ in `samples`; give them the same samples"):
            runfile.check_sense(config)

    def test_imputed_people_are_of_the_fractions_of_their_source(self):
        imputed = {"kind": "imputed", "cohort": "mine", "source": {"cohort": "array", "generator": "g"}, "panel": "p"}
        config = run(generators={"g": {"kind": "markov", "fractions": [50]}, "i": imputed}, fractions=[100])
        assert runfile.fractions(config, "i") == [50]


class TestCheckFiles:
    def test_missing_part_of_a_plink_set(self, tmp_path):
        config = cohort(genotypes="a.bed") | {"data_dir": str(tmp_path)}
        for name in ("a.bed", "a.bim", "a.tsv"):
            (tmp_path / name).touch()
        with pytest.raises(BadInput, match=r"a\.fam: there is no such file"):
            runfile.check_files(config, tmp_path)

    def test_missing_file(self, tmp_path):
        config = run(data_dir=str(tmp_path))
        (tmp_path / "a.tsv").touch()
        with pytest.raises(BadInput, match=r"a\.vcf\.gz: there is no such file; correct cohorts\.mine\.genotypes"):
            runfile.check_files(config, tmp_path)
        (tmp_path / "a.vcf.gz").touch()
        runfile.check_files(config, tmp_path)

    def test_missing_reference(self, tmp_path):
        config = cohort(reference="r.fa") | {"data_dir": str(tmp_path)}
        for name in ("a.tsv", "a.vcf.gz"):
            (tmp_path / name).touch()
        with pytest.raises(BadInput, match=r"r\.fa: there is no such file; correct cohorts\.mine\.reference"):
            runfile.check_files(config, tmp_path)

    def test_a_panel_without_index(self, tmp_path):
        source = {"cohort": "mine", "generator": "g"}
        imputed = {"kind": "imputed", "cohort": "mine", "source": source, "panel": ["p.vcf.gz"]}
        config = run(data_dir=str(tmp_path)) | {"generators": {"i": imputed}}
        for name in ("a.tsv", "a.vcf.gz", "p.vcf.gz"):
            (tmp_path / name).touch()
        with pytest.raises(BadInput, match=r"p\.vcf\.gz: has no index beside it; make one: bcftools index"):
            runfile.check_files(config, tmp_path)
        (tmp_path / "p.vcf.gz.csi").touch()
        runfile.check_files(config, tmp_path)

    def test_missing_file_of_an_external_cohort(self, tmp_path):
        theirs = {"kind": "external", "cohort": "mine", "genotypes": "b.vcf.gz", "labels": "b.tsv"}
        config = run(data_dir=str(tmp_path)) | {"generators": {"theirs": theirs}}
        for name in ("a.tsv", "a.vcf.gz", "b.tsv"):
            (tmp_path / name).touch()
        with pytest.raises(BadInput, match=r"b\.vcf\.gz: there is no such file; correct generators\.theirs\.genotypes"):
            runfile.check_files(config, tmp_path)

    def test_unknown_table_of_published_figures(self, tmp_path):
        config = cohort(published="theirs") | {"data_dir": str(tmp_path)}
        tables = tmp_path / "published"
        tables.mkdir()
        (tables / "ours.tsv").touch()
        for name in ("a.tsv", "a.vcf.gz"):
            (tmp_path / name).touch()
        with pytest.raises(BadInput, match=r"there is no table 'theirs'; name one of: ours"):
            runfile.check_files(config, tmp_path)

    def test_a_file_that_can_be_downloaded(self, tmp_path):
        config = cohort(download="ours") | {"data_dir": str(tmp_path)}
        with pytest.raises(BadInput, match=r"mine\.download: there is no table 'ours'"):
            runfile.check_files(config, tmp_path)
        (tmp_path / "download").mkdir()
        (tmp_path / "download" / "ours.tsv").write_text("# from there\nfile\turl\na.vcf.gz\thttps://there\n")
        (tmp_path / "a.tsv").touch()
        config["cohorts"]["mine"]["genotypes"] = "ours/a.vcf.gz"
        with pytest.raises(
            BadInput, match=r"ours/a\.vcf\.gz: there is no such file; fetch it by the target `download`"
        ):
            runfile.check_files(config, tmp_path)
        runfile.check_files(config, tmp_path, fetching=True)
        config["cohorts"]["mine"]["genotypes"] = "ours/b.vcf.gz"
        with pytest.raises(BadInput, match=r"ours/b\.vcf\.gz: there is no such file; correct cohorts\.mine\.genotypes"):
            runfile.check_files(config, tmp_path, fetching=True)


def described(schema, path=""):
    """Every property of the schema, with its own schema."""
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part
        yield from described(part, f"{path}{name}.")
    for key in ("then", "else"):
        if key in schema:
            yield from described(schema[key], path)
    for part in schema.get("allOf", []):
        yield from described(part, path)
    for name, part in schema.get("$defs", {}).items():
        yield from described(part, f"{name}.")


def test_every_key_of_the_schema_says_what_it_is():
    schema = yaml.safe_load(SCHEMA.read_text())
    silent = [name for name, part in described(schema) if part and "description" not in part]
    assert not silent


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "copycat"])
def test_defaults_of_a_generator_are_filled_in(kind):
    """Snakemake fills in no default behind a $ref."""
    of_files = {
        "external": {"genotypes": "b.vcf.gz", "labels": "b.tsv"},
        "imputed": {"source": {"cohort": "array", "generator": "h"}, "panel": "b.vcf.gz"},
    }
    theirs = {"cohort": "mine", **of_files[kind]} if kind in of_files else {}
    config = run(generators={"g": {"kind": kind, **theirs}})
    validate(config, str(SCHEMA))
    assert config["generators"]["g"]["canaries"] == 5
    if kind in ("independent", "markov", "li_stephens", "recombined"):
        assert config["generators"]["g"]["pooled"] is False
    if kind == "ancestry_factors":
        assert (config["generators"]["g"]["shrinkage"], config["generators"]["g"]["residual"]) == (1, 0)
