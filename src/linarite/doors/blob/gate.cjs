// Who may pass: stands in front of Azurite's own authenticators, at the one call that each of its services makes.
//
// Azurite checks signatures of keys and SAS, and knows one answer for whatever fails. This adds what an account of
// Azure has besides: accounts that come and go, shared keys that can be switched off, Entra tokens with a verified
// signature and a role, user delegation SAS that end with the role of whoever made them, and Azure's own error codes.
// It does not know who may do what: `ask` puts that question to the parent for every request. And `report` tells the
// parent of every other refusal before the client hears of it.
'use strict';

const { createPublicKey } = require('node:crypto');
const path = require('node:path');

const ACTIONS = require('./actions.cjs');

const FOLDERS = { blob: 'middlewares', queue: 'middlewares', table: 'middleware' };
const CONTEXTS = { blob: 'BlobStorageContext', queue: 'QueueStorageContext', table: 'TableStorageContext' };

const SEE_SIGNATURE =
  'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly ' +
  'including the signature.';
const SEE_CHALLENGE =
  'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.';

// `load` gives a module of Azurite; `accounts` is a live Map; `trust.now` holds whose tokens count, or null;
// `ask(question)` resolves to true, false, or null where no answer came; `report(refusal)` to true once it is recorded.
function install({ load, jsonwebtoken, accounts, trust, ask, report }) {
  const identifyNow = (token, account) => identify(jsonwebtoken, trust.now, token, account);
  const judge = { accounts, ask, identify: identifyNow };
  for (const service of ['blob', 'queue', 'table']) {
    const factory = load(path.join(service, FOLDERS[service], 'AuthenticationMiddlewareFactory')).default;
    const checkSignatures = factory.prototype.authenticate;
    const see = view(load, service, trust);
    factory.prototype.authenticate = async function authenticate(...call) {
      // Of its parameters the authenticators come last in every service, and may be narrowed.
      const check = only => checkSignatures.call(this, ...call.slice(0, -1), call.at(-1).filter(only));
      const request = see(call);
      try {
        return await admit(request, check, judge);
      } catch (failure) {
        throw await reported(request, failure, report);
      }
    };
  }
}

async function admit(request, checkSignatures, judge) {
  const account = judge.accounts.get(request.account);
  if (!account) throw request.refuse(404, 'ResourceNotFound', 'The specified resource does not exist.');
  const authorization = request.header('authorization') ?? '';
  if (/^bearer( |$)/i.test(authorization)) return admitToken(request, authorization.slice('bearer '.length), judge);
  const signature = request.query('sig');
  const delegate = request.service === 'blob' && signature ? request.query('skoid') : undefined;
  if (delegate) return admitDelegate(request, delegate, checkSignatures, judge);
  const keyed = Boolean(authorization || signature);
  if (keyed && !account.sharedKey) {
    const words = 'Key based authentication is not permitted on this storage account.';
    throw request.refuse(403, 'KeyBasedAuthenticationNotPermitted', words);
  }
  if (await signed(request, checkSignatures, () => true)) return true;
  if (keyed) throw request.refuse(403, 'AuthenticationFailed', SEE_SIGNATURE);
  throw request.challenge('NoAuthenticationInformation');
}

// A user delegation SAS opens what its maker may still do now. Only the authenticator that covers `skoid` by its
// signature may vouch for it: an account SAS does not, so anyone could have written that name beside it.
async function admitDelegate(request, delegate, checkSignatures, judge) {
  const covers = authenticator => authenticator.constructor.name === 'BlobSASAuthenticator';
  const genuine = await signed(request, checkSignatures, covers);
  if (!genuine) throw request.refuse(403, 'AuthenticationFailed', SEE_SIGNATURE);
  return permit(request, delegate, judge);
}

async function admitToken(request, token, judge) {
  if (!request.encrypted) {
    const detail = 'Authentication scheme Bearer is not allowed with HTTP.';
    throw request.refuse(403, 'AuthenticationFailed', SEE_SIGNATURE, detail);
  }
  const { oid, flaw } = judge.identify(token, request.account);
  if (flaw) throw request.challenge('InvalidAuthenticationInfo', flaw);
  return permit(request, oid, judge);
}

async function permit(request, oid, judge) {
  const actions = ACTIONS[request.service][request.operation];
  if (actions?.length === 0) return true;
  const { account, service } = request;
  const allowed = actions ? await judge.ask({ account, service, oid, actions }) : false;
  if (allowed === null) throw request.refuse(503, 'ServerBusy', 'The server is busy.');
  if (allowed) return true;
  const words = 'This request is not authorized to perform this operation using this permission.';
  const failure = request.refuse(403, 'AuthorizationPermissionMismatch', words);
  throw Object.assign(failure, { judged: Boolean(actions), oid });
}

// -> the failure to answer with. Not told of: what the parent judged itself, and the request of a client that shows
// nothing, which asks how to sign in.
async function reported(request, failure, report) {
  const { statusCode: status, storageErrorCode: code, judged, oid = null } = failure;
  if (!code || status >= 500 || judged || code === 'NoAuthenticationInformation') return failure;
  const { service, account, operation, address } = request;
  const known = await report({ service, account, operation, address, status, code, oid });
  return known ? failure : request.refuse(503, 'ServerBusy', 'The server is busy.');
}

// Azurite says AuthorizationFailure where a SAS is out of time or badly formed; Azure keeps that code for firewalls.
// And it trips over a part of a SAS that does not decode.
async function signed(request, checkSignatures, only) {
  try {
    return await checkSignatures(only);
  } catch (error) {
    if (error.storageErrorCode !== 'AuthorizationFailure' && !(error instanceof URIError)) throw error;
    throw request.refuse(403, 'AuthenticationFailed', SEE_SIGNATURE);
  }
}

// -> {oid} of a token that is genuine, current and meant for this account, or {flaw} in Azure's words.
function identify(jsonwebtoken, trusted, token, account) {
  const { kid } = jsonwebtoken.decode(token, { complete: true })?.header ?? {};
  const key = trusted?.keys.get(kid);
  if (!key) return { flaw: 'Signature validation failed. The signature key was not found.' };
  let claims;
  try {
    claims = jsonwebtoken.verify(token, key, {
      algorithms: ['RS256'],
      issuer: trusted.issuers,
      audience: trusted.audiences.map(audience => audience.replace('{account}', account)),
    });
  } catch (error) {
    return { flaw: flawOf(error) };
  }
  if (typeof claims.exp !== 'number') return { flaw: 'Lifetime validation failed. The token has no expiration.' };
  const named = typeof claims.oid === 'string' && typeof claims.tid === 'string';
  return named ? { oid: claims.oid } : { flaw: 'The token names no object or tenant.' };
}

function flawOf({ name, message = '' }) {
  if (name === 'TokenExpiredError') return 'Lifetime validation failed. The token is expired.';
  if (name === 'NotBeforeError') return 'Lifetime validation failed. The token is not yet valid.';
  if (message.startsWith('jwt issuer invalid')) return 'Issuer validation failed. Issuer did not match.';
  if (message.startsWith('jwt audience invalid')) return 'Audience validation failed. Audience did not match.';
  return 'Signature validation failed.';
}

// {jwks, issuers, audiences, authorizationUri} as the parent sends it -> what `identify` works with.
function trusting({ jwks, issuers, audiences, authorizationUri }) {
  const keys = new Map(jwks.keys.map(jwk => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]));
  return { keys, issuers, audiences, authorizationUri };
}

// The three services hand over the same things in different order, and build their errors differently.
function view(load, service, trust) {
  const Adapter = load(path.join(service, 'generated/ExpressRequestAdapter')).default;
  const Context = load(path.join(service, 'context', CONTEXTS[service])).default;
  const Failure = load(path.join(service, 'errors/StorageError')).default;
  const names = load(path.join(service, 'generated/artifacts/operation')).default;
  const constants = load(path.join(service, 'utils/constants'));
  const where = constants[`DEFAULT_${service.toUpperCase()}_CONTEXT_PATH`];
  return call => {
    const [context, request] =
      service === 'blob' ? call : [new Context(call[1].locals, where), new Adapter(call[0])];
    const refuse = (status, code, words, detail) => {
      const more = detail ? { AuthenticationErrorDetail: detail } : {};
      return new Failure(status, code, words, context.contextId ?? context.contextID, more, context);
    };
    return {
      service,
      account: context.account,
      operation: names[context.operation] ?? '',
      address: addressOf(request.req?.socket), // a part of a batch has none
      encrypted: request.getProtocol().toLowerCase() === 'https',
      header: name => request.getHeader(name),
      query: name => request.getQuery(name),
      refuse,
      challenge: (code, detail) => challenge(refuse(401, code, SEE_CHALLENGE, detail), trust.now),
    };
  };
}

function addressOf(socket) {
  return socket ? `${socket.remoteAddress}:${socket.remotePort}` : '';
}

function challenge(failure, trusted) {
  if (trusted?.authorizationUri) {
    const where = `authorization_uri=${trusted.authorizationUri} resource_id=https://storage.azure.com`;
    failure.headers['www-authenticate'] = `Bearer ${where}`;
  }
  return failure;
}

module.exports = { install, trusting };
