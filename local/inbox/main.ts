import { parseArgs } from "node:util";
import { EXIT, failedToStart, untilAskedToStop } from "../../runtime/process.ts";
import { openMailbox } from "./mailbox.ts";
import { createInboxApp } from "./server.tsx";
import { catchMail } from "./smtp.ts";

/** `bun local/inbox/main.ts --directory D --smtp-port N --http-port N [--host H]`: catches mail and shows it in a browser. */
const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      directory: { type: "string", default: ".local/inbox" },
      "smtp-port": { type: "string", default: "1025" },
      "http-port": { type: "string", default: "8025" },
      host: { type: "string", default: "127.0.0.1" },
    },
  });
  const mailbox = openMailbox(values.directory);
  await using _catcher = await catchMail(mailbox, Number(values["smtp-port"]));
  const server = Bun.serve({
    hostname: values.host,
    port: Number(values["http-port"]),
    fetch: createInboxApp(mailbox).fetch,
    // A page that waits for mail is quiet for as long as it takes.
    idleTimeout: 0,
  });
  await untilAskedToStop();
  await server.stop(true);
  return EXIT.stopped;
};

process.exit(await main().catch(failedToStart));
