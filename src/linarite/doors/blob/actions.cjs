// What a caller with an Entra token needs for each storage operation, in Azure's own action names.
//
// Source: "Permissions for calling data operations" in Microsoft's "Authorize with Microsoft Entra ID" (Azure Storage
// REST reference). Any one action of a list suffices; an empty list means that a valid token is enough, because each
// part of the request is authorized by itself; an operation that is not here is not open to tokens at all.
'use strict';

const STORAGE = 'Microsoft.Storage/storageAccounts';

const BLOB = `${STORAGE}/blobServices`;
const CONTAINER = `${BLOB}/containers`;
const READ_BLOB = [`${CONTAINER}/blobs/read`];
const WRITE_BLOB = [`${CONTAINER}/blobs/write`];

const QUEUES = `${STORAGE}/queueServices`;
const QUEUE = `${QUEUES}/queues`;
const MESSAGE = `${QUEUE}/messages`;

const TABLES = `${STORAGE}/tableServices`;
const TABLE = `${TABLES}/tables`;
const ENTITY = `${TABLE}/entities`;

function each(names, actions) {
  return Object.fromEntries(names.map(name => [name, actions]));
}

const blob = {
  Service_ListContainersSegment: [`${CONTAINER}/read`],
  Service_GetUserDelegationKey: [`${BLOB}/generateUserDelegationKey/action`],
  Service_SetProperties: [`${BLOB}/write`],
  ...each(['Service_GetProperties', 'Service_GetStatistics'], [`${BLOB}/read`]),
  ...each(
    [
      'Service_GetAccountInfo', 'Service_GetAccountInfoWithHead', 'Container_GetAccountInfo',
      'Container_GetAccountInfoWithHead', 'Blob_GetAccountInfo', 'Blob_GetAccountInfoWithHead',
    ],
    [`${BLOB}/getInfo/action`],
  ),
  ...each(['Service_SubmitBatch', 'Container_SubmitBatch'], []),
  ...each(['Service_FilterBlobs', 'Container_FilterBlobs'], [`${CONTAINER}/blobs/filter/action`]),
  ...each(['Container_GetProperties', 'Container_GetPropertiesWithHead'], [`${CONTAINER}/read`]),
  ...each(
    [
      'Container_Create', 'Container_SetMetadata', 'Container_Restore', 'Container_AcquireLease',
      'Container_ReleaseLease', 'Container_RenewLease', 'Container_BreakLease', 'Container_ChangeLease',
    ],
    [`${CONTAINER}/write`],
  ),
  Container_Delete: [`${CONTAINER}/delete`],
  Container_GetAccessPolicy: [`${CONTAINER}/getAcl/action`],
  Container_SetAccessPolicy: [`${CONTAINER}/setAcl/action`],
  ...each(
    [
      'Container_ListBlobFlatSegment', 'Container_ListBlobHierarchySegment', 'Blob_Download', 'Blob_GetProperties',
      'Blob_Query', 'BlockBlob_GetBlockList', 'PageBlob_GetPageRanges', 'PageBlob_GetPageRangesDiff',
    ],
    READ_BLOB,
  ),
  ...each(
    [
      'Blob_Undelete', 'Blob_SetExpiry', 'Blob_SetHTTPHeaders', 'Blob_SetMetadata', 'Blob_AcquireLease',
      'Blob_ReleaseLease', 'Blob_RenewLease', 'Blob_ChangeLease', 'Blob_BreakLease', 'Blob_CreateSnapshot',
      'Blob_StartCopyFromURL', 'Blob_CopyFromURL', 'Blob_AbortCopyFromURL', 'Blob_SetTier', 'PageBlob_Create',
      'PageBlob_UploadPages', 'PageBlob_ClearPages', 'PageBlob_UploadPagesFromURL', 'PageBlob_Resize',
      'PageBlob_UpdateSequenceNumber', 'PageBlob_CopyIncremental', 'AppendBlob_Create', 'AppendBlob_AppendBlock',
      'AppendBlob_AppendBlockFromUrl', 'AppendBlob_Seal', 'BlockBlob_Upload', 'BlockBlob_PutBlobFromUrl',
      'BlockBlob_StageBlock', 'BlockBlob_StageBlockFromURL', 'BlockBlob_CommitBlockList',
    ],
    WRITE_BLOB,
  ),
  Blob_Delete: [`${CONTAINER}/blobs/delete`],
  Blob_GetTags: [`${CONTAINER}/blobs/tags/read`],
  Blob_SetTags: [`${CONTAINER}/blobs/tags/write`],
};

const queue = {
  Service_ListQueuesSegment: [`${QUEUE}/read`],
  Service_SetProperties: [`${QUEUES}/write`],
  ...each(['Service_GetProperties', 'Service_GetStatistics'], [`${QUEUES}/read`]),
  ...each(['Queue_Create', 'Queue_SetMetadata'], [`${QUEUE}/write`]),
  ...each(['Queue_GetProperties', 'Queue_GetPropertiesWithHead'], [`${QUEUE}/read`]),
  Queue_Delete: [`${QUEUE}/delete`],
  Messages_Enqueue: [`${MESSAGE}/add/action`, `${MESSAGE}/write`],
  Messages_Dequeue: [`${MESSAGE}/process/action`],
  Messages_Peek: [`${MESSAGE}/read`],
  Messages_Clear: [`${MESSAGE}/delete`],
  MessageId_Update: [`${MESSAGE}/write`],
  MessageId_Delete: [`${MESSAGE}/delete`, `${MESSAGE}/process/action`],
};

const table = {
  Table_Query: [`${TABLE}/read`],
  Table_Create: [`${TABLE}/write`],
  Table_Delete: [`${TABLE}/delete`],
  Service_SetProperties: [`${TABLES}/write`],
  ...each(['Service_GetProperties', 'Service_GetStatistics'], [`${TABLES}/read`]),
  ...each(['Table_QueryEntities', 'Table_QueryEntitiesWithPartitionAndRowKey'], [`${ENTITY}/read`]),
  Table_InsertEntity: [`${ENTITY}/add/action`, `${ENTITY}/write`],
  ...each(
    ['Table_UpdateEntity', 'Table_MergeEntity', 'Table_MergeEntityWithMerge'],
    [`${ENTITY}/update/action`, `${ENTITY}/write`],
  ),
  Table_DeleteEntity: [`${ENTITY}/delete`],
  Table_Batch: [`${ENTITY}/write`],
};

module.exports = { blob, queue, table };
