import { z } from "zod";

/** Of an older or newer version, a report may lack what this one knows: it is then as good as none. */
const schema = z.object({
  /** ISO 8601, UTC. */
  startedAt: z.string(),
  state: z.enum(["reading", "paused", "stopping"]),
  inFlight: z.number(),
  /** Entries that were read, and are not attempted yet, because much like them was in vain lately; older versions do not say. */
  kept: z.number().default(0),
  concurrency: z.number(),
  breaker: z.object({
    state: z.enum(["closed", "open", "recovering"]),
    /** When it came into this state; ISO 8601, UTC. */
    since: z.string(),
    /** That of the last failure; undefined: it never failed. */
    reason: z.string().optional(),
    /** Since that failure, in ms; older versions do not say. */
    reasonAgeMs: z.number().optional(),
    /** The other system's words about it, addresses removed. */
    words: z.string().optional(),
    /** Until the next probe, if it is open. */
    probeInMs: z.number().optional(),
  }),
  /** The system that the work is done in or by: `receiver crm at hooks.example`. */
  system: z.string().optional(),
  /** Pieces that the system grants at a time, if it set a limit, and its last words about that. */
  granted: z
    .object({
      allowed: z.number(),
      /** For how long it has granted none, in ms; older versions do not say. */
      nothingForMs: z.number().optional(),
      words: z.string().optional(),
      /** What it said when it granted none, and spoke of no limit; older versions do not say. */
      refusal: z.string().optional(),
    })
    .optional(),
  /** Pieces a second that the budget allows all consumers together, if it limits them. */
  ratePerSecond: z.number().optional(),
  /** Parties that refuse or defer everything, and so wait. */
  waitingParties: z.number(),
  /** The last words of one of them, addresses removed; older versions do not say. */
  partyWords: z.string().optional(),
  /** What keeps it from its work, and since when. */
  faults: z.record(z.string(), z.string()),
});

/** What a consumer of a group does now, as it says itself with each sign of life. */
export type ConsumerReport = Readonly<z.infer<typeof schema>>;

/** Reads a report; undefined: it is of another version. */
export const parseReport = (text: string | undefined): ConsumerReport | undefined => {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};
