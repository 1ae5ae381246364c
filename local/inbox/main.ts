import { parseArgs } from "node:util";
import { untilAskedToStop } from "../../runtime/process.ts";
import { openMailbox } from "./mailbox.ts";
import { createInboxApp } from "./server.tsx";
import { catchMail } from "./smtp.ts";

/** `bun local/inbox/main.ts --directory D --smtp-port N --http-port N`: catches mail, and shows it in a browser. */
const { values } = parseArgs({
  options: {
    directory: { type: "string", default: ".local/inbox" },
    "smtp-port": { type: "string", default: "2525" },
    "http-port": { type: "string", default: "8025" },
  },
});
const mailbox = openMailbox(values.directory);
const stopCatching = await catchMail(mailbox, Number(values["smtp-port"]));
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(values["http-port"]),
  fetch: createInboxApp(mailbox).fetch,
});
await untilAskedToStop();
await server.stop(true);
await stopCatching();
process.exit(0);
