from pathlib import Path

import pytest
import yaml
from snakemake.utils import validate

from syngeno.errors import BadInput
from syngeno.paper import printed

RUN_FILE = Path(__file__).parents[3] / "config/paper.yaml"
SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
SHIPPED = Path(__file__).parents[3] / "resources/kenneweg2025.tsv"


def accuracy(figures, data, classifier, denoiser):
    chosen = figures.query("table == 'accuracy' and data == @data and classifier == @classifier")
    return chosen.set_index("denoiser")["value"][denoiser]


def complete(**sections):
    """A generator of the paper's run file, filled in as the workflow does."""
    config = yaml.safe_load(RUN_FILE.read_text())
    validate(config, SCHEMA)
    given = config["generators"]["mlp_cnn"]
    return {name: given[name] | sections.get(name, {}) for name in ("denoiser", "diffusion", "training", "sampler")}


class TestDenoiser:
    @pytest.mark.parametrize("kind", ["mlp", "cnn", "mlp+cnn", "transformer"])
    def test_the_papers_run_file_has_the_papers_denoisers(self, kind):
        config = yaml.safe_load(RUN_FILE.read_text())
        validate(config, SCHEMA)
        found = [printed.denoiser(one) for one in config["generators"].values() if one["kind"] == "latent_diffusion"]
        assert printed.Denoiser(kind) in found

    def test_forms_that_differ(self):
        found = printed.denoiser(complete(denoiser={"chained": True}, diffusion={"prediction": "v"}))
        assert found == ("mlp+cnn", "chained: true, prediction: v", "")

    def test_sizes_that_differ_as_far_as_the_kind_has_them(self):
        found = printed.denoiser(complete(denoiser={"cnn_base": 32, "transformer_width": 96}, training={"epochs": 20}))
        assert found == ("mlp+cnn", "", "cnn_base 32 (64), epochs 20 (100)")

    def test_what_the_mlp_has_not_changes_nothing(self):
        found = printed.denoiser(complete(denoiser={"kind": "mlp", "positions": True, "cnn_base": 8}))
        assert found == ("mlp", "", "")


class TestRead:
    @pytest.mark.parametrize(
        ("data", "classifier", "best"),
        [("ALS", "mlp", 0.9669), ("ALS", "transformer", 0.9389), ("ALS", "cnn", 0.9317), ("1KG", "mlp", 0.9302),
         ("1KG", "transformer", 0.8498), ("1KG", "cnn", 0.7754)],
    )  # fmt: skip
    def test_best_recovery_as_printed(self, data, classifier, best):
        """The paper prints accuracies and, beside them, the best recovery rate; one must give the
        other, as far as print allows (.9307 stands there as .9302)."""
        figures = printed.read(SHIPPED)
        rates = [
            accuracy(figures, data, classifier, denoiser) / accuracy(figures, data, classifier, "real")
            for denoiser in ("cnn", "mlp", "mlp+cnn", "transformer")
        ]
        assert max(rates) == pytest.approx(best, abs=6e-4)

    def test_all_tables_are_there(self):
        figures = printed.read(SHIPPED)
        assert figures["table"].value_counts().to_dict() == {
            "accuracy": 30, "augmentation": 16, "aa_truth": 16, "aa_syn": 16,
        }  # fmt: skip
        assert set(figures["real_percent"].dropna()) == {5, 10, 20, 50}

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("1KG\taccuracy\tmlp\tcnn\ttest\t\t90", "no share"),
            ("1KG\taccuracy\tmlp\tcnn\ttest\t\tgood", "no number"),
            ("1KG\trecovery\tmlp\tcnn\ttest\t\t.9", "a table 'recovery'"),
            ("1KG\taccuracy\tmlp\tmlp\ttest\t\t.5\n1KG\taccuracy\tmlp\tmlp\ttest\t\t.6", "twice"),
        ],
    )
    def test_refusals(self, tmp_path, line, words):
        path = tmp_path / "figures.tsv"
        path.write_text("# source\n" + "\t".join(printed.COLUMNS) + f"\n{line}\n")
        with pytest.raises(BadInput, match=words):
            printed.read(path)
