"""Two servers on one PostgreSQL, each with doors of its own: what one changes, the doors of the other hear of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.doors.place import refusal, until
from tests.doors.test_doors_life import sample
from tests.server import running

if TYPE_CHECKING:
    import pytest


def test_a_key_that_another_server_regenerated_soon_opens_nothing_here(
    tmp_path: Path, postgres_url: str, trusted: pytest.MonkeyPatch, blobs: str
) -> None:
    url = postgres_url.replace("+psycopg", "")
    shared = {"LINARITE_DATABASE": url, "LINARITE_ROOT_KEY": f"file:{tmp_path / 'root.key'}"}
    with (
        running(tmp_path / "one", **shared) as one,
        running(tmp_path / "two", **shared) as two,
        sample(one, trusted) as there,
        sample(two, trusted) as here,
    ):
        both = tmp_path / "both.pem"
        both.write_text("\n".join(Path(server.known["caBundle"]).read_text() for server in (one, two)))
        trusted.setenv("REQUESTS_CA_BUNDLE", str(both))
        old = here.storage_keys()[0]
        client = here.blobs(old)
        client.get_account_information()

        new = there.regenerate_storage()

        def is_refused() -> bool:
            try:
                client.get_account_information()
            except Exception:  # noqa: BLE001 - looked at below
                return True
            return False

        until(is_refused, "the other server's door still takes the old key")
        assert refusal(client.get_account_information) == (403, "AuthenticationFailed")
        here.blobs(new).get_account_information()
