import pytest

from syngeno import streams


def test_no_two_streams_draw_the_same_numbers():
    assert len(set(streams.NUMBERS.values())) == len(streams.NUMBERS)


def test_a_stream_follows_from_seed_and_parts():
    same, other = (streams.rng("markov_sampling", 1, part).random() for part in (2, 3))
    assert streams.rng("markov_sampling", 1, 2).random() == same != other


def test_an_unknown_stream():
    with pytest.raises(ValueError, match="no stream of random numbers 'none'"):
        streams.rng("none", 1)
