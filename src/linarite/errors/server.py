"""Refusals that are no fault of the request: the server, its limits, and who stands behind the gateway."""

from __future__ import annotations

from linarite.errors import BadGateway, Broken, Cut, Throttled, TimedOut, Unavailable


def internal_error(correlation: str) -> Broken:
    return Broken(
        "InternalServerError",
        f"The server encountered an internal error. Please retry the request. The correlation id is '{correlation}'.",
    )


def throttled(bucket: str, scope: str, principal: str, wait: int) -> Throttled:
    """`bucket` as in `subscription-reads`, `scope` the id of that subscription or tenant, `wait` in seconds."""
    where, _, sort = bucket.removesuffix("s").partition("-")
    message = (
        f"Number of '{sort}' requests for {where} '{scope}' actor '{principal}' exceeded. Please try again after "
        f"'{wait}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for "
        "additional information."
    )
    headers = (("retry-after", str(wait)),)
    if where == "tenant":
        return Throttled("TenantRequestsThrottled", message, headers=headers)
    return Throttled("SubscriptionRequestsThrottled", message, headers=headers)


def server_sealed() -> Unavailable:
    return Unavailable(
        "ServiceUnavailable",
        "The server is sealed: its root key is not at hand. An operator must provide the root key.",
        headers=(("retry-after", "30"),),
    )


def server_busy() -> Unavailable:
    return Unavailable(
        "ServerBusy", "The server could not record this request now. Please try again.", headers=(("retry-after", "1"),)
    )


def service_unavailable() -> Unavailable:
    return Unavailable("ServiceUnavailable", "The service is unavailable now. Please try again.")


def gateway_bad(namespace: str) -> BadGateway:
    return BadGateway("BadGateway", f"The gateway received an invalid response from '{namespace}'.")


def gateway_timed_out(namespace: str) -> TimedOut:
    return TimedOut(
        "GatewayTimeout", f"The gateway did not receive a response from '{namespace}' within the specified time period."
    )


def cut() -> Cut:
    return Cut("ConnectionCut", "The connection is cut.")
