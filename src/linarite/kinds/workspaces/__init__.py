"""Microsoft.MachineLearningServices/workspaces: the type that Linarite exists for.

`declared` has the versions and fields, `keys` the workspace's own copies of its neighbours' keys and what listKeys
makes of them, `notebook` the notebook behind the notebook keys, `checks` what may be created and what diagnose finds,
`network` what must be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.ids import new_guid
from linarite.kind import Action, Created, Effect, Kind, NameRule
from linarite.kinds.workspaces import checks, keys, network, notebook
from linarite.kinds.workspaces.declared import DIAGNOSE_FIELDS, FIELDS, TYPE, VERSIONS
from linarite.model import copied
from linarite.moments import written

if TYPE_CHECKING:
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    properties = draft.setdefault("properties", {})
    draft.setdefault("tags", {})
    if before is None:
        properties |= {
            "workspaceId": new_guid(work.random),
            "tenantId": work.options.tenant,
            "creationTime": written(work.now),
            "privateLinkCount": 0,
        }
    account = work.find(properties.get("storageAccount") or "")
    properties["storageHnsEnabled"] = bool(account and account.properties.get("isHnsEnabled"))


def _provision(work: Writing, workspace: Resource) -> None:
    keys.copy(work, workspace, only_changed=True)


def _present(reading: Reading, workspace: Resource, shown: Body) -> Body:
    """Add what depends on where the server stands."""
    location = workspace.location
    shown["properties"]["discoveryUrl"] = f"{reading.options.origin}/discovery"
    shown["properties"]["mlFlowTrackingUri"] = f"azureml://{location}.api.azureml.ms/mlflow/v1.0{workspace.id.text}"
    return shown


def _resync(work: Writing, workspace: Resource, _: Body) -> Any:
    keys.copy(work, workspace)


def _prepare_notebook(work: Writing, workspace: Resource, _: Body) -> Any:
    info = notebook.prepare(work, workspace)
    body = copied(workspace.body)
    body["properties"]["notebookInfo"] = info
    work.amend(workspace, body)
    return info


WORKSPACES = Kind(
    type=TYPE,
    versions=VERSIONS,
    fields=FIELDS,
    name=NameRule(
        r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}",
        "Workspace names are 3 to 33 characters long: letters, digits, '-' and '_', with a letter or digit first.",
    ),
    speaks="workspaces",
    put=Created(new=200, again=200, long=True, patch_long_since="2022-05-01"),
    delete_long=True,
    soft_delete=True,
    progress="workspaceOperationsStatus",
    page_parameter="$skip",
    prepare=_prepare,
    check=checks.check,
    provision=_provision,
    present=_present,
    actions=(
        Action(name="listKeys", effect=Effect.RELEASE, run=keys.list_keys),
        Action(name="listStorageAccountKeys", effect=Effect.RELEASE, run=keys.list_storage_account_keys),
        Action(
            name="listNotebookKeys",
            effect=Effect.RELEASE,
            run=notebook.list_keys,
            permission="listNotebookKeys/read",
        ),
        Action(
            name="listNotebookAccessToken",
            effect=Effect.RELEASE,
            run=notebook.list_access_token,
            permission="listNotebookAccessToken/read",
            repeatable=False,
        ),
        Action(
            name="resyncKeys",
            effect=Effect.LONG,
            run=_resync,
            permission="resynckeys/action",
            long_since="2021-01-01",
        ),
        Action(name="prepareNotebook", effect=Effect.LONG, run=_prepare_notebook),
        Action(
            name="diagnose",
            effect=Effect.LONG,
            run=checks.diagnose,
            permission="diagnose/read",
            fields=DIAGNOSE_FIELDS,
            location_only=True,
        ),
        Action(
            name="outboundNetworkDependenciesEndpoints",
            effect=Effect.READ,
            run=network.outbound_endpoints,
            permission="outboundNetworkDependenciesEndpoints/read",
            method="GET",
        ),
    ),
)
