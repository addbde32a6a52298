"""Forms: what is read out of a body, and what is refused rather than guessed."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.errors.bodies import body_too_large
from linarite.grants import Denied
from linarite.web.forms import MEDIA_TYPE, read_form
from linarite.web.http import Request

texts = st.text(st.characters(codec="utf-8"))


def sent(body: bytes, media_type: str = MEDIA_TYPE) -> Request:
    return Request("POST", "/", "", {"content-type": media_type}, body, "127.0.0.1", "https://localhost")


def refused(request: Request) -> Denied:
    with pytest.raises(Denied) as caught:
        read_form(request)
    return caught.value


@given(st.dictionaries(texts.filter(bool), texts, max_size=100))
def test_what_a_client_encodes_comes_back(values: dict[str, str]) -> None:
    assert read_form(sent(urlencode(values).encode())).values == values


@given(st.binary())
def test_any_body_is_a_form_or_a_refusal(body: bytes) -> None:
    try:
        form = read_form(sent(body))
    except Denied as denied:
        assert denied.number in {9002313, 9000411}  # noqa: PT017
    else:
        assert all(isinstance(value, str) for value in form.values.values())


@given(
    st.dictionaries(texts.filter(bool), texts, min_size=1, max_size=5).flatmap(
        lambda values: st.tuples(st.just(values), st.sampled_from(sorted(values)), texts)
    )
)
def test_a_parameter_that_is_given_twice_is_refused_by_name(given: tuple[dict[str, str], str, str]) -> None:
    values, name, other = given
    denied = refused(sent(f"{urlencode(values)}&{urlencode({name: other})}".encode()))
    assert (denied.error, denied.number) == ("invalid_request", 9000411)


def test_the_refusal_of_a_double_is_entras_sentence() -> None:
    said = refused(sent(b"scope=a&scope=a")).message
    assert said == "The request is not properly formatted. The parameter 'scope' is duplicated."


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff=a", b"a=%C3%28", "&".join(f"p{n}=1" for n in range(101)).encode()])
def test_what_is_no_form_in_utf_8_is_refused_without_repeating_it(body: bytes) -> None:
    denied = refused(sent(body))
    assert (denied.number, denied.status) == (9002313, 400)
    assert denied.__cause__ is None
    assert denied.__suppress_context__


def test_an_empty_value_is_kept() -> None:
    assert read_form(sent(b"scope=&client_id=x")).values == {"scope": "", "client_id": "x"}


@pytest.mark.parametrize("media_type", [MEDIA_TYPE, f"{MEDIA_TYPE}; charset=utf-8", MEDIA_TYPE.upper()])
def test_the_media_type_counts_in_any_case_and_with_parameters(media_type: str) -> None:
    assert read_form(sent(b"a=b", media_type)).get("a") == "b"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
def test_a_body_of_another_media_type_has_no_parameters(media_type: str) -> None:
    assert read_form(sent(b"grant_type=client_credentials", media_type)).values == {}


def test_a_body_over_the_limit_is_refused() -> None:
    request = Request(
        "POST", "/", "", {"content-type": MEDIA_TYPE}, b"", "127.0.0.1", "https://localhost", refusal=body_too_large(10)
    )
    denied = refused(request)
    assert (denied.number, denied.status) == (9002313, 413)
    assert "10 bytes" in denied.message
