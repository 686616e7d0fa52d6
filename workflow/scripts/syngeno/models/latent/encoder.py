"""Blocks of genotypes to a few numbers each, and back: principal components per gene or window.

Encoding (Kenneweg et al., Bioinformatics 2025, btaf209): per block, the leading principal components of
the dosages, z-scored by the training samples and zero-padded to one width, so that a sample is a matrix
of blocks by components.

Decoding draws genotypes instead of rounding, because rounding makes rare alleles vanish. A sample's
truth g and its reconstruction m at one site are linked, exactly on the training samples and because m is
a projection, by

    E[m | g] = mean + R2 (g - mean),    Var[m | g] = R2 (1 - R2) var(g)    (best linear fit)

so with that as a normal likelihood, and a prior q over the three genotypes, Bayes' rule gives

    log P(g | m) = log q_g + [(m - mean)(g - mean) - R2 (g - mean)^2 / 2] / ((1 - R2) var(g)) + const,

which is the prior alone where the components say nothing about the site (R2 = 0) and rounding where they
say everything (R2 = 1). The prior is fitted such that the mean posterior over the training samples equals
their genotype frequencies (the normal shape is only approximate; the frequencies should not be).
"""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno.errors import BadInput

if TYPE_CHECKING:
    from syngeno.data.dosages import DosageColumns

log = logging.getLogger(__name__)

PAPER_RULE = ((20, 8), (4, 4), (0, 1))  # more than so many sites -> so many components
FORMAT = "syngeno encoder 1"
RESIDUAL_FLOOR = 1e-3  # of the variance: keeps the evidence finite where the components carry a site in full
PRIOR_ROUNDS = 20
TINY = np.float32(1e-30)
SAMPLE_CHUNK, VARIANT_CHUNK = 2048, 1024  # bound the memory; `decode`'s draws depend on them


@dataclass(frozen=True)
class Encoder:
    """All that is needed to encode and decode; every number comes from the samples it was fitted on.

    V sites, B blocks, k components: `block` (V,) 0..B-1, nondecreasing; `mean`, `variance` (V,) of the
    dosage; `components` (V, k) loadings, zero where unused; `latent_mean`, `latent_std` (B, k); `mask` (B, k)
    True where a component is used; `r2` (V,) share of the site's variance that the components carry;
    `genotype_frequency` (V, 3); `prior` (V, 3), positive only where `genotype_frequency` is.
    """

    block: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    components: np.ndarray
    latent_mean: np.ndarray
    latent_std: np.ndarray
    mask: np.ndarray
    r2: np.ndarray
    genotype_frequency: np.ndarray
    prior: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Blocks and components: the shape of one sample's latents."""
        return self.mask.shape


def fit(
    dosages: np.ndarray | DosageColumns,
    block: np.ndarray,
    components: str | float,
    max_components: int,
    decodes: bool = True,
) -> Encoder:
    """Fit on training samples only: `dosages` (n, V) 0/1/2, `block` (V,) nondecreasing ids.

    Dosages are looked at block by block: `Store.dosage_columns` spares memory for all of them. `components` is "paper"
    (`PAPER_RULE`) or the share of a block's variance to keep; never more than `max_components`, the sites, or the
    samples less one. Components without variance (monomorphic sites) are masked. Where nothing will be decoded,
    `decodes` False spares the fit of the prior. Raises ValueError on other shapes and dosages.
    """
    samples, sites = _checked(dosages).shape
    block = np.asarray(block)
    if samples < 2 or sites < 1:
        raise ValueError(f"{samples} samples and {sites} sites; an encoder needs at least 2 samples and 1 site")
    if block.shape != (sites,) or (np.diff(block) < 0).any():
        raise ValueError("block must hold one nondecreasing id per site")
    block = np.unique(block, return_inverse=True)[1].astype(np.int32)
    mean, variance = np.empty(sites), np.empty(sites)
    frequency = np.empty((sites, 3))
    loadings, variances = [], []
    for _, part in _blocks(block):
        values = dosages[:, part]
        frequency[part] = genotype_frequency(values)
        x = values.astype(np.float64)
        mean[part], variance[part] = x.mean(0), x.var(0)
        vectors, spread = _principal(x - mean[part])
        if components == "paper":
            wanted = next(count for more_than, count in PAPER_RULE if values.shape[1] > more_than)
        else:
            total = float(variance[part].sum())
            wanted = int(np.searchsorted(np.cumsum(spread), components * total * (1 - 1e-9)) + 1)
        keep = min(wanted, max_components, values.shape[1], samples - 1, len(spread))
        loadings.append(vectors[:, :keep])
        variances.append(spread[:keep])

    blocks, width = len(loadings), max(1, *(len(spread) for spread in variances), 1)
    weights, std = np.zeros((sites, width)), np.ones((blocks, width))
    mask, carried = np.zeros((blocks, width), bool), np.zeros(sites)
    for b, part in _blocks(block):
        k = len(variances[b])
        weights[part, :k], std[b, :k], mask[b, :k] = loadings[b], np.sqrt(variances[b]), True
        carried[part] = loadings[b] ** 2 @ variances[b]
    r2 = np.divide(carried, variance, out=np.zeros(sites), where=variance > 0).clip(0, 1)
    encoder = Encoder(
        block=block,
        mean=mean.astype(np.float32),
        variance=variance.astype(np.float32),
        components=weights.astype(np.float32),
        latent_mean=np.zeros((blocks, width), np.float32),  # the dosages are centred
        latent_std=std.astype(np.float32),
        mask=mask,
        r2=r2.astype(np.float32),
        genotype_frequency=frequency.astype(np.float32),
        prior=frequency.astype(np.float32),
    )
    if decodes:
        encoder = _with_fitted_prior(encoder, dosages)
    percent = 100 * carried.sum() / max(variance.sum(), 1e-300)
    log.info("%d sites -> %d blocks x %d components, %.1f %% of variance", sites, blocks, width, percent)
    return encoder


def genotype_frequency(dosages: np.ndarray) -> np.ndarray:
    """(n, V) -> (V, 3) frequencies with one pseudo-sample in Hardy-Weinberg proportions added.

    It leaves the allele frequency and a monomorphic site as they are, but lets a genotype through that by chance no
    training sample has (homozygotes of a rare allele) when the evidence asks for it.
    """
    n = len(dosages)
    counts = np.stack([(dosages == g).sum(0) for g in range(3)], axis=1).astype(np.float64)
    p = (counts[:, 1] + 2 * counts[:, 2]) / (2 * n)
    expected = np.stack([(1 - p) ** 2, 2 * p * (1 - p), p**2], axis=1)
    return (counts + expected) / (n + 1)


def encode(encoder: Encoder, dosages: np.ndarray | DosageColumns) -> np.ndarray:
    """Dosages (n, V), looked at block by block -> z-scored latents float32 (n, B, k), zero where masked."""
    _checked(dosages, len(encoder.block))
    latents = np.zeros((len(dosages), *encoder.shape), np.float32)
    for b, part in _blocks(encoder.block):
        latents[:, b] = (dosages[:, part].astype(np.float32) - encoder.mean[part]) @ encoder.components[part]
    latents -= encoder.latent_mean
    latents /= encoder.latent_std
    latents *= encoder.mask
    return latents


def decode(encoder: Encoder, latents: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Latents (n, B, k) -> dosages int8 (n, V), drawn from P(g | m); rng None: the most likely."""
    if latents.ndim != 3 or latents.shape[1:] != encoder.shape:
        raise ValueError(f"latents of shape {latents.shape}; this encoder makes (n, {encoder.shape})")
    if not np.isfinite(latents).all():
        raise ValueError("latents hold values that are not finite; the generator has diverged")
    dosages = np.empty((len(latents), len(encoder.block)), np.int8)
    for first in range(0, len(latents), SAMPLE_CHUNK):
        rows = slice(first, first + SAMPLE_CHUNK)
        raw = _unscaled(encoder, latents[rows])
        for start in range(0, len(encoder.block), VARIANT_CHUNK):
            part = slice(start, start + VARIANT_CHUNK)
            likelihood = _likelihood(encoder, part, raw)
            posterior = likelihood * encoder.prior[part].T[:, None]
            posterior /= np.maximum(posterior.sum(0), TINY)
            if rng is None:
                dosages[rows, part] = posterior.argmax(0)
            else:
                draw = rng.random(posterior.shape[1:], dtype=np.float32)
                # from the top, so that no rounding of the sum reaches a genotype of probability zero
                at_least_one = draw < posterior[2] + posterior[1]
                dosages[rows, part] = at_least_one.astype(np.int8) + (draw < posterior[2])
    return dosages


def concordance(encoder: Encoder, dosages: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Share of genotypes (n, V) that come back from encoding and decoding: drawn, and most likely."""
    latents = encode(encoder, dosages)
    return tuple(float((decode(encoder, latents, how) == dosages).mean()) for how in (rng, None))


def save(path: Path, encoder: Encoder, fingerprint: str) -> None:
    """Write one .npz, atomically; `fingerprint` says which variants and blocks it works on."""
    path = Path(path)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        arrays = {field.name: getattr(encoder, field.name) for field in fields(Encoder)}
        np.savez_compressed(file, format=np.array(FORMAT), fingerprint=np.array(fingerprint), **arrays)
    os.replace(temporary, path)


def load(path: Path, fingerprint: str) -> Encoder:
    """Read what `save` wrote; BadInput if missing, foreign, broken or of another fingerprint."""
    remedy = "delete it and run the prepare stage again"
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise BadInput(path, "no such file", "run the prepare stage first") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise BadInput(path, "not a readable .npz file", remedy) from None
    names = {field.name for field in fields(Encoder)}
    if str(arrays.pop("format", "")) != FORMAT or not names <= set(arrays):
        raise BadInput(path, "not an encoder of this version of syngeno", remedy)
    found = str(arrays.pop("fingerprint", ""))
    if found != fingerprint:
        raise BadInput(path, "the encoder was fitted on other variants or blocks", remedy)
    return Encoder(**{name: arrays[name] for name in names})


def _checked(dosages: np.ndarray | DosageColumns, sites: int | None = None) -> np.ndarray | DosageColumns:
    if len(dosages.shape) != 2 or (sites is not None and dosages.shape[1] != sites):
        raise ValueError(f"dosages of shape {dosages.shape}; expected (n, {sites or 'sites'})")
    # A store has been looked through when it was made.
    if isinstance(dosages, np.ndarray) and dosages.size and (dosages.min() < 0 or dosages.max() > 2):
        raise ValueError("dosages must be 0, 1 or 2; fill missing calls first")
    return dosages


def _blocks(block: np.ndarray) -> Iterator[tuple[int, slice]]:
    bounds = np.searchsorted(block, np.arange(block[-1] + 2))
    for b in range(len(bounds) - 1):
        yield b, slice(bounds[b], bounds[b + 1])


def _principal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred (n, v) -> loadings (v, c), variances (c,): largest first, those above rounding error."""
    n, v = x.shape
    if v <= n:
        values, vectors = np.linalg.eigh(x.T @ x / n)
    else:  # the smaller problem has the same nonzero eigenvalues
        values, left = np.linalg.eigh(x @ x.T / n)
        vectors = x.T @ left
        vectors /= np.maximum(np.linalg.norm(vectors, axis=0), 1e-300)
    values, vectors = values[::-1], vectors[:, ::-1]
    real = values > 1e-9 * max(float(x.var(0).sum()), 1e-300)
    values, vectors = values[real], vectors[:, real]
    if len(values):  # the sign of a component is arbitrary: let its largest loading be positive
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(values))])
    return vectors, values


def _unscaled(encoder: Encoder, latents: np.ndarray) -> np.ndarray:
    """Z-scored (n, B, k) -> component scores (k, n, B), zero where masked."""
    scores = (latents * encoder.latent_std + encoder.latent_mean) * encoder.mask
    return np.moveaxis(scores, 2, 0).astype(np.float32)


def _likelihood(encoder: Encoder, part: slice, raw: np.ndarray) -> np.ndarray:
    """Unscaled latents (k, n, B) -> likelihood (3, n, sites of `part`), the largest of the three set to 1."""
    block = encoder.block[part]
    low, high = block[0], block[-1] + 1
    deviation = np.zeros((raw.shape[1], len(block)), np.float32)
    for k, weight in enumerate(encoder.components[part].T):
        deviation += raw[k, :, low:high][:, block - low] * weight
    mean, r2, variance = encoder.mean[part], encoder.r2[part], encoder.variance[part]
    residual = np.maximum(1 - r2, RESIDUAL_FLOOR) * variance
    precision = np.divide(1, residual, out=np.zeros_like(residual), where=residual > 0)  # 0 at monomorphic sites
    away = np.arange(3, dtype=np.float32)[:, None] - mean
    evidence = precision * (deviation * away[:, None] - (r2 * away**2 / 2)[:, None])
    evidence -= evidence.max(0)
    return np.exp(evidence, out=evidence)


def _with_fitted_prior(encoder: Encoder, dosages: np.ndarray | DosageColumns) -> Encoder:
    """Scale the prior until the mean posterior over these samples meets their genotype frequencies."""
    latents = encode(encoder, dosages)
    raw = _unscaled(encoder, latents)
    half_sample = np.float32(0.5 / len(dosages))  # no chase after genotypes rarer than so many samples can show
    prior = encoder.prior.copy()
    step = max(1, min(VARIANT_CHUNK, 500_000 // len(dosages)))
    for start in range(0, len(encoder.block), step):
        part = slice(start, start + step)
        likelihood = _likelihood(encoder, part, raw)
        target, q = encoder.genotype_frequency[part], encoder.prior[part]
        for _ in range(PRIOR_ROUNDS):
            total = np.maximum(np.einsum("gns,sg->ns", likelihood, q), TINY)
            mean_posterior = q * np.einsum("gns,ns->sg", likelihood, 1 / total) / len(dosages)
            q = q * (target + half_sample) / (mean_posterior + half_sample)
            q /= q.sum(1, keepdims=True)
        prior[part] = q
    return replace(encoder, prior=prior)
