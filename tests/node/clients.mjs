// Azure's clients for Node, as they are. `node clients.mjs COMMAND` reads what it needs as JSON from its standard input,
// and prints a line of JSON for each thing that it learns.

import { readFileSync } from "node:fs";

import { ClientCertificateCredential, ClientSecretCredential, DeviceCodeCredential } from "@azure/identity";
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearningservices";
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";

const say = (what) => console.log(JSON.stringify(what));

const here = (given) => ({ authorityHost: given.authority, disableInstanceDiscovery: true });

const scope = (given) => `${given.armEndpoint}/.default`;

const application = (given) => ({
  authority: `${given.authority}/${given.tenantId}`,
  knownAuthorities: [new URL(given.authority).host],
});

const commands = {
  async keys(given) {
    const credential = new ClientSecretCredential(given.tenantId, given.clientId, given.clientSecret, here(given));
    const client = new AzureMachineLearningWorkspaces(credential, given.subscriptionId, {
      apiVersion: "2023-10-01",
      endpoint: given.armEndpoint,
      credentialScopes: [scope(given)],
    });
    say(await client.workspaces.listKeys(given.resourceGroup, given.workspace));
  },

  async certificate(given) {
    const credential = new ClientCertificateCredential(
      given.tenantId,
      given.clientId,
      { certificatePath: given.certificate },
      here(given),
    );
    say(await credential.getToken(scope(given)));
  },

  async device(given) {
    const credential = new DeviceCodeCredential({
      tenantId: given.tenantId,
      userPromptCallback: ({ verificationUri, userCode }) => say({ verificationUri, userCode }),
      ...here(given),
    });
    say(await credential.getToken(scope(given)));
  },

  async "msal secret"(given) {
    const auth = { clientId: given.clientId, clientSecret: given.clientSecret, ...application(given) };
    const client = new ConfidentialClientApplication({ auth });
    say(await client.acquireTokenByClientCredential({ scopes: [scope(given)] }));
  },

  async "msal code"(given) {
    const client = new PublicClientApplication({ auth: { clientId: given.clientId, ...application(given) } });
    const { code, verifier: codeVerifier, redirectUri } = given;
    const answer = await client.acquireTokenByCode({ code, codeVerifier, redirectUri, scopes: [scope(given)] });
    say({ account: answer.account.username, token: answer.accessToken });
    const again = { account: answer.account, scopes: [scope(given)], forceRefresh: true };
    say({ token: (await client.acquireTokenSilent(again)).accessToken });
  },
};

try {
  await commands[process.argv[2]](JSON.parse(readFileSync(0, "utf8")));
} catch (error) {
  say({ error: error.errorCode ?? error.code ?? error.name, message: error.message });
  process.exitCode = 1;
}
