"""Names, tags and digests: what the specification's grammar allows, and nothing else."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.doors.registry import names
from linarite.doors.registry.refused import Refused

# The expressions of the specification, section Pulling manifests.
REPOSITORY = re.compile(
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
)
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
NEARLY_A_NAME = st.text(alphabet="ab0._-/:@ A\n\x00\u00e4", max_size=30)


def accepts(parse: object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except Refused:
        return False
    return True


@given(NEARLY_A_NAME)
def test_a_repository_is_what_the_specification_says(text: str) -> None:
    assert accepts(names.repository, text) == bool(REPOSITORY.fullmatch(text))


@given(NEARLY_A_NAME)
def test_a_tag_is_what_the_specification_says(text: str) -> None:
    assert accepts(names.tag, text) == bool(TAG.fullmatch(text))


@given(st.from_regex(REPOSITORY, fullmatch=True))
def test_every_name_of_the_grammar_up_to_255_characters_is_a_repository(text: str) -> None:
    assert accepts(names.repository, text) == (len(text) <= 255)


@pytest.mark.parametrize("text", ["a" * 255, "a/" * 127 + "a", "a__b", "a---b", "0.1", "a.b_c__d-e/f"])
def test_names_at_the_edge_of_the_grammar_are_repositories(text: str) -> None:
    assert names.repository(text) == text


@pytest.mark.parametrize("text", ["", "a" * 256, "a___b", "a..b", "a._b", "a\n", "a//b", "/a", "a/", "-a", "a-", "A"])
def test_names_over_the_edge_of_the_grammar_are_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        names.repository(text)
    assert [fault.code for fault in refusal.value.faults] == ["NAME_INVALID"]


def test_a_name_made_to_take_long_does_not() -> None:
    assert not accepts(names.repository, "a-" * 127 + "!")
    assert not accepts(names.repository, "-" * 255)


@given(st.sampled_from(["sha256", "sha512"]), st.text(alphabet=string.hexdigits + "xyz", max_size=130))
def test_a_digest_has_the_length_of_its_algorithm_in_lower_case(algorithm: str, digits: str) -> None:
    length = {"sha256": 64, "sha512": 128}[algorithm]
    good = len(digits) == length and set(digits) <= set("0123456789abcdef")
    assert (names.find_digest(f"{algorithm}:{digits}") is not None) == good


@given(st.binary(max_size=100), st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_content_is_a_digest(content: bytes, algorithm: str) -> None:
    digest = names.digest_of(content, algorithm)
    assert names.digest(digest) == digest
    assert names.algorithm(digest) == algorithm
    assert f"{algorithm}:{names.hexadecimal(digest)}" == digest


@pytest.mark.parametrize("value", [None, 5, b"sha256:", ["sha256"], {}, "sha256:" + "0" * 64 + "\n"])
def test_what_is_no_text_or_no_digest_is_none(value: object) -> None:
    assert names.find_digest(value) is None


@pytest.mark.parametrize(("text", "code"), [("a:b", "DIGEST_INVALID"), (".a", "TAG_INVALID"), ("", "TAG_INVALID")])
def test_a_reference_is_refused_as_what_it_was_meant_to_be(text: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        names.reference(text)
    assert refusal.value.faults[0].code == code


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("sampleregistry", True), ("a1-20260102", True), ("A1", False), ("..", False), ("a/b", False), ("", False)],
)
def test_a_place_has_small_letters_digits_and_hyphens(text: str, is_one: bool) -> None:  # noqa: FBT001 - a column of the table
    assert names.is_place(text) == is_one
