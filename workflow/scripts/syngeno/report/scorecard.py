"""The report's tables: the scorecard, all metrics, and what made the report."""

import json
from html import escape

import pandas as pd
import yaml

from syngeno.evaluate import membership
from syngeno.report import html

Headline = tuple[str, str | None, str]  # metric, against (None: whatever it is), group

# The scorecard's columns by chapter, and what the reader sees.
HEADLINES: dict[str, dict[Headline, str]] = {
    "Privacy": {
        ("privacy_loss", "", "all"): "Privacy loss",
        ("aa_truth", "train", "all"): "AA truth, train",
        ("aa_truth", "test", "all"): "AA truth, test",
        ("aa_syn", "train", "all"): "AA syn",
        ("membership_auc", None, "all"): "Membership AUC, best attack",
        ("membership_tpr_at_1pct", None, "all"): "True positives at 1 % false",
        ("duplicate_share", "train", "all"): "Copies of training people",
        ("near_duplicate_share", "train", "all"): "Near copies",
        ("high_risk", None, "all"): "People at high risk",
        ("kinship_contrast", None, "all"): "More kin to train than held-out are",
    },
    "Utility": {
        ("recovery_rate", "test", "all"): "Recovery rate",
        ("accuracy", "test", "all"): "Accuracy",
        ("association_r", "train", "all"): "Association effects, r",
        ("imputation_ratio", "test", "all"): "Imputation r², to a real panel's",
        ("panel_r2", "test", "all"): "Imputed from the panel: r² of held-out people",
    },
    "Fidelity": {
        ("allele_frequency_r", "test", "all"): "Allele frequency r",
        ("polymorphic_share", "", "all"): "Polymorphic share",
        ("heterozygosity", "", "all"): "Heterozygosity",
        ("hwe_outliers", None, "all"): "Out of HWE",
        ("ld_r", "train", "all"): "LD r",
        ("ld_r", "train", "within_labels"): "LD r within labels",
        ("three_point_r", "train", "all"): "Three-point r",
        ("haplotype_diversity_r", "train", "all"): "Haplotype diversity r",
        ("fst_difference", "train", "all"): "Fst difference",
        ("wasserstein_pc1_6", "test", "all"): "Wasserstein PC1-6",
        ("sinkhorn_pc1_2", "test", "all"): "Sinkhorn PC1-2",
        ("heldout_nats", "test", "all"): "Held-out nats",
        ("decode_concordance", "validation", "all"): "Decode concordance",
    },
}
TITLES = {key: title for chapter in HEADLINES.values() for key, title in chapter.items()}

RELEASED = "released"

_LEGEND = (
    "<p>Values, with 95 % intervals below them; means over seeds where there are several. "
    "▲ above and ▼ below the real-vs-real envelope (first row: mean and 95 % prediction interval); outside is no worse "
    "where it is on the safe side. A privacy loss is saturated where every real person is closer to (or farther from) "
    "the synthetic people than to real ones: it then says nothing. Membership is without power where no attack saw "
    "even planted training people (see the audit). “Released” is the generator above less the people withheld.</p>"
)


def scorecard(metrics: pd.DataFrame) -> str:
    """Headline numbers by chapter, a generator per row, under their envelope; what falls outside it is marked."""
    numbers = metrics[(metrics["protocol"] == "ours") & metrics["variant"].isin(["", RELEASED])]
    powerless = membership.unseen(metrics)
    body = ""
    for chapter, titles in HEADLINES.items():
        columns = [key for key in titles if len(headline(numbers, key))]
        if not columns:
            continue
        rows = [html.line("real against real", [_envelope(headline(numbers, key)) for key in columns], "real")]
        for (generator, fraction, variant), part in numbers.groupby(["generator", "fraction", "variant"], sort=False):
            if any(len(headline(part, key)) for key in columns):
                name = f"{generator}, {fraction} % of the training people" if fraction != 100 else generator
                cells = [_score(part, key, (generator, fraction) in powerless) for key in columns]
                rows.append(html.line(f"{name}, {variant}" if variant else name, cells))
        body += f"<h2>{chapter}</h2>" + html.table(["", *(titles[key] for key in columns)], rows)
    return html.page("Scorecard", body + _LEGEND + coverage(metrics))


def all_metrics(metrics: pd.DataFrame) -> str:
    """The whole metrics table."""
    empty = [
        name
        for name in ("variant", "real_fraction")
        if metrics[name].isin(["", None]).all() or metrics[name].isna().all()
    ]
    body = metrics.drop(columns=empty).to_html(
        index=False, na_rep="", float_format=lambda value: f"{value:.4g}", border=0
    )
    return html.page("All metrics", body)


def run(config: dict, people: pd.DataFrame, variants: pd.DataFrame, relatives: pd.DataFrame | None) -> str:
    """What made a report: people by label and part, variants by filter, configuration, versions.

    `relatives` are the pairs found, None where kinship means nothing and nobody looked.
    """
    parts = pd.crosstab(people["label"], people["split"], margins=True, margins_name="all")
    parts = parts.reindex(columns=["train", "validation", "test", "all"])
    variants = variants.set_index("contig")
    variants.loc["all"] = variants.sum()
    kin = "Relatives were not looked for: so few variants or chromosomes tell no kinship."
    if relatives is not None:
        torn = int((relatives["split_a"] != relatives["split_b"]).sum())
        kin = f"{len(relatives)} pairs of second degree or closer, {torn} of them on two sides of the split."
    config = json.loads(json.dumps(config))  # sections that share their defaults would show as references
    body = "".join(
        [
            "<h2>People</h2>",
            parts.to_html(border=0),
            f"<p>{kin}</p>",
            "<h2>Variants</h2>",
            variants.to_html(border=0),
            "<h2>Configuration, every default spelled out</h2>",
            f"<pre>{escape(yaml.safe_dump(config, sort_keys=False))}</pre>",
            "<h2>Versions</h2>",
            f"<pre>{escape(yaml.safe_dump(html.versions(), sort_keys=False))}</pre>",
        ]
    )
    return html.page("What made this report", body)


def headline(numbers: pd.DataFrame, key: Headline) -> pd.DataFrame:
    """The rows of one headline."""
    metric, against, group = key
    chosen = (numbers["metric"] == metric) & (numbers["group"] == group)
    return numbers[chosen if against is None else chosen & (numbers["against"] == against)]


def saturated(numbers: pd.DataFrame) -> bool:
    """Whether a privacy loss could not have shown anything: the accuracies behind it stand at their ends."""
    return bool((headline(numbers, ("aa_saturated", "", "all"))["value"] > 0).any())


def coverage(metrics: pd.DataFrame) -> str:
    """A line on how often real people, held out, fall within the envelopes, by battery."""
    rows = metrics[metrics["metric"] == "envelope_coverage"]
    if rows.empty:
        return ""
    shares = rows.groupby("group", sort=False)["value"].mean()
    told = ", ".join(f"{escape(group)} {100 * share:.0f} %" for group, share in shares.items())
    return f"<p>Numbers of one more set of real people that fall within the envelope (95 % would be exact): {told}.</p>"


def _envelope(numbers: pd.DataFrame) -> str:
    known = numbers.dropna(subset=["real"])
    if known.empty:
        return "<td></td>"
    first = known.iloc[0]
    return html.number(first["real"], first["real_low"], first["real_high"])


def _score(part: pd.DataFrame, key: Headline, powerless: bool) -> str:
    """The row over seeds, or the only seed's, with its mark."""
    numbers = headline(part, key)
    if numbers.empty:
        return "<td></td>"
    over = numbers[numbers["seed"] == "all"]
    one = (numbers if over.empty else over).iloc[0]
    mark = html.outside(one["value"], one["real_low"], one["real_high"])
    note = ""
    if key[0] == "privacy_loss" and saturated(part):
        note = "cannot see: saturated"
    elif key[0].startswith("membership") and powerless:
        note = "without power here"
    return html.number(one["value"], one["low"], one["high"], mark, note, "outside" if mark or note else "")
