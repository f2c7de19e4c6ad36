"""Who makes a contribution and with whom it is shared; names of any kind, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smurf_core.terms import Term, pairwise_terms, read_subset, subset_name

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4, unique=True)


@given(NAMES)
def test_names_of_any_characters_are_read_back(names):
    assert read_subset(subset_name(names), len(names)) == tuple(names)


@given(NAMES)
def test_different_subsets_of_one_size_are_written_differently(names):
    texts = [subset_name(term.source) for term in pairwise_terms(names, orders=len(names))
             if term.is_unique]  # fmt: skip
    sizes = [term.order for term in pairwise_terms(names, orders=len(names)) if term.is_unique]
    assert len(set(zip(sizes, texts, strict=True))) == len(texts)


def test_a_text_of_another_size_is_refused():
    with pytest.raises(ValueError, match="2 names, not 3"):
        read_subset("A+B", 3)


def test_a_modality_called_like_an_interaction_is_no_interaction():
    terms = pairwise_terms(("A", "B", "A+B"), orders=2)
    assert Term.unique(("A+B",)) in terms
    assert Term.unique(("A", "B")) in terms
    assert Term.unique(("A+B",)) != Term.unique(("A", "B"))


def test_smurf_has_m_terms_for_each_modality_and_late_fusion_one():
    terms = pairwise_terms(("A", "B", "C"))
    assert [term.names for term in terms[:3]] == [(1, "A", "A"), (1, "A", "B"), (1, "A", "C")]
    assert len(terms) == 9
    assert [t.source for t in pairwise_terms(("A", "B"), redundant=False)] == [("A",), ("B",)]


def test_both_sides_of_a_pair_have_the_same_sharers():
    a, b = Term.shared(("A",), ("B",)), Term(("B",), (("A",), ("B",)))
    assert a.seen_from(("B",)) == b
    assert a.kind == b.kind == "redundant"
    with pytest.raises(ValueError, match="not among"):
        Term(("C",), (("A",), ("B",)))


@pytest.mark.parametrize("term", pairwise_terms(("A+B", "\\", "ü &"), orders=3))
def test_plain_data_gives_the_term_back(term):
    assert Term.from_data(term.to_data()) == term
