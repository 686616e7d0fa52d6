"""Of the officer's page (see `officer`): what is disclosed beside who took part, and what is one person's alone."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from syngeno.report import html
from syngeno.report import officer_section as section
from syngeno.report.officer_section import NOT_MEASURED, Section, Warned
from syngeno.report.verdicts import BAD, FAIR

CARRIERS = ("1-2 carriers", "3-5 carriers", "6-20 carriers")  # training haplotypes with a variant that is guessed


class Question(NamedTuple):
    """One of the three questions of Giomi et al. (2023): its name, what its metrics begin with, and what it asks.

    `groups` are those of its rows that should be there, `naive` how often a guess without the release is right where
    no row says it.
    """

    name: str
    metric: str
    asks: str
    groups: tuple[str, ...] = ()
    naive: str = NOT_MEASURED


QUESTIONS = (
    Question("Singling out", "singling_out", "can a description be read off the release that fits one person only?"),
    Question("Linkability", "linkability", "does the release tell that two parts of a genome are one person's?"),
    Question(
        "Inference",
        "inference",
        "does the release tell whether a person carries a rare variant?",
        CARRIERS,
        "50, by design",
    ),
)
RUNS = ("median", "99 %", "largest")
FEW_CARRIERS = 5  # training individuals who share a private stretch are fewer
# Of the quantiles the tail decides: a median that is a hair longer points at nobody, and the largest has no interval.
# With many haplotypes any excess is sure, so it must matter, too: in six random pairs of 700 real individuals (10,000
# SNPs of chromosome 15, 1,000 training individuals) the tail of one was longer than that of the other by up to 5 %.
# That of mosaics of training haplotypes that switch five times per cM was longer by 25 %.
DECIDES = "99 %"
LONGER = 0.1  # a share: beyond what sets of real individuals differ by, and short of such mosaics


def questions_section(own: pd.DataFrame, warned: Warned) -> Section:
    """Singling out, linkability and inference: how often attempts are right, and the risk."""
    lines = [_answer(own, question, group, warned) for question in QUESTIONS for group in _groups(own, question)]
    said = [
        " ".join(f"{question.name}: {question.asks}" for question in QUESTIONS),
        "Attempts with the release are made on training individuals (main) and on held-out individuals (control), and "
        "others without it (naive); the numbers are how many of 100 attempts are right. The risk is what is left above "
        "the control: (main - control) / (1 - control), "
        "after Giomi et al. (2023); 0 is none, 1 is certainty.",
    ]
    head = ["Right of 100 attempts", "Main", "Control", "Naive", "Risk"]
    return Section("Singling out, linkability, inference", said, lines, head)


def _groups(own: pd.DataFrame, question: Question) -> list[str]:
    """The groups of which there are rows, or should be some."""
    rows = own[own["metric"].isin([f"{question.metric}_risk", f"{question.metric}_success"])]
    return list(dict.fromkeys([*question.groups, *rows["group"]])) or ["all"]


def _answer(own: pd.DataFrame, question: Question, group: str, warned: Warned) -> html.Line:
    name = question.name if group == "all" else f"{question.name}, {group}"
    risk = section.first(own, f"{question.metric}_risk", group)
    rates = [section.first(own, f"{question.metric}_success", group, part) for part in ("train", "test", "naive")]
    cells = [NOT_MEASURED if row is None else section.share(row) for row in rates]
    if rates[0] is not None and rates[2] is None:
        cells[2] = question.naive
    if risk is None:
        warned.missing.append(name[0].lower() + name[1:])
        return html.Line(name, [html.Cell(text) for text in [*cells, NOT_MEASURED]])
    main, _, naive = (np.nan if row is None else row["value"] for row in rates)
    said = ""
    # Targets share haplotypes, so the interval is too narrow by itself: real samples reach so far, too.
    if risk["low"] > 0 and not risk["value"] <= risk["real_high"]:
        said = ": the release gives something away"
        warned.reasons.append((FAIR, f"{name}: a risk of {section.shown(risk)} above the control."))
    elif main <= naive:
        said = ": no better than without the release, so too weak to tell"
    return html.Line(name, [html.Cell(text) for text in [*cells, section.shown(risk) + said]])


def rare_section(own: pd.DataFrame, warned: Warned) -> Section:
    """What points at single individuals: variants of one carrier, private stretches of DNA, copies."""
    lines = {"Variants of one person": _one_carrier(own, warned), "Private stretches": _private_runs(own, warned)}
    for metric, name in (("duplicate_share", "Copies"), ("near_duplicate_share", "Near copies")):
        row = section.first(own, metric)
        if row is None:
            warned.missing.append(name.lower())
            lines[name] = f"{section.capital(NOT_MEASURED)}."
            continue
        lines[name] = f"{round(row['value'] * row['n'])} of {row['n']:,} synthetic individuals."
        heldout = section.first(own, metric, "heldout")
        if heldout is not None:
            lines[name] += f" Among {heldout['n']:,} held-out individuals: {round(heldout['value'] * heldout['n'])}."
    return Section("What is one person's alone", [], section.points(lines))


def _one_carrier(own: pd.DataFrame, warned: Warned) -> str:
    row, heldout = (section.first(own, "one_carrier_alleles", against=part) for part in ("train", "test"))
    text = "Variants that one training individual alone carries, and that the release has, too"
    if row is None:
        warned.missing.append("variants of one person")
        return f"{text}: {NOT_MEASURED}."
    count = round(row["value"] * row["n"])
    if not count:
        return f"{text}: none of {row['n']:,}."
    text = f"{text}: {count:,} of {row['n']:,}."
    known = heldout is not None and heldout["n"] > 0
    if known:
        text += (
            f" Of those that one held-out individual alone carries, the release has "
            f"{round(heldout['value'] * heldout['n']):,} of {heldout['n']:,}: so many come again by chance."
        )
    if not known or row["low"] > heldout["high"]:
        warned.reasons.append((BAD, f"The release has {count:,} variants that one training individual alone carries."))
        text += " Whoever knows of a carrier has reason to believe that this person's data were used."
    return text


def _private_runs(own: pd.DataFrame, warned: Warned) -> str:
    text = (
        f"Longest stretch of DNA that a synthetic individual shares with fewer than {FEW_CARRIERS} training "
        "individuals, in cM (a unit of genetic length; the longer, the more it points at these few)"
    )
    found = []
    for group in RUNS:
        mine, real = (section.first(own, metric, group) for metric in ("private_run_cm", "private_run_cm_real"))
        if mine is None:
            continue
        found.append(
            f"{group} {section.shown(mine)}"
            + ("" if real is None else f", of held-out individuals {section.shown(real)}")
        )
        if group == DECIDES and real is not None and _longer(mine, real):
            by = f"{group}, by over {100 * LONGER:g} %"
            warned.reasons.append((FAIR, f"Private stretches are longer than those of held-out individuals ({by})."))
    if not found:
        warned.missing.append("private stretches")
        found.append(NOT_MEASURED)
    return f"{text}: {'; '.join(found)}."


def _longer(mine: pd.Series, real: pd.Series) -> bool:
    """Whether private stretches are surely longer than those of held-out individuals, and by a length that matters."""
    return bool(mine["low"] > real["high"] and mine["value"] > (1 + LONGER) * real["value"])
