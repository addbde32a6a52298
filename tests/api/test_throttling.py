"""Azure's token buckets: full at first, one token a request, 429 in Azure's words when empty, back with time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from linarite.errors import Throttled
from linarite.model import Deed
from linarite.throttle import REFILL, SIZES, Buckets
from tests.api.on_disk import new_entries
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("throttle") / "data", "--no-doors", LINARITE_THROTTLE="true") as server:
        yield server


@pytest.mark.parametrize("whose", ["subscription", "tenant"])
@pytest.mark.parametrize("sort", SIZES)
def test_a_bucket_is_emptied_and_comes_back_with_time(whose: str, sort: str) -> None:
    buckets, bucket = Buckets(enforced=True), f"{whose}-{sort}"
    left = [buckets.take(bucket, "s", "p", NOW) for _ in range(SIZES[sort])]
    assert left == list(range(SIZES[sort] - 1, -1, -1))
    with pytest.raises(Throttled, match=f"requests for {whose} 'S' actor 'p' exceeded"):
        buckets.take(bucket, "S", "p", NOW)
    assert buckets.take(bucket, "s", "another", NOW) == SIZES[sort] - 1
    assert buckets.take(bucket, "another", "p", NOW) == SIZES[sort] - 1
    assert buckets.take(bucket, "s", "p", NOW + timedelta(seconds=2)) == 2 * REFILL[sort] - 1
    assert buckets.take(bucket, "s", "p", NOW + timedelta(hours=1)) == SIZES[sort] - 1


def test_what_is_throttled_says_when_there_is_a_token_again() -> None:
    buckets = Buckets(enforced=True)
    for _ in range(SIZES["deletes"]):
        buckets.take("subscription-deletes", "s", "p", NOW)
    with pytest.raises(Throttled) as caught:
        buckets.take("subscription-deletes", "s", "p", NOW + timedelta(milliseconds=50))
    assert caught.value.headers == (("retry-after", "1"),)


def test_the_header_counts_down_and_the_empty_bucket_is_refused_in_azures_words(server: Server) -> None:
    owner = server.owner()
    header = "x-ms-ratelimit-remaining-subscription-writes"
    first = owner.post(f"{server.workspace}/listKeys")
    second = owner.post(f"{server.workspace}/listKeys")
    assert int(second.headers[header]) <= int(first.headers[header])
    for _ in range(2 * SIZES["writes"]):
        answer, entries = new_entries(server, lambda: owner.post(f"{server.workspace}/listKeys"))
        if answer.status_code != 200:
            break
    assert answer.status_code == 429
    error = answer.json()["error"]
    assert error["code"] == "SubscriptionRequestsThrottled"
    assert error["message"].startswith(
        f"Number of 'write' requests for subscription '{server.known['subscriptionId']}' actor '"
    )
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers[header] == "0"
    assert [(one.deed, one.code) for one in entries] == [(Deed.REFUSAL, error["code"])]
    assert owner.get(server.workspace).status_code == 200
