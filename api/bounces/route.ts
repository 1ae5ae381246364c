import type { Context } from "hono";
import { z } from "zod";
import type { Logger } from "../../observability/logger.ts";
import { acceptLanguage, jsonAnswer, needsServiceToken } from "../openapi/describe.ts";
import { EXAMPLE_EVENT_ID } from "../openapi/examples.ts";
import type { Operation } from "../resource.ts";
import type { AcceptedItem, AcceptReports } from "./accept-reports.ts";
import { readItems } from "./read-items.ts";

const RESULTS = ["recorded", "repeated", "unmatched", "ignored", "unreadable", "subscription"] as const;

const itemSchema = z.object({
  result: z.enum(RESULTS).meta({
    description:
      "`repeated`: reported before, nothing was written. `unmatched`: about no delivery of ours. `ignored`: neither a bounce " +
      "nor a complaint. `unreadable`: of no known form. `subscription`: an operator has to confirm it.",
  }),
  kind: z.enum(["bounced", "delayed", "complained"]).optional(),
  code: z.string().optional().meta({ description: "Enhanced status code (RFC 3463)." }),
  event_id: z.uuid().optional(),
  group: z.string().optional(),
  suppressed: z.boolean().optional().meta({ description: "Whether nothing more is sent to the address." }),
});
const answerSchema = z.object({ items: z.array(itemSchema).meta({ description: "One for each report, in order." }) });

export interface BouncesRouteDeps {
  readonly accept: AcceptReports;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
  readonly log: Logger;
}

const toAnswerItem = (item: AcceptedItem): z.output<typeof itemSchema> => {
  if (!("kind" in item)) return { result: item.result };
  const what = { result: item.result, kind: item.kind, ...(item.code === undefined ? {} : { code: item.code }) };
  if (item.result === "unmatched") return what;
  const { eventId, group } = item.delivery;
  return { ...what, event_id: eventId, group, suppressed: item.isSuppressed };
};

const EXAMPLE: z.output<typeof answerSchema> = {
  items: [
    {
      result: "recorded",
      kind: "bounced",
      code: "5.1.1",
      event_id: EXAMPLE_EVENT_ID,
      group: "welcome-email",
      suppressed: true,
    },
  ],
};

const mail = (description: string) => ({ schema: { type: "string" as const, description } });
const json = {
  schema: {
    type: ["object" as const, "array" as const],
    items: {},
    description: "Of a provider, or an array.",
  },
};

/** `POST /api/v1/bounces`: what mail servers and providers report of mails that had been accepted. */
export const bouncesRoute = ({ accept, requireServiceToken, log }: BouncesRouteDeps): Operation => ({
  description: {
    operationId: "reportBounces",
    summary: "Report bounces and complaints",
    description:
      "A delivery status notification (RFC 3464) or a complaint (RFC 5965) as a mail, or the JSON of Amazon SES (also by SNS), " +
      "SendGrid, Mailgun or Postmark. Each is answered by itself; the same again is recorded once. A 503 may mean that all were " +
      "recorded but a few whose rows are in use: send them all again. The service token may " +
      "also be the password of Basic authentication, for providers that know no other.",
    tags: ["operations"],
    security: needsServiceToken,
    parameters: [acceptLanguage],
    requestBody: {
      required: true,
      content: {
        "message/rfc822": mail("The whole mail that came back, at most 1 MiB."),
        "multipart/report": mail("Its body; the boundary is in the Content-Type of the request."),
        "application/json": json,
        "text/plain": mail("JSON, as Amazon SNS sends it."),
      },
    },
    responses: {
      200: { description: "What became of each report.", content: jsonAnswer("BounceResults", answerSchema, EXAMPLE) },
    },
    problems: ["malformed_json", "reports_too_large", "unsupported_media_type", "database_unavailable"],
  },
  handler: async (c) => {
    requireServiceToken(c);
    const items = await accept(await readItems(c));
    for (const item of items) {
      if (item.result !== "subscription") continue;
      const { topic, url } = item;
      log.warn({ topic, url }, "SNS asks to confirm a subscription: open the url, if the topic is yours");
    }
    return c.json({ items: items.map(toAnswerItem) } satisfies z.output<typeof answerSchema>, 200, {
      "Cache-Control": "no-store",
    });
  },
});
