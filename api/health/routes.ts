import type { Handler } from "hono";
import { z } from "zod";

export const livenessSchema = z.object({
  live: z.boolean(),
  loops: z.record(z.string(), z.boolean()).meta({ description: "Each background loop: whether it makes progress." }),
});

export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.string()).meta({ description: "Each thing that was looked at, in words." }),
});

export type Liveness = Readonly<z.output<typeof livenessSchema>>;
export type Readiness = Readonly<z.output<typeof readinessSchema>>;

const NO_STORE = { "Cache-Control": "no-store" };

/** `GET /livez`: 503 if a loop has stopped making progress; a supervisor then restarts the process. Asks no store. */
export const livenessRoute =
  (liveness: () => Liveness): Handler =>
  (c) => {
    const answer = liveness();
    return c.json(answer, answer.live ? 200 : 503, NO_STORE);
  };

/** `GET /readyz`: 503 if requests should go elsewhere: Postgres does not answer, or the process is draining. */
export const readinessRoute =
  (readiness: () => Promise<Readiness>): Handler =>
  async (c) => {
    const answer = await readiness();
    return c.json(answer, answer.ready ? 200 : 503, NO_STORE);
  };
