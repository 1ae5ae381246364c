import type { Context } from "hono";
import { z } from "zod";
import { VERSION } from "../../observability/version.ts";
import type { Finding } from "../../runtime/situation/finding.ts";
import { type Description, jsonAnswer } from "../openapi/describe.ts";
import type { Operation } from "../resource.ts";
import { maySendServiceToken } from "../status/event-route.ts";

const livenessSchema = z.object({
  live: z.boolean(),
  version: z.string().meta({ description: "The release that is running." }),
  loops: z.record(z.string(), z.boolean()).meta({ description: "Each background loop: whether it makes progress." }),
  faults: z
    .record(z.string(), z.string())
    .meta({ description: "What keeps a loop from its work, and since when; it says nothing about being live." }),
});

const readinessSchema = z.object({
  ready: z.boolean(),
  why: z.string().meta({ description: "What is wrong, in a sentence; `All is well`." }),
  checks: z.record(z.string(), z.string()).meta({ description: "The result of each check, in words." }),
});

/** What holders of the service token are told as well. */
const fullReadinessSchema = readinessSchema.extend({
  findings: z
    .array(
      z.object({
        level: z.enum(["trouble", "notice", "well"]),
        group: z.string().optional().meta({ description: "The group that it is about; none: the whole." }),
        alsoOf: z
          .array(z.string())
          .readonly()
          .optional()
          .meta({ description: "Further groups: they work with the same system." }),
        sentence: z.string(),
        remedy: z.string().optional().meta({ description: "What to do about it." }),
      }),
    )
    .optional()
    .meta({ description: "What the console says of all groups; only for holders of the service token." }),
});

export type Liveness = Readonly<Omit<z.output<typeof livenessSchema>, "version">>;
export type Readiness = Readonly<z.output<typeof readinessSchema>>;

const NO_STORE = { "Cache-Control": "no-store" };

const healthDescription = (
  operationId: string,
  summary: string,
  description: string,
  content: (example?: unknown) => ReturnType<typeof jsonAnswer>,
  example: unknown,
): Description => ({
  operationId,
  summary,
  description,
  tags: ["operations"],
  responses: {
    200: { description: "Yes.", content: content(example) },
    503: { description: "No.", content: content() },
  },
  problems: [],
});

/** `GET /livez`: 503 if a loop has stopped making progress; a supervisor then restarts the process. Asks no store. */
export const livenessRoute = (liveness: () => Liveness): Operation => ({
  description: healthDescription(
    "getLiveness",
    "Do the loops make progress?",
    "If not, a supervisor should restart the process. No store is asked, so that no outage of one restarts anything.",
    (example) => jsonAnswer("Liveness", livenessSchema, example),
    { live: true, version: VERSION, loops: { relay: true }, faults: {} } satisfies z.output<typeof livenessSchema>,
  ),
  handler: (c) => {
    const { live, loops, faults } = liveness();
    const answer: z.output<typeof livenessSchema> = { live, version: VERSION, loops, faults };
    return c.json(answer, live ? 200 : 503, NO_STORE);
  },
});

export interface ReadinessDeps {
  readonly readiness: () => Promise<Readiness>;
  /** Whether the caller holds the service token; throws if it presents a wrong one. */
  readonly isOperator: (c: Context) => boolean;
  /** What is known of the whole system, the most important first. Never rejects. */
  readonly findings: () => Promise<readonly Finding[]>;
}

/**
 * `GET /readyz`: 503 if requests should go elsewhere: Postgres does not answer, or the process is draining. Whoever asks without the
 * service token learns of this process alone, and no host or driver's words.
 */
export const readinessRoute = ({ readiness, isOperator, findings }: ReadinessDeps): Operation => ({
  description: {
    ...healthDescription(
      "getReadiness",
      "Should requests come here?",
      "Yes while PostgreSQL answers and the process is not draining; without Redis signups succeed, and their mails wait. With the service token it also says what the console says of all groups.",
      (example) => jsonAnswer("Readiness", fullReadinessSchema, example),
      { ready: true, why: "All is well", checks: { database: "ok" } } satisfies Readiness,
    ),
    security: maySendServiceToken,
  },
  handler: async (c) => {
    const isTold = isOperator(c);
    const answer = await readiness();
    const full: z.output<typeof fullReadinessSchema> = isTold
      ? { ...answer, findings: [...(await findings())] }
      : answer;
    return c.json(full, answer.ready ? 200 : 503, NO_STORE);
  },
});
