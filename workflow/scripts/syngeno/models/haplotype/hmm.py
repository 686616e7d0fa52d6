"""Descent from founders as a hidden Markov chain along one chromosome: probabilities of sequences, and draws.

Before a segment b of a few variants a sequence leaves founder k with probability leave[b, k] and takes one by the
probabilities arrive[g, b, k] of its group g; at the chromosome's start it takes one anyway. Given the founder, variants
are independent, each with the founder's own symbol probabilities. How founders are learnt: founders.py. All arguments
lie on the device of the founders, a GPU or not, and so does what is returned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

# Bytes of an array of founder probabilities: more leaves a processor's cache, less leaves a GPU idle.
HELD = {"cpu": 1 << 25, "cuda": 1 << 30}
# Of those behind draws: many small steps, whose calls cost a processor more than a full cache does.
HELD_DRAWING = {"cpu": 1 << 27, "cuda": 1 << 30}
# Numbers that a step along the chromosome works on at least: with fewer, calls take the most of the time. So more is
# held, but no more than so many times as much.
STEP, MORE = 1 << 13, 8

LEAST = 1e-6  # probability of a symbol that no temperature takes away: single precision still knows it from 0


@dataclass(frozen=True)
class Founders:
    """Founders of one chromosome: K founders, B segments of w variants, alphabet A, G groups; all float32.

    `symbol` (B, K, A - 1, w): probabilities of the symbols 1, 2, .. (0 has the rest), w filled up in the last segment
    beyond the chromosome's `variants`; `leave` (B, K), 1 at the start; `arrive` (G, B, K).
    """

    symbol: Tensor
    leave: Tensor
    arrive: Tensor
    variants: int

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.leave.device

    def to(self, device: torch.device) -> "Founders":
        """The same on another device."""
        return Founders(*(one.to(device) for one in (self.symbol, self.leave, self.arrive)), self.variants)

    def tempered(self, temperature: float) -> "Founders":
        """The chain with each of its choices, to leave, whom to take and which symbol, by p ** (1 / temperature).

        Below 1 a sequence keeps to what is common, above 1 it errs and moves more often; 1 changes nothing.
        """
        if not temperature > 0:
            raise ValueError(f"temperature {temperature}; give a number above 0")
        if temperature == 1:
            return self
        symbol = torch.cat([1 - self.symbol.sum(2, keepdim=True), self.symbol], 2)
        symbol = _sharpened(symbol, 2, temperature).clamp_(min=LEAST)
        symbol = (symbol / symbol.sum(2, keepdim=True))[:, :, 1:].contiguous()
        leave = _sharpened(torch.stack([1 - self.leave, self.leave]), 0, temperature)[1]
        return Founders(symbol, leave, _sharpened(self.arrive, 2, temperature), self.variants)

    @cached_property
    def log_tables(self) -> tuple[Tensor, Tensor]:
        """Log odds of the symbols 1, 2, .. against 0 (B, (A - 1) w, K), and the log probability of zeros (B, K)."""
        B, K, _, width = self.symbol.shape
        none = torch.log1p(-self.symbol.sum(2))
        odds = (self.symbol.log() - none[:, :, None]).reshape(B, K, -1).transpose(1, 2)
        none[-1, :, self.variants - (B - 1) * width :] = 0  # what only fills up is a zero, surely
        return odds.contiguous(), none.sum(2)


def _sharpened(p: Tensor, dim: int, temperature: float) -> Tensor:
    """Probabilities that sum to 1 along `dim`, each to the power of 1 / temperature, made to sum to 1 again."""
    powers = p.clamp(min=0) ** (1 / temperature)
    powers /= powers.sum(dim, keepdim=True)
    return powers


def log_probability(fitted: Founders, symbols: Tensor, group: Tensor) -> Tensor:
    """Log probability of sequences int8 (v, n) with groups (n,), float64 (n,)."""
    result = torch.empty(len(group), dtype=torch.double, device=fitted.device)
    for name in group.unique().tolist():
        own = (group == name).nonzero().squeeze(1)
        result[own] = log_probabilities(fitted, symbols[:, own], [name])[:, 0]
    return result


def log_probabilities(fitted: Founders, symbols: Tensor, groups: list[int]) -> Tensor:
    """Log probability of each sequence int8 (v, n) in each of these groups, float64 (n, groups)."""
    B, K, others, width = fitted.symbol.shape
    n = symbols.shape[1]
    result = torch.empty((n, len(groups)), dtype=torch.double, device=fitted.device)
    seen = indicators(symbols, others + 1, width)
    if len(seen) != B:
        raise ValueError(f"{len(symbols)} variants for {B} segments of {width}")
    for own, _, of in batches(torch.zeros(n, dtype=torch.long, device=fitted.device), B, K):
        emission, top = emissions(fitted, seen[:, own].float())
        for column, group in enumerate(groups):
            scale = forwards(emission, fitted.leave, fitted.arrive[[group]], of)[1]
            result[own, column] = log_sums(top, scale)
    return result


def walk(fitted: Founders, group: Tensor, rng: torch.Generator) -> Tensor:
    """Draw a sequence for each group (n,): symbols int8 (variants, n)."""
    B, _, _, width = fitted.symbol.shape
    device = fitted.device
    drawn = torch.empty((B, width, len(group)), dtype=torch.int8, device=device)
    founder = torch.zeros(len(group), dtype=torch.long, device=device)
    for b in range(B):
        moves = torch.rand(len(group), generator=rng, device=device) < fitted.leave[b, founder]
        movers = moves.nonzero().squeeze(1)
        founder[movers] = _one_of(fitted.arrive[:, b], group[movers], rng)
        drawn[b] = _symbols(fitted.symbol[b], founder, rng)
    return drawn.reshape(B * width, -1)[: fitted.variants]


def complete(
    fitted: Founders, symbols: Tensor, visible: Tensor, group: Tensor, times: int, rng: torch.Generator
) -> Tensor:
    """Draw the hidden segments of sequences given the visible ones, `times` for each: int8 (v, times * n).

    `symbols` int8 (v, n), `visible` bool (B, n), `group` (n,); the draws of sequence i are the columns from
    times * i on. Exact: what comes after a segment is summed up backwards, founders are then drawn forwards.
    """
    B, K, others, width = fitted.symbol.shape
    n, device = len(group), fitted.device
    seen = indicators(symbols, others + 1, width)
    drawn = _segments(symbols, width).repeat_interleave(times, dim=2)
    for own, present, of in batches(group, B, K, HELD_DRAWING):
        arrive = fitted.arrive[present]
        onward = _onward(fitted, seen[:, own], visible[:, own], arrive, of)
        columns = (own[:, None] * times + torch.arange(times, device=device)).ravel()
        source = torch.arange(len(own), device=device).repeat_interleave(times)
        hidden = ~visible[:, own][:, source]
        founder = torch.zeros(len(columns), dtype=torch.long, device=device)
        for b in range(B):
            weight = onward[b]
            arriving = weight * (of @ arrive[:, b])
            at = fitted.leave[b, founder]
            stays = (1 - at) * weight[source, founder]
            threshold = torch.rand(len(columns), generator=rng, device=device)
            moves = threshold * (stays + at * arriving.sum(1)[source]) >= stays
            movers = moves.nonzero().squeeze(1)
            founder[movers] = _one_of(arriving, source[movers], rng)
            open_ = hidden[b].nonzero().squeeze(1)
            drawn[b, :, columns[open_]] = _symbols(fitted.symbol[b], founder[open_], rng)
    return drawn.reshape(B * width, times * n)[: fitted.variants]


def _onward(fitted: Founders, seen: Tensor, visible: Tensor, arrive: Tensor, of: Tensor) -> Tensor:
    """Probability of all that is visible from a segment on, given its founder (B, n, K), up to a factor for each n."""
    emission, _ = emissions(fitted, seen.float())
    emission.masked_fill_(~visible[:, :, None], 1)
    return backwards(emission, fitted.leave, arrive, of)[0]


def _one_of(weight: Tensor, rows: Tensor, rng: torch.Generator) -> Tensor:
    """A founder for each of these rows of weights (n, K), drawn in proportion: int (rows,)."""
    K = weight.shape[1]
    below = weight.double().cumsum(1)
    below /= below[:, -1:].clone()
    below += torch.arange(len(weight), device=weight.device)[:, None]  # one after the other: a single sorted search
    drawn = rows + torch.rand(len(rows), generator=rng, device=weight.device, dtype=torch.double)
    founder = torch.searchsorted(below.ravel(), drawn, right=True) - rows * K
    return founder.clamp(max=K - 1)


def _symbols(symbol: Tensor, founder: Tensor, rng: torch.Generator) -> Tensor:
    """Symbols int8 (w, n) of one segment, given its probabilities (K, A - 1, w) and each sequence's founder (n,)."""
    tails = symbol.flip(1).cumsum(1).flip(1)  # that a symbol is 1 or more, 2 or more, ..
    threshold = torch.rand((len(founder), 1, symbol.shape[2]), generator=rng, device=symbol.device)
    return (threshold < tails[founder]).sum(1, dtype=torch.int8).T


def emissions(model: Founders, seen: Tensor, barred: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Probability of each segment by founder (B, n, K), relative to the best founder's, and the log of that (B, n).

    From a founder that is `barred` to a sequence, bool (n, K), nothing of it descends.
    """
    odds, none = model.log_tables
    logs = torch.baddbmm(none[:, None], seen, odds)
    if barred is not None:
        logs[:, *barred.nonzero(as_tuple=True)] = -torch.inf
    top = logs.amax(2)
    logs -= top[:, :, None]
    return logs.exp_(), top


def forwards(emission: Tensor, leave: Tensor, arrive: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
    """Probability of each founder given the segments so far (B, n, K), of a segment given those before (B, n, 1).

    `arrive` (g, B, K) of the groups there are, `of` (n, g) 1 at each sequence's own.
    """
    found, scale = torch.empty_like(emission), torch.empty_like(emission[:, :, :1])
    torch.mm(of, arrive[:, 0], out=found[0])
    # One group is the common case on a processor, where small matrix products cost more than they compute.
    alone, before = len(arrive) == 1, None
    each = zip(found, scale, emission, leave, 1 - leave, arrive.unbind(1), strict=True)
    for now, total, own, leaves, stays, arrives in each:
        if before is not None:
            torch.mul(before, stays, out=now)
            left = before @ leaves
            now.addcmul_(left[:, None], arrives[0]) if alone else now.addmm_(of * left[:, None], arrives)
        now *= own
        torch.sum(now, 1, keepdim=True, out=total)
        now /= total
        before = now
    return found, scale


def backwards(
    emission: Tensor, leave: Tensor, arrive: Tensor, of: Tensor, scale: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Probability, given its founder, of what is seen from a segment on and of what is seen after it: (B, n, K) each.

    Divided by the scale of each segment from `forwards`, or such that the largest of a sequence is 1. The former takes
    the place of the emissions; other arguments as for `forwards`.
    """
    after, alone = torch.empty_like(emission), len(arrive) == 1
    after[-1] = 1
    each = [list(one) for one in (emission, after, leave, 1 - leave, arrive.unbind(1))]
    for b, (onward, beyond, leaves, stays, arrives) in reversed(list(enumerate(zip(*each, strict=True)))):
        onward *= beyond
        onward /= onward.amax(1, keepdim=True) if scale is None else scale[b]
        if b:
            came = onward @ arrives[0] if alone else ((onward @ arrives.T) * of).sum(1)
            torch.mul(onward, stays, out=after[b - 1]).addcmul_(came[:, None], leaves)
    return emission, after


def log_sums(top: Tensor, scale: Tensor) -> Tensor:
    """Log probability of each sequence (n,), from what `emissions` (B, n) and `forwards` (B, n, 1) say of segments."""
    return (top.double() + scale[:, :, 0].double().log()).sum(0)


def indicators(symbols: Tensor, alphabet: int, width: int) -> Tensor:
    """Which of the symbols 1, 2, .. each variant is, segment by segment: bool (B, n, (A - 1) width)."""
    filled = _segments(symbols, width).transpose(1, 2)
    others = torch.stack([filled == symbol for symbol in range(1, alphabet)], dim=2)
    return others.reshape(*filled.shape[:2], -1)


def _segments(symbols: Tensor, width: int) -> Tensor:
    """Symbols (v, n) segment by segment (B, width, n), zeros filled up in the last."""
    variants, n = symbols.shape
    return functional.pad(symbols, (0, 0, 0, -variants % width)).reshape(-1, width, n)


def batches(
    group: Tensor, steps: int, founders: int, held: dict[str, int] = HELD
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Sequences, few enough that founders' probabilities at all steps are no more than is held, or than makes steps
    worth their calls, those of a group together: which (n,), the groups there are (g,), and who is of which, (n, g).
    """
    each, most = 4 * steps * founders, held[group.device.type]
    size = max(1, most // each, min(STEP // founders, MORE * most // each))
    for own in group.argsort(stable=True).split(size):
        present, code = group[own].unique(return_inverse=True)
        yield own, present, torch.eye(len(present), device=group.device)[code]
