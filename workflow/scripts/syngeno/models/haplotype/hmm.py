"""Descent from ancestral haplotype clusters as a hidden Markov chain along one chromosome: probabilities, and draws.

After fastPHASE (Scheet and Stephens, Am J Hum Genet 2006), with the state, one of K clusters, constant along a segment
b of a few variants. Given the cluster k, variants are independent, and symbol a at variant v has probability

    theta[b, k, v, a]   (an allele of a haplotype, or a dosage).

Before a segment a sequence switches with a probability s[b, k] of the cluster that it leaves, 1 at the chromosome's
start, and takes a cluster by the weights w[g, b, k] of its group g:

    p(k at b | j at b - 1) = (1 - s[b, j]) [k = j] + s[b, j] w[g, b, k].

With the emission e_b(k), the product of theta over a segment's variants, its likelihood is the sum over all paths, by

    f_b(k) = e_b(k) { (1 - s[b, k]) f_b-1(k) + w[g, b, k] sum_j s[b, j] f_b-1(j) },    f_1(k) = e_1(k) w[g, 1, k],

at a cost of K, not K^2, a segment. How clusters are learnt: clusters.py. All arguments lie on the device of the
clusters, a GPU or not, and so does what is returned. What is here runs on a GPU; a processor runs loops.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype import segments

# Bytes of an array of cluster probabilities: more leaves a processor's cache, less leaves a GPU idle.
HELD = {"cpu": 1 << 25, "cuda": 1 << 30}
# Of those behind draws: many small steps, whose calls cost a processor more than a full cache does.
HELD_DRAWING = {"cpu": 1 << 27, "cuda": 1 << 30}
# Numbers that a step works on at least, lest calls take most of the time; up to so many times as much is held for it.
STEP, MORE = 1 << 13, 8
LEAST = 1e-6  # probability of a symbol that no temperature takes away: single precision still distinguishes it from 0


@dataclass(frozen=True)
class Clusters:
    """Ancestral haplotype clusters of one chromosome: K clusters, B segments of up to w variants, alphabet A, G groups.

    Attributes (float32):
        symbol: (B, K, A - 1, w), probabilities of the symbols 1, 2, .. (0 has the rest), w filled up beyond a
            segment's variants.
        switch: (B, K), probability to switch from a cluster before a segment, 1 at the start.
        weight: (G, B, K), the weights by which those who switch take a cluster.
        edges: int64 (B + 1,), the first variant of each segment, and the end (see segments.py).
    """

    symbol: Tensor
    switch: Tensor
    weight: Tensor
    edges: np.ndarray

    @property
    def variants(self) -> int:
        """How many there are."""
        return int(self.edges[-1])

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.switch.device

    def to(self, device: torch.device) -> "Clusters":
        """The same on another device."""
        return Clusters(*(part.to(device) for part in (self.symbol, self.switch, self.weight)), self.edges)

    def tempered(self, temperature: float) -> "Clusters":
        """The chain with each of its choices, to switch, which cluster and which symbol, by p ** (1 / temperature)."""
        if temperature == 1:
            return self
        symbol = torch.cat([1 - self.symbol.sum(2, keepdim=True), self.symbol], 2)
        symbol = _sharpened(symbol, 2, temperature).clamp_(min=LEAST)
        symbol = (symbol / symbol.sum(2, keepdim=True))[:, :, 1:].contiguous()
        switch = _sharpened(torch.stack([1 - self.switch, self.switch]), 0, temperature)[1]
        return Clusters(symbol, switch, _sharpened(self.weight, 2, temperature), self.edges)

    def carried(self, symbols: Tensor) -> Tensor:
        """Indicators of sequences (v, n), bool (B, n, (A - 1) w); ValueError for another number of variants."""
        if len(symbols) != self.variants:
            raise ValueError(f"{len(symbols)} variants for {self.variants}")
        return indicators(symbols, self.symbol.shape[2] + 1, self.edges)

    @cached_property
    def log_tables(self) -> tuple[Tensor, Tensor]:
        """Log odds of the symbols 1, 2, .. against 0 (B, (A - 1) w, K), and the log probability of zeros (B, K)."""
        B, K = self.symbol.shape[:2]
        zeros = torch.log1p(-self.symbol.sum(2))
        odds = (self.symbol.log() - zeros[:, :, None]).reshape(B, K, -1).transpose(1, 2)
        zeros.transpose(1, 2)[~segments.held(self.edges, self.device)] = 0  # what only fills up is a zero, surely
        return odds.contiguous(), zeros.sum(2)


def compiled(device: torch.device) -> bool:
    """Whether loops.py runs what is asked for there; numba need not be installed beside a GPU."""
    return device.type == "cpu" and find_spec("numba") is not None


def states(n: int, rng: torch.Generator) -> np.ndarray:
    """Random states for n sequences, uint64 (n,)."""
    return torch.randint(2**63 - 1, (n,), generator=rng).numpy().astype(np.uint64)


def _sharpened(p: Tensor, dim: int, temperature: float) -> Tensor:
    powers = p.clamp(min=0) ** (1 / temperature)
    powers /= powers.sum(dim, keepdim=True)
    return powers


def log_probability(clusters: Clusters, symbols: Tensor, group: Tensor) -> Tensor:
    """Log probability of sequences int8 (v, n) with groups (n,), float64 (n,)."""
    result = torch.empty(len(group), dtype=torch.double, device=clusters.device)
    for name in group.unique().tolist():
        columns = (group == name).nonzero().squeeze(1)
        result[columns] = log_probabilities(clusters, symbols[:, columns], [name])[:, 0]
    return result


def log_probabilities(clusters: Clusters, symbols: Tensor, groups: list[int]) -> Tensor:
    """Log probability of each sequence int8 (v, n) in each of these groups, float64 (n, groups)."""
    (B, K), n = clusters.switch.shape, symbols.shape[1]
    result = torch.empty((n, len(groups)), dtype=torch.double, device=clusters.device)
    carried = clusters.carried(symbols)
    if compiled(clusters.device):
        from syngeno.models.haplotype import loops

        return torch.from_numpy(loops.log_probabilities(clusters, carried.numpy(), groups))
    for columns, _, of_group in batches(torch.zeros(n, dtype=torch.long, device=clusters.device), B, K):
        emission, top = emissions(clusters, carried[:, columns].float())
        for number, group in enumerate(groups):
            scale = forwards(emission, clusters.switch, clusters.weight[[group]], of_group)[1]
            result[columns, number] = log_sums(top, scale)
    return result


def walk(clusters: Clusters, group: Tensor, rng: torch.Generator) -> Tensor:
    """Draw a sequence for each group (n,): symbols int8 (variants, n)."""
    B, _, _, width = clusters.symbol.shape
    device = clusters.device
    if compiled(device):
        from syngeno.models.haplotype import loops

        return torch.from_numpy(loops.walk(clusters, group.numpy(), states(len(group), rng)).T)
    drawn = torch.empty((B, width, len(group)), dtype=torch.int8, device=device)
    state = torch.zeros(len(group), dtype=torch.long, device=device)
    for b in range(B):
        switches = torch.rand(len(group), generator=rng, device=device) < clusters.switch[b, state]
        switching = switches.nonzero().squeeze(1)
        state[switching] = _drawn_clusters(clusters.weight[:, b], group[switching], rng)
        drawn[b] = _drawn_symbols(clusters.symbol[b], state, rng)
    return segments.joined(drawn, clusters.edges)


def complete(
    clusters: Clusters, symbols: Tensor, visible: Tensor, group: Tensor, times: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw the hidden segments of sequences given the visible ones, `times` for each: int8 (v, times * n).

    `symbols` int8 (v, n), `visible` bool (B, n), `group` (n,); the draws of sequence i are the columns from
    times * i on. Exact: what comes after a segment is summed up backwards, clusters are then drawn forwards. Returns
    the clusters of all segments beside them, int16 (B, times * n).
    """
    (B, K), n, device = clusters.switch.shape, len(group), clusters.device
    carried = clusters.carried(symbols)
    if compiled(device):
        from syngeno.models.haplotype import loops

        rows = (part.T.contiguous().numpy() for part in (symbols, visible))
        found = loops.complete(clusters, carried.numpy(), *rows, group.numpy(), times, states(n, rng))
        return tuple(torch.from_numpy(part.T) for part in found)
    drawn = segments.cut(symbols, clusters.edges).repeat_interleave(times, dim=2)
    path = torch.empty((B, times * n), dtype=torch.int16, device=device)
    for own, present, of_group in batches(group, B, K, HELD_DRAWING):
        weight = clusters.weight[present]
        emission, _ = emissions(clusters, carried[:, own].float())
        emission.masked_fill_(~visible[:, own][:, :, None], 1)
        onward = backwards(emission, clusters.switch, weight, of_group)[0]
        columns = (own[:, None] * times + torch.arange(times, device=device)).ravel()
        source = torch.arange(len(own), device=device).repeat_interleave(times)
        hidden = ~visible[:, own][:, source]
        state = torch.zeros(len(columns), dtype=torch.long, device=device)
        for b in range(B):
            entering = onward[b] * (of_group @ weight[:, b])
            switch = clusters.switch[b, state]
            stays = (1 - switch) * onward[b][source, state]
            threshold = torch.rand(len(columns), generator=rng, device=device)
            switches = threshold * (stays + switch * entering.sum(1)[source]) >= stays
            switching = switches.nonzero().squeeze(1)
            state[switching] = _drawn_clusters(entering, source[switching], rng)
            path[b, columns] = state.to(torch.int16)
            open_ = hidden[b].nonzero().squeeze(1)
            drawn[b, :, columns[open_]] = _drawn_symbols(clusters.symbol[b], state[open_], rng)
    return segments.joined(drawn, clusters.edges), path


def _drawn_clusters(weight: Tensor, rows: Tensor, rng: torch.Generator) -> Tensor:
    """A cluster for each of these rows of weights (n, K), drawn in proportion: int (rows,)."""
    K = weight.shape[1]
    below = weight.double().cumsum(1)
    below /= below[:, -1:].clone()
    below += torch.arange(len(weight), device=weight.device)[:, None]  # one after the other: a single sorted search
    drawn = rows + torch.rand(len(rows), generator=rng, device=weight.device, dtype=torch.double)
    state = torch.searchsorted(below.ravel(), drawn, right=True) - rows * K
    return state.clamp(max=K - 1)


def _drawn_symbols(symbol: Tensor, state: Tensor, rng: torch.Generator) -> Tensor:
    """Symbols int8 (w, n) of one segment, given its probabilities (K, A - 1, w) and each sequence's cluster (n,)."""
    tails = symbol.flip(1).cumsum(1).flip(1)  # that a symbol is 1 or more, 2 or more, ..
    threshold = torch.rand((len(state), 1, symbol.shape[2]), generator=rng, device=symbol.device)
    return (threshold < tails[state]).sum(1, dtype=torch.int8).T


def emissions(clusters: Clusters, carried: Tensor, barred: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Probability of each segment by cluster (B, n, K), relative to the best cluster's, and the log of that (B, n).

    `carried` (B, n, (A - 1) w) are indicators, as floats. Nothing of a sequence descends from a cluster that is
    `barred` to it, bool (n, K).
    """
    odds, zeros = clusters.log_tables
    logs = torch.baddbmm(zeros[:, None], carried, odds)
    if barred is not None:
        logs[:, *barred.nonzero(as_tuple=True)] = -torch.inf
    top = logs.amax(2)
    logs -= top[:, :, None]
    return logs.exp_(), top


def forwards(emission: Tensor, switch: Tensor, weight: Tensor, of_group: Tensor) -> tuple[Tensor, Tensor]:
    """Probability of each cluster given the segments so far (B, n, K), of a segment given those before (B, n, 1).

    `weight` (g, B, K) of the groups there are, `of_group` (n, g) 1 at each sequence's own.
    """
    forward, scale = torch.empty_like(emission), torch.empty_like(emission[:, :, :1])
    torch.mm(of_group, weight[:, 0], out=forward[0])
    # One group is the common case on a processor, where small matrix products cost more than they compute.
    alone, before = len(weight) == 1, None
    each = zip(forward, scale, emission, switch, 1 - switch, weight.unbind(1), strict=True)
    for now, total, emitted, switches, stays, weights in each:
        if before is not None:
            torch.mul(before, stays, out=now)
            switched = before @ switches
            now.addcmul_(switched[:, None], weights[0]) if alone else now.addmm_(of_group * switched[:, None], weights)
        now *= emitted
        torch.sum(now, 1, keepdim=True, out=total)
        now /= total
        before = now
    return forward, scale


def backwards(
    emission: Tensor, switch: Tensor, weight: Tensor, of_group: Tensor, scale: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Probability, given its cluster, of the sequence from a segment on and of that after it: (B, n, K) each.

    Divided by the scale of each segment from `forwards`, or such that the largest of a sequence is 1. The former takes
    the place of the emissions; other arguments as for `forwards`.
    """
    after, alone = torch.empty_like(emission), len(weight) == 1
    after[-1] = 1
    each = [list(part) for part in (emission, after, switch, 1 - switch, weight.unbind(1))]
    for b, (onward, beyond, switches, stays, weights) in reversed(list(enumerate(zip(*each, strict=True)))):
        onward *= beyond
        onward /= onward.amax(1, keepdim=True) if scale is None else scale[b]
        if b:
            entered = onward @ weights[0] if alone else ((onward @ weights.T) * of_group).sum(1)
            torch.mul(onward, stays, out=after[b - 1]).addcmul_(entered[:, None], switches)
    return emission, after


def log_sums(top: Tensor, scale: Tensor) -> Tensor:
    """Log probability of each sequence (n,), from what `emissions` (B, n) and `forwards` (B, n, 1) say of segments."""
    return (top.double() + scale[:, :, 0].double().log()).sum(0)


def indicators(symbols: Tensor, alphabet: int, edges: np.ndarray) -> Tensor:
    """Which of the symbols 1, 2, .. each variant (v, n) is, segment by segment: bool (B, n, (A - 1) w)."""
    filled = segments.cut(symbols, edges).transpose(1, 2)
    others = torch.stack([filled == symbol for symbol in range(1, alphabet)], dim=2)
    return others.reshape(*filled.shape[:2], -1)


def batches(
    group: Tensor, steps: int, clusters: int, held: dict[str, int] = HELD
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Sequences, few enough that cluster probabilities at all steps are no more than is held, or than makes steps worth
    their calls, those of a group together: which (n,), the groups there are (g,), and who is of which, (n, g).
    """
    each, most = 4 * steps * clusters, held[group.device.type]
    size = max(1, most // each, min(STEP // clusters, MORE * most // each))
    for own in group.argsort(stable=True).split(size):
        present, code = group[own].unique(return_inverse=True)
        yield own, present, torch.eye(len(present), device=group.device)[code]
