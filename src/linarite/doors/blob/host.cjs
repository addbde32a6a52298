// Serves Azurite under its parent's orders. One JSON object a line:
//
//   stdin   {"id": 1, "do": "open", "with": {...}}    first of all; see `orders` for the others
//           {"answer": 7, "allowed": true}            to a question; null where the parent cannot say
//   stdout  {"id": 1, "ok": true, ...}                once the order is in force, or {"id": 1, "ok": false, "error"}
//           {"ask": 7, "account", "service", "oid", "actions"}
//           {"ask": 8, "refused": {...}}              a refusal that is about to be answered; see gate.cjs
//
// Nothing secret is in its arguments or environment. It leaves when stdin closes, that is, when its parent is gone, and
// saves first; an interrupt from the terminal is the parent's to judge. It does not know where keys come from.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const gate = require('./gate.cjs');
const services = require('./services.cjs');

const LEAVE_WITHIN_MS = 15_000;

const accounts = new Map(); // name -> {name, key1, key2, sharedKey}, as Azurite reads it
const trust = { now: null };
const questions = new Map(); // number -> resolve
let servers = {};
let answerWithin = 0; // ms
let leaving = false;
let asked = 0;

console.log = console.error; // stdout belongs to the protocol, and Azurite prints a line at times

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function ask(question) {
  const number = ++asked;
  return new Promise(resolve => {
    const timer = setTimeout(() => questions.get(number)?.(null), answerWithin);
    questions.set(number, allowed => {
      clearTimeout(timer);
      questions.delete(number);
      resolve(allowed);
    });
    say({ ask: number, ...question });
  });
}

const orders = {
  // {azurite, host, ports, folder, certificate, key, delegation, saveEvery, answerWithin, accounts, erase, trust}
  // -> {ports}
  async open(options) {
    answerWithin = options.answerWithin;
    const jsonwebtoken = createRequire(path.join(options.azurite, 'package.json'))('jsonwebtoken');
    orders.accounts({ put: options.accounts, drop: options.erase });
    orders.trust(options.trust);
    const built = services.build(options, accounts);
    servers = built.servers;
    const report = refused => ask({ refused });
    gate.install({ load: built.load, jsonwebtoken, accounts, trust, ask, report });
    const ports = {};
    for (const [service, server] of Object.entries(servers)) {
      leaveWith(server);
      await server.start();
      ports[service] = server.httpServer.address().port;
    }
    orders.erase(options.erase);
    orders.accounts({ put: options.accounts, drop: [] }); // with namesakes of those that had to be erased first
    if (options.folder) services.keepSaved(servers, options.saveEvery, error => console.error(`Not saved: ${error}`));
    return { ports };
  },
  // {put: [{name, keys: [base64, base64], sharedKey}], drop: [name]}
  accounts({ put, drop }) {
    put.forEach(({ name, keys, sharedKey }) => {
      const [key1, key2] = keys.map(key => Buffer.from(key, 'base64'));
      accounts.set(name, { name, key1, key2, sharedKey });
    });
    drop.forEach(name => accounts.delete(name));
  },
  // [name]: what these accounts stored is forgotten
  erase(names) {
    names.forEach(name => services.erase(servers, name));
  },
  // {jwks, issuers, audiences, authorizationUri}, or null: no token counts
  trust(given) {
    trust.now = given && gate.trusting(given);
  },
  // {account, names}: these containers exist from now on
  async containers({ account, names }) {
    for (const name of names) await services.ensureContainer(servers.blob, account, name);
  },
};

// Azurite closes a service by itself when it finds its files damaged; half a door is worse than a fresh start.
function leaveWith(server) {
  const close = server.close.bind(server);
  server.close = async () => {
    await close();
    if (!leaving) process.exit(1);
  };
}

async function obey({ id, do: order, with: given }) {
  try {
    say({ id, ok: true, ...(await orders[order](given)) });
  } catch (error) {
    say({ id, ok: false, error: String(error?.message ?? error) });
  }
}

async function leave() {
  if (leaving) return;
  leaving = true;
  setTimeout(() => process.exit(1), LEAVE_WITHIN_MS).unref();
  await services.close(servers).catch(error => console.error(`Not closed: ${error}`));
  process.exit(0);
}

// Orders take effect in the order they came; answers are for the requests that wait meanwhile.
let last = Promise.resolve();
readline
  .createInterface({ input: process.stdin })
  .on('line', line => {
    const message = JSON.parse(line);
    if ('answer' in message) questions.get(message.answer)?.(message.allowed);
    else last = last.then(() => obey(message));
  })
  .on('close', leave);
process.on('SIGINT', () => {});
process.on('SIGTERM', leave);
