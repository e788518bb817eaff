"""How sure it says it is, and who follows the likeliest: told by cases that were held back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from laporhub.classifiers.calibration import certain, otherwise
from laporhub.classifiers.linear import AS_SAID, corrected

ODDS = st.lists(st.tuples(st.floats(1e-6, 1), st.floats(0.2, 5)), min_size=2, max_size=6)


def saying(*shares: float, times: int) -> NDArray[np.float64]:
    return np.tile(np.array(shares), (times, 1))


@given(ODDS, st.tuples(st.floats(0.1, 5), st.floats(-5, 5)))
def test_what_is_corrected_sums_up_to_one_and_keeps_its_likeliest(
    odds: list[tuple[float, float]], certainty: tuple[float, float]
) -> None:
    shares, others = np.array(odds).T
    shares = shares / shares.sum()
    found = corrected(shares, certainty, others)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == shares.argmax()
    rest = np.delete(np.arange(len(odds)), shares.argmax())
    expected = (shares * others)[rest]
    assert found[rest] * expected.sum() == pytest.approx(expected * found[rest].sum())


@given(ODDS)
def test_nothing_is_corrected_where_it_is_as_said(odds: list[tuple[float, float]]) -> None:
    shares = np.array([odd for odd, _ in odds])
    shares /= shares.sum()
    assert corrected(shares, AS_SAID, np.ones(len(shares))) == pytest.approx(shares)


def test_who_is_right_where_the_likeliest_is_wrong_follows_it() -> None:
    """The third label is the one that people use for what they do not know better."""
    shares, right = saying(0.7, 0.2, 0.1, times=200), np.repeat([0, 1, 2], [150, 10, 40])
    others = otherwise(shares, right)
    found = corrected(shares[0], certain(shares, right), others)
    assert found[2] > found[1]
    assert found[0] == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("cases", [0, 1, 3])
def test_few_cases_change_little(cases: int) -> None:
    others = otherwise(saying(0.7, 0.2, 0.1, times=cases), np.full(cases, 2))
    assert others == pytest.approx(np.ones(3), rel=0.3)


def test_what_never_was_likely_can_still_be_right() -> None:
    others = otherwise(saying(1.0, 0.0, 0.0, times=50), np.repeat([1, 2], [40, 10]))
    assert np.isfinite(others).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_likeliest_label_where_it_is_right_teaches_nothing_of_the_others(
    said: list[tuple[int, int]],
) -> None:
    first, right = np.array(said).T
    shares = np.full((len(said), 4), 0.1)
    shares[np.arange(len(said)), first] = 0.7
    wrong = first != right
    assert otherwise(shares, right) == pytest.approx(otherwise(shares[wrong], right[wrong]), rel=1e-3)
