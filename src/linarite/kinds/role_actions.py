"""Which actions a custom role may name.

Azure refuses what none of its providers knows. Here, where one knows the types that are served, an action on such a
type has to be one that the type has in Azure; what is said of other types, and with `*`, is taken as it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.errors import BadRequest
from linarite.kinds.provider_operations import operations_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.kind import Kind

_FORM = re.compile(r"\*|(?:[\w.-]+|\*)(?:/[\w.*-]+)*/(?:read|write|delete|action|\*)", re.ASCII | re.IGNORECASE)

_DATA = re.compile(
    r"microsoft\.storage/storageaccounts/(blobservices/containers/blobs|queueservices/queues/messages"
    r"|tableservices/tables/entities|fileservices/fileshares/files)/.+"
    r"|microsoft\.keyvault/vaults/(secrets|keys|certificates|certificatecas|certificatecontacts)/.+",
    re.IGNORECASE,
)
"""Operations on data, of the namespaces that have some (Microsoft's "Azure permissions" for storage and security)."""

_BOTH = re.compile(r"microsoft\.keyvault/vaults/(secrets|keys)/(read|write)", re.IGNORECASE)
"""Looks like one on data, and is there for the control plane too."""

_NOT_SERVED = {
    "Microsoft.MachineLearningServices/workspaces": "provisionManagedNetwork privateEndpointConnectionsApproval",
    "Microsoft.Storage/storageAccounts": (
        "ListAccountSas ListServiceSas failover restoreBlobRanges revokeUserDelegationKeys hnsonmigration "
        "PrivateEndpointConnectionsApproval joinPerimeter"
    ),
    "Microsoft.Storage/storageAccounts/blobServices": "generateUserDelegationKey",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "clearLegalHold setLegalHold lease migrate",
    "Microsoft.ContainerRegistry/registries": (
        "generateCredentials importImage scheduleRun listBuildSourceUploadUrl privateEndpointConnectionsApproval"
    ),
    "Microsoft.KeyVault/vaults": "deploy privateEndpointConnectionsApproval joinPerimeter",
    "Microsoft.OperationalInsights/workspaces": "search purge generateServiceKey regenerateSharedKey listKeys",
    "Microsoft.Insights/components": "purge move",
    "Microsoft.Resources/subscriptions/resourceGroups": "moveResources validateMoveResources",
}
"""Actions that Azure has on types that are served, and that nothing answers to here."""


def require(kinds: Iterable[Kind], action: str, *, data: bool) -> None:
    """Refuse an action that there cannot be; `data` says that it is a data action.

    Raises:
        BadRequest: `InvalidActionOrNotAction`, naming it.
    """
    if _FORM.fullmatch(action) is None or not ("*" in action or _is_known(kinds, action, data=data)):
        raise BadRequest(
            "InvalidActionOrNotAction", f"'{action}' does not match any of the actions supported by the providers."
        )


def _is_known(kinds: Iterable[Kind], action: str, *, data: bool) -> bool:
    if _DATA.fullmatch(action) and not _BOTH.fullmatch(action):
        return data
    type_, _, word = action.rpartition("/")
    if word.lower() == "action":
        type_ = type_.rpartition("/")[0]
    kind = next((one for one in kinds if one.permission_type.lower() == type_.lower()), None)
    if kind is None:
        return True
    more = (f"{kind.permission_type}/{name}/action" for name in _NOT_SERVED.get(kind.permission_type, "").split())
    known = {name.lower() for name in (*operations_on(kind), *more)}
    return not data and action.lower() in known
