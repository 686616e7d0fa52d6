"""The report's tables: the scorecard, all metrics, and what made the report."""

import json
from collections.abc import Mapping

import pandas as pd
import yaml

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of
from syngeno.report import html, verdicts

Headline = tuple[str, str, str | None]  # metric, group, against (None: whatever it is)

# The scorecard's columns by chapter, and their titles.
HEADLINES: dict[str, dict[Headline, str]] = {
    "Privacy": {
        ("privacy_loss", "all", ""): "Privacy loss",
        ("aa_truth", "all", "train"): "AA truth, train",
        ("aa_truth", "all", "test"): "AA truth, test",
        ("aa_syn", "all", "train"): "AA syn",
        ("membership_auc", "all", None): "Membership AUC, strongest attack",
        ("membership_tpr_at_1pct", "all", None): "True-positive rate at 1 % false positives",
        ("duplicate_share", "all", "train"): "Duplicates of training samples",
        ("near_duplicate_share", "all", "train"): "Near duplicates",
        ("high_risk", "all", None): "Samples at high risk",
        ("kinship_contrast", "all", None): "P(more kin to train than held-out)",
    },
    "Utility": {
        ("recovery_rate", "all", "test"): "Recovery rate",
        ("accuracy_ratio", "all", "test"): "Accuracy, over that of real samples",
        ("accuracy", "all", "test"): "Accuracy",
        ("association_r", "all", "train"): "Association effects, r",
        ("association_slope", "all", "train"): "Association effects, slope",
        ("association_lambda_ratio", "all", "train"): "Inflation of association (lambda), over that of real samples",
        ("association_false_hits", "all", "train"): "False hits of association",
        ("imputation_ratio", "all", "test"): "Imputation r², over a real panel's",
        ("panel_r2", "all", "test"): "Imputation from the panel, r² of held-out samples",
    },
    "Fidelity": {
        ("allele_frequency_r", "all", "test"): "Allele frequency r",
        ("polymorphic_share", "all", ""): "Polymorphic share",
        ("heterozygosity", "all", ""): "Heterozygosity",
        ("hwe_outliers", "all", None): "Out of HWE",
        ("ld_r", "all", "train"): "LD r",
        ("ld_r", "within_labels", "train"): "LD r within labels",
        ("three_point_r", "all", "train"): "Three-point r",
        ("haplotype_diversity_r", "all", "train"): "Haplotype diversity r",
        ("fst_difference", "all", "train"): "Fst difference",
        ("wasserstein_pc1_6", "all", "test"): "Wasserstein PC1-6",
        ("sinkhorn_pc1_2", "all", "test"): "Sinkhorn PC1-2",
        ("heldout_nats", "all", "test"): "Held-out nats",
        ("decode_concordance", "all", "validation"): "Decode concordance",
    },
}
TITLES = {key: title for chapter in HEADLINES.values() for key, title in chapter.items()}

RELEASED = "released"


def scorecard_page(metrics: pd.DataFrame) -> str:
    """Headline numbers by chapter, a generator per row, under their envelope; what falls outside it is marked."""
    numbers = metrics[(metrics["protocol"] == "ours") & metrics["variant"].isin(["", RELEASED])]
    powerless = membership.undetected(metrics)
    leaking = _leaking(metrics)
    chapters = {}
    for chapter, titles in HEADLINES.items():
        columns = [key for key in titles if len(of(numbers, *key))]
        if not columns:
            continue
        lines = [html.Line("real against real", [_envelope(of(numbers, *key)) for key in columns], "real")]
        for (generator, fraction, variant), part in numbers.groupby(["generator", "fraction", "variant"], sort=False):
            if any(len(of(part, *key)) for key in columns):
                name = f"{generator}, {fraction} % of the training samples" if fraction != 100 else generator
                leaks = not variant and (generator, fraction) in leaking
                cells = [_score(part, key, (generator, fraction) in powerless, leaks) for key in columns]
                lines.append(html.Line(f"{name}, {variant}" if variant else name, cells))
        chapters[chapter] = html.Table(["", *(titles[key] for key in columns)], lines)
    return html.page("scorecard", chapters=chapters, coverage=coverage(metrics))


def all_metrics(metrics: pd.DataFrame) -> str:
    """The whole metrics table."""
    empty = [name for name in ("variant", "real_fraction") if (metrics[name].isna() | (metrics[name] == "")).all()]
    return html.page("metrics", table=html.frame(metrics.drop(columns=empty)))


def run_page(
    config: Mapping,
    generators: Mapping[str, str],
    samples: pd.DataFrame,
    variants: pd.DataFrame,
    relatives: pd.DataFrame,
    looked_for: str,
) -> str:
    """What made a report: samples by label and part, variants by filter, configuration, versions.

    `generators` says what each is; `relatives` are the pairs found, `looked_for` how.
    """
    parts = pd.crosstab(samples["label"], samples["split"], margins=True, margins_name="all")
    parts = parts.reindex(columns=["train", "validation", "test", "all"])
    variants = variants.set_index("contig")
    variants.loc["all"] = variants.sum()
    split = int((relatives["split_a"] != relatives["split_b"]).sum())
    config = json.loads(json.dumps(config))  # sections that share their defaults would show as references
    return html.page(
        "run",
        generators=html.words(["Generator", "What it is"], generators),
        samples=html.frame(parts.reset_index()),
        variants=html.frame(variants.reset_index()),
        relatives={"all": len(relatives), "split": split, "by": looked_for},
        config=yaml.safe_dump(config, sort_keys=False),
        versions=html.versions(),
    )


def saturated(numbers: pd.DataFrame, group: str | None = "all") -> bool:
    """Whether a privacy loss could not have shown anything: the accuracies behind it stand at their ends."""
    return bool((of(numbers, "aa_saturated", group)["value"] > 0).any())


def coverage(metrics: pd.DataFrame) -> list[str]:
    """How often real samples, held out, fall within the envelopes, by suite."""
    shares = of(metrics, "envelope_coverage", None).groupby("group", sort=False)["value"].mean()
    return [f"{group} {100 * share:.0f} %" for group, share in shares.items()]


def _envelope(numbers: pd.DataFrame) -> html.Cell:
    known = numbers.dropna(subset=["real"])
    return html.number(*known.iloc[0][["real", "real_low", "real_high"]]) if len(known) else html.Cell()


def _leaking(metrics: pd.DataFrame) -> set[tuple[str, int]]:
    """(generator, fraction) of which some attack on the synthetic samples is a leak."""
    attacks = verdicts.black_box(membership.power(metrics))
    return {(one.generator, one.fraction) for one in attacks[attacks["leaks"]].itertuples()}


def _score(part: pd.DataFrame, key: Headline, powerless: bool, leaks: bool) -> html.Cell:
    """The row over seeds, or the only seed's, with its mark; numbers of attacks of which one `leaks` are red."""
    numbers = of(part, *key)
    if numbers.empty:
        return html.Cell()
    over = numbers[numbers["seed"] == "all"]
    shown = (numbers if over.empty else over).iloc[0]
    mark, style = verdicts.marked(shown)
    note = ""
    if key[0] == "privacy_loss" and saturated(part):
        note = "shows nothing: saturated"
    elif key[0].startswith("membership") and powerless and not style:  # what was found needs no proof of power
        note = "without power here"
    elif key[0].startswith("membership") and leaks:
        style = "outside"
    envelope = shown["real_low"], shown["real_high"]
    return html.number(*shown[["value", "low", "high"]], mark, note, "blind" if note else style, envelope)
