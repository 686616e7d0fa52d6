"""The report's tables, as self-contained HTML pages."""

import json
from html import escape
from importlib.metadata import version
from platform import python_version

import pandas as pd
import yaml

# (metric, against, group) of the scorecard's columns, and what the reader sees.
HEADLINES = {
    ("aa_truth", "train", "all"): "AA truth, train",
    ("aa_truth", "test", "all"): "AA truth, test",
    ("aa_syn", "train", "all"): "AA syn",
    ("privacy_loss", "", "all"): "Privacy loss",
    ("duplicate_share", "train", "all"): "Copies of training people",
    ("recovery_rate", "test", "all"): "Recovery rate",
    ("accuracy", "test", "all"): "Accuracy",
    ("allele_frequency_r", "test", "all"): "Allele frequency r",
    ("polymorphic_share", "", "all"): "Polymorphic share",
    ("heterozygosity", "", "all"): "Heterozygosity",
    ("ld_r", "train", "all"): "LD r",
    ("ld_r", "train", "within_labels"): "LD r within labels",
    ("wasserstein_pc1_6", "test", "all"): "Wasserstein PC1-6",
    ("decode_concordance", "validation", "all"): "Decode concordance",
}

PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "zarr",
    "torch",
    "scikit-learn",
    "scikit-allel",
    "cyvcf2",
    "pysam",
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #222; }}
table {{ border-collapse: collapse; margin: .5rem 0 1.5rem; }}
th, td {{ padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }}
th {{ vertical-align: bottom; white-space: normal; background: #f6f6f6; }}
td.name, th.name {{ text-align: left; }}
tr.real td {{ background: #eee; color: #444; }}
td.outside {{ color: #a33b00; font-weight: 600; }}
.low {{ color: #777; font-size: 85%; display: block; font-weight: 400; }}
pre {{ background: #f6f6f6; padding: 1rem; overflow-x: auto; }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def scorecard(metrics: pd.DataFrame) -> str:
    """Headline numbers, a generator per row, under their envelope; what falls outside it is marked."""
    numbers = metrics[metrics["protocol"] == "ours"]
    columns = [key for key in HEADLINES if _of(numbers, key).shape[0]]
    head = "".join(f"<th>{escape(HEADLINES[key])}</th>" for key in columns)
    rows = [_row("real against real", [_envelope(_of(numbers, key)) for key in columns], "real")]
    for (generator, fraction), part in numbers.groupby(["generator", "fraction"], sort=False):
        name = f"{generator}, {fraction} % of the training people" if fraction != 100 else generator
        rows.append(_row(name, [_score(_of(part, key), _blind(part, key)) for key in columns]))
    body = (
        f'<table><thead><tr><th class="name"></th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "<p>Values, with 95 % intervals below them; means over seeds where there are several. "
        "▲ above and ▼ below the real-vs-real envelope (first row: mean and 95 % prediction interval). A privacy loss "
        "is saturated where every real person is closer to (or farther from) the synthetic people than to real ones: "
        "it then says nothing.</p>"
    )
    return _PAGE.format(title="Scorecard", body=body)


def all_metrics(metrics: pd.DataFrame) -> str:
    """The whole metrics table."""
    shown = metrics.drop(columns=[name for name in ("variant", "real_fraction") if not metrics[name].notna().any()])
    body = shown.to_html(index=False, na_rep="", float_format=lambda value: f"{value:.4g}", border=0)
    return _PAGE.format(title="All metrics", body=body)


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
    versions = {"python": python_version(), **{name: _version(name) for name in PACKAGES}}
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
            f"<pre>{escape(yaml.safe_dump(versions, sort_keys=False))}</pre>",
        ]
    )
    return _PAGE.format(title="What made this report", body=body)


def _of(numbers: pd.DataFrame, key: tuple[str, str, str]) -> pd.DataFrame:
    metric, against, group = key
    return numbers[(numbers["metric"] == metric) & (numbers["against"] == against) & (numbers["group"] == group)]


def _row(name: str, cells: list[str], kind: str = "") -> str:
    return f'<tr class="{kind}"><td class="name">{escape(name)}</td>{"".join(cells)}</tr>'


def _envelope(numbers: pd.DataFrame) -> str:
    first = numbers.iloc[0]
    if pd.isna(first["real"]):
        return "<td></td>"
    return f"<td>{first['real']:.4g}{_interval(first['real_low'], first['real_high'])}</td>"


def _blind(numbers: pd.DataFrame, key: tuple[str, str, str]) -> bool:
    """Whether a privacy loss could not have shown anything: the accuracies behind it stand at their ends."""
    saturated = _of(numbers, ("aa_saturated", "", key[2]))["value"]
    return key[0] == "privacy_loss" and bool((saturated > 0).any())


def _score(numbers: pd.DataFrame, blind: bool) -> str:
    """The row over seeds, or the only seed's, with its mark."""
    if numbers.empty:
        return "<td></td>"
    one = numbers[numbers["seed"] == "all"] if (numbers["seed"] == "all").any() else numbers
    one = one.iloc[0]
    mark = "▲" if one["value"] > one["real_high"] else "▼" if one["value"] < one["real_low"] else ""
    kind = ' class="outside"' if mark or blind else ""
    note = '<span class="low">cannot see: saturated</span>' if blind else _interval(one["low"], one["high"])
    return f"<td{kind}>{one['value']:.4g} {mark}{note}</td>"


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f'<span class="low">{low:.3g} to {high:.3g}</span>'


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not in this environment"
