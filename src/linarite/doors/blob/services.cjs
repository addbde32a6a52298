// The one place that knows Azurite's insides: builds its blob, queue and table server on a folder and keeps their
// indexes saved. Azurite offers no such interface, so these are private paths of the exact version package.json pins.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const KEEP_ALIVE_SECONDS = 5;
const LARGEST_BODY = 5000 * 1024 * 1024; // of Put Blob, which takes the largest of all
const FINISH_WITHIN_MS = 5000; // a request under way at a clean stop may take this long to end

// options: {azurite, host, ports: {blob, queue, table}, folder | null for memory, certificate, key, delegation}
// -> {servers: {blob, queue, table}, load}; nothing listens yet.
function build(options, accounts) {
  const load = name => require(path.join(options.azurite, 'dist/src', name));
  livingAccounts(load, accounts);
  const constants = service => load(`${service}/utils/constants`);
  // In Azurite the key that signs user delegation keys is a constant of its source: anyone could forge such a SAS.
  constants('blob').USERDELEGATIONKEY_SIGNING_SEED = options.delegation;
  const folder = options.folder ?? path.join(path.sep, 'nowhere');
  if (options.folder) fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const servers = {};
  for (const service of ['blob', 'queue', 'table']) {
    const name = service[0].toUpperCase() + service.slice(1);
    const Configuration = load(`${service}/${name}Configuration`).default;
    const Server = load(`${service}/${name}Server`).default;
    const configuration = new Configuration();
    Object.assign(configuration, settings(options, service), places(constants(service), service, folder));
    servers[service] = watched(new Server(configuration));
  }
  return { servers, load };
}

// Every check of a key, a SAS or a table request asks the account store for the keys, each time.
function livingAccounts(load, accounts) {
  const store = load('common/AccountDataStore').default;
  store.prototype.getAccount = name => accounts.get(name);
  store.prototype.refresh = () => {}; // reads the environment once a minute, and falls back to a well-known key
}

function settings({ host, ports, certificate, key, folder }, service) {
  return {
    host,
    port: ports[service],
    keepAliveTimeout: KEEP_ALIVE_SECONDS,
    enableAccessLog: false,
    enableDebugLog: false, // its debug log holds signatures computed from the keys
    loose: false,
    skipApiVersionCheck: true, // today's SDKs send versions that Azurite does not know yet
    cert: certificate ?? '',
    key: key ?? '',
    disableProductStyleUrl: false,
    isMemoryPersistence: !folder,
  };
}

function places(constants, service, folder) {
  const inside = name => path.join(folder, name);
  const upper = service.toUpperCase();
  const places = { metadataDBPath: inside(constants[`DEFAULT_${upper}_LOKI_DB_PATH`]) };
  if (service === 'table') return places;
  places.extentDBPath = inside(constants[`DEFAULT_${upper}_EXTENT_LOKI_DB_PATH`]);
  const extents = constants[`DEFAULT_${upper}_PERSISTENCE_ARRAY`];
  const home = inside(constants[`DEFAULT_${upper}_PERSISTENCE_PATH`]);
  places.persistencePathArray = extents.map(extent => ({ ...extent, locationPath: home }));
  return places;
}

// Counts the requests under way, so that a clean stop can wait for them, and refuses by itself what Azurite would trip
// over or take, whatever is asked for.
function watched(server) {
  const [handle] = server.httpServer.listeners('request');
  server.underWay = new Set();
  server.httpServer.removeAllListeners('request');
  server.httpServer.on('request', (request, response) => {
    const refused = impossible(request);
    if (refused) return refuse(response, ...refused);
    server.underWay.add(response);
    response.once('close', () => server.underWay.delete(response));
    return handle(request, response);
  });
  return server;
}

// -> [status, code, words], or null. A URL whose escapes do not decode is a 500 without a body in Azurite, and a body
// of any size is kept.
function impossible({ url, headers }) {
  try {
    decodeURIComponent(url);
  } catch {
    return [400, 'InvalidUri', 'The requested URI does not represent any resource on the server.'];
  }
  if (!(Number(headers['content-length'] ?? 0) > LARGEST_BODY)) return null;
  return [413, 'RequestBodyTooLarge', 'The request body is too large and exceeds the maximum permissible limit.'];
}

function refuse(response, status, code, words) {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code, connection: 'close' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${words}</Message></Error>`);
}

let saving = Promise.resolve(); // the round of saving that is under way, or the last one
let closing = false;

// Writes the indexes that changed every `every` ms, but never spends more than a fifth of the time on it. Bytes first,
// then what refers to them. Azurite's own timer is replaced: it waits five seconds and dies of a full disk.
function keepSaved(servers, every, complain) {
  const databases = Object.values(servers)
    .flatMap(server => [server.extentMetadataStore, server.metadataStore])
    .filter(Boolean)
    .map(store => store.db);
  databases.forEach(database => database.autosaveDisable());
  const next = wait => setTimeout(() => closing || (saving = round()), wait).unref();
  const round = async () => {
    const began = Date.now();
    for (const database of databases) await save(database).catch(complain);
    next(Math.max(every, 4 * (Date.now() - began)));
  };
  next(every);
}

async function save(database) {
  if (!database.autosaveDirty()) return;
  try {
    await new Promise((done, failed) => database.saveDatabase(error => (error ? failed(error) : done())));
  } catch (error) {
    database.collections[0].dirty = true; // LokiJS calls them clean before it writes: try again at the next tick
    throw error;
  }
}

// Stops listening, lets requests under way end, then saves and closes.
async function close(servers) {
  const running = Object.values(servers).filter(server => server.getStatus() === 'Running');
  running.forEach(server => server.httpServer.close());
  const underWay = running.flatMap(server => [...server.underWay]);
  const ends = underWay.map(response => new Promise(end => response.once('close', end)));
  await Promise.race([Promise.all(ends), sleep(FINISH_WITHIN_MS, undefined, { ref: false })]);
  closing = true;
  await saving; // what it writes counts as clean already, and would be left half written
  for (const server of running) await server.close();
}

// Forgets everything an account ever stored. Its bytes are freed by Azurite's own collection of unused extents.
function erase(servers, account) {
  for (const server of Object.values(servers)) {
    const database = server.metadataStore.db;
    for (const { name } of [...database.collections]) {
      if (name.startsWith(`${account}$`)) database.removeCollection(name); // one table of the table service
      else database.getCollection(name).findAndRemove({ $or: [{ accountName: account }, { account }] });
    }
  }
}

async function ensureContainer(blobServer, account, name) {
  const store = blobServer.metadataStore;
  const lastModified = new Date();
  const properties = {
    etag: `"0x8D${lastModified.getTime().toString(16).toUpperCase().padStart(13, '0')}"`,
    lastModified,
    leaseStatus: 'unlocked',
    leaseState: 'available',
    hasImmutabilityPolicy: false,
    hasLegalHold: false,
  };
  try {
    await store.createContainer(undefined, { accountName: account, name, properties });
  } catch (error) {
    if (error.storageErrorCode !== 'ContainerAlreadyExists') throw error;
  }
}

module.exports = { build, close, ensureContainer, erase, keepSaved };
