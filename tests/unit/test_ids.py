"""Resource ids: what a path names, in any case and spelling, and that no path of any kind breaks the reading."""

from __future__ import annotations

import contextlib
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.errors import BadRequest
from linarite.ids import (
    GROUP,
    LONGEST_PATH,
    LONGEST_SEGMENT,
    ROOT,
    SUBSCRIPTION,
    ResourceId,
    is_guid,
    parse,
    parse_id,
    scope_of,
)

GUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
HOME = ROOT.child(SUBSCRIPTION, GUID)
TEAM = HOME.child(GROUP, "testrg123")
WORKSPACE = TEAM.child("Microsoft.MachineLearningServices/workspaces", "workspaces123")
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"


SEGMENTS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\x7f\ufffd", exclude_categories=["Cc"]), min_size=1, max_size=20
)
"""What may stand between two slashes: anything that can be written but control characters."""

ASCII = st.text(string.ascii_letters + string.digits + "-_.()", min_size=1, max_size=20)


def types(words: st.SearchStrategy[str] = SEGMENTS, *, below: str = "") -> st.SearchStrategy[str]:
    """Full types: a namespace and a word, or with `below` a word more than that one has."""
    last = words.filter(lambda text: text.lower() != "providers")
    return st.builds("{}/{}".format, st.just(below) if below else words, last)


@st.composite
def resource_ids(draw: st.DrawFn, words: st.SearchStrategy[str] = SEGMENTS) -> ResourceId:
    """An id at the tenant, in a subscription or in a group, up to two levels and an extension deep."""
    id_ = ROOT
    if draw(st.booleans()):
        id_ = id_.child(SUBSCRIPTION, str(draw(st.uuids())))
        if draw(st.booleans()):
            id_ = id_.child(GROUP, draw(words))
    for _ in range(draw(st.integers(0 if id_ is not ROOT else 1, 2))):
        id_ = id_.child(draw(types(words)), draw(words))
        for _ in range(draw(st.integers(0, 2))):
            id_ = id_.child(draw(types(words, below=id_.type)), draw(words))
    return id_


def same(one: ResourceId | None, other: ResourceId | None) -> bool:
    """Whether two ids agree in every part, spelling included, and so do all the scopes above them."""
    while one is not None and other is not None:
        if (one.type, one.name, one.text, one.key) != (other.type, other.name, other.text, other.key):
            return False
        one, other = one.parent, other.parent
    return one is other is None


# ── there and back ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(resource_ids())
def test_an_id_is_read_as_it_was_written(id_: ResourceId) -> None:
    address = parse(id_.text)
    assert (address.provider, address.tail) == (None, None)
    assert same(address.scope, id_)
    assert same(parse_id(id_.text), id_)


@given(resource_ids(), st.data())
def test_a_child_is_read_as_the_child_of_its_parent(parent: ResourceId, data: st.DataObject) -> None:
    continues = parent.type not in {"", SUBSCRIPTION, GROUP} and data.draw(st.booleans())
    type_ = data.draw(types(below=parent.type) if continues else types())
    child = parent.child(type_, data.draw(SEGMENTS))
    found = parse(child.text).scope
    assert same(found, child)
    assert same(found.parent, parent)


@given(resource_ids(), st.sampled_from(["", "/listKeys", "/providers/Microsoft.X/ys"]))
def test_an_id_that_a_path_named_is_the_id_of_its_text(id_: ResourceId, end: str) -> None:
    named = parse(id_.text + end).scope
    assert scope_of(named.text) is named
    assert same(parse(named.text).scope, named)


@given(resource_ids(), st.sampled_from(["", "/", "//", "///"]))
def test_slashes_that_are_doubled_or_trail_count_once(id_: ResourceId, end: str) -> None:
    assert same(parse(id_.text.replace("/", "//") + end).scope, id_)


@given(resource_ids(words=ASCII))
def test_an_id_is_the_same_in_any_case(id_: ResourceId) -> None:
    for spelling in (id_.text.upper(), id_.text.lower(), id_.text.swapcase()):
        assert parse(spelling).scope.key == id_.key


@given(resource_ids())
def test_a_key_is_the_key_of_itself(id_: ResourceId) -> None:
    assert parse(id_.key).scope.key == id_.key


@given(resource_ids())
def test_every_scope_is_above_what_it_holds(id_: ResourceId) -> None:
    scopes = list(id_.scopes())
    assert scopes[0] is id_
    assert scopes[-1] is ROOT
    for inner, outer in pairwise(scopes):
        assert inner.parent is outer
        assert inner.key.startswith(outer.key.rstrip("/") + "/")


def test_ids_are_equal_when_their_keys_are() -> None:
    assert parse(TEAM.text.upper()).scope == TEAM


def test_the_words_of_the_platform_are_written_as_azure_writes_them() -> None:
    found = parse(f"/SUBSCRIPTIONS/{GUID}/RESOURCEGROUPS/MyGroup/PROVIDERS/Microsoft.X/Things/A").scope
    assert found.text == f"/subscriptions/{GUID}/resourceGroups/MyGroup/providers/Microsoft.X/Things/A"


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_id_knows_its_subscription_its_group_and_its_namespace() -> None:
    compute = WORKSPACE.child(f"{WORKSPACE.type}/computes", "cpu")
    assert (compute.subscription, compute.group) == (GUID, "testrg123")
    assert compute.namespace == "Microsoft.MachineLearningServices"
    assert compute.within(WORKSPACE.type.upper()) is WORKSPACE
    assert HOME.group is None
    assert ROOT.subscription is None
    assert compute.text == f"{WORKSPACE.text}/computes/cpu"


def test_an_extension_stands_behind_a_providers_of_its_own() -> None:
    assert WORKSPACE.child(ASSIGNMENT, "a").text == f"{WORKSPACE.text}/providers/{ASSIGNMENT}/a"
    assert ROOT.child(ASSIGNMENT, "a").text == f"/providers/{ASSIGNMENT}/a"


def test_a_type_that_only_begins_alike_is_no_child_type() -> None:
    other = WORKSPACE.child(f"{WORKSPACE.type}Old/things", "a")
    assert other.text == f"{WORKSPACE.text}/providers/{WORKSPACE.type}Old/things/a"


def test_a_type_may_be_called_providers() -> None:
    odd = TEAM.child("Microsoft.X/providers", "a")
    assert same(parse(odd.text).scope, odd)


def test_a_resource_may_be_called_providers() -> None:
    named = TEAM.child("Microsoft.X/things", "providers")
    assert same(parse(named.text).scope, named)
    below = named.child("Microsoft.X/things/parts", "a")
    assert same(parse(below.text).scope, below)


@pytest.mark.parametrize(
    ("path", "scope", "provider", "tail"),
    [
        ("/", ROOT, None, None),
        ("", ROOT, None, None),
        ("/subscriptions", ROOT, None, "subscriptions"),
        ("/providers", ROOT, None, "providers"),
        ("/providers/Microsoft.X", ROOT, "Microsoft.X", None),
        ("/providers/Microsoft.X/operations", ROOT, "Microsoft.X", "operations"),
        (HOME.text, HOME, None, None),
        (f"{HOME.text}/resourcegroups", HOME, None, "resourcegroups"),
        (f"{HOME.text}/providers/Microsoft.X/register", HOME, "Microsoft.X", "register"),
        (f"{TEAM.text}/resources", TEAM, None, "resources"),
        (f"{TEAM.text}/providers/Microsoft.X/things", TEAM, "Microsoft.X", "things"),
        (f"{WORKSPACE.text}/listKeys", WORKSPACE, None, "listKeys"),
        (f"{WORKSPACE.text}/providers/{ASSIGNMENT}", WORKSPACE, "Microsoft.Authorization", "roleAssignments"),
    ],
)
def test_a_path_names_a_scope_and_perhaps_a_word_more(
    path: str, scope: ResourceId, provider: str | None, tail: str | None
) -> None:
    address = parse(path)
    assert same(address.scope, scope)
    assert (address.provider, address.tail) == (provider, tail)


# ── what is no id ───────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["/", "providers", "subscriptions", GUID, "a", "A"])).map("".join)
)
def test_no_text_breaks_the_reading(text: str) -> None:
    with contextlib.suppress(BadRequest):
        scope = parse(text).scope
        assert scope.key == scope.text.lower()
        assert same(parse(scope.text).scope, scope)
    found = parse_id(text)
    assert found is None or text.startswith("/")


@pytest.mark.parametrize("character", ["\x00", "\n", "\x1f", "\x7f", "\ufffd", "\ud800"], ids=ascii)  # noqa: PT014 - a lone surrogate is another
def test_a_character_that_no_name_has_is_refused(character: str) -> None:
    with pytest.raises(BadRequest, match="InvalidRequestUri"):
        parse(f"{TEAM.text}/providers/Microsoft.X/things/a{character}b")


def test_what_is_too_long_is_refused() -> None:
    longest = f"{TEAM.text}/providers/Microsoft.X/things/{'a' * LONGEST_SEGMENT}"
    assert len(parse(longest).scope.name) == LONGEST_SEGMENT
    for path in (f"{longest}a", "/a" * (LONGEST_PATH // 2) + "/"):
        with pytest.raises(BadRequest, match="InvalidRequestUri"):
            parse(path)


@pytest.mark.parametrize("subscription", ["s", GUID[1:], GUID + "0", GUID.replace("-", ""), f"{{{GUID}}}", " " + GUID])
def test_a_subscription_is_a_guid(subscription: str) -> None:
    assert not is_guid(subscription)
    with pytest.raises(BadRequest, match="InvalidSubscriptionId"):
        parse(f"/subscriptions/{subscription}")
    assert parse_id(f"/subscriptions/{subscription}/resourceGroups/g") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "st1",
        f"subscriptions/{GUID}",
        f"{TEAM.text}/providers",
        f"{TEAM.text}/providers/Microsoft.X",
        f"{WORKSPACE.text}/listKeys",
    ],
)
def test_what_names_no_resource_is_no_id(text: str) -> None:
    assert parse_id(text) is None
