// Microsoft's npm client of Application Insights, as it is: sends a trace, an event and an exception, and waits for it.

import { readFileSync } from "node:fs";
import appInsights from "applicationinsights";

const { connectionString } = JSON.parse(readFileSync(0, "utf8"));
appInsights.setup(connectionString).setAutoCollectPerformance(false, false).setInternalLogging(false, false).start();
const client = appInsights.defaultClient;
client.trackTrace({ message: "loss is nan", severity: "Warning", properties: { run: "7" } });
client.trackEvent({ name: "epoch", properties: { number: "3" } });
client.trackException({ exception: new Error("no such model") });
await client.flush();
await client.shutdown();
console.log(JSON.stringify({ sent: true }));
