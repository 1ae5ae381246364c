import { receiverVariable } from "../settings/webhooks.ts";
import type { Environment } from "./programs.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Settings of receivers of webhooks that are all at one URL of this machine. */
export const receiversAt = (url: string, names: readonly string[]): Environment => ({
  WEBHOOK_ALLOW_PRIVATE: "true",
  ...(names.length > 0 ? { WEBHOOKS: names.join(",") } : {}),
  ...Object.fromEntries(
    names.flatMap((name) => [
      [receiverVariable(name, "URL"), url],
      [receiverVariable(name, "SECRET"), SECRET],
    ]),
  ),
});
