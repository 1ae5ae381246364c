import { appendFile } from "node:fs/promises";
import { z } from "zod";
import { defineGroup, type GroupFactory } from "../consumers/engine/factory.ts";
import type { GroupDefinition, Outcome } from "../consumers/engine/handler.ts";
import type { Group } from "../stream/groups.ts";

/** A second group on the event of a signup: idempotent, slow now and then, failing now and then. */
export const EXAMPLE_GROUP: Group = { name: "example", types: ["user.#"] };

const exampleData = z.object({ user_id: z.guid() });
export type ExampleData = z.output<typeof exampleData>;

export interface ExampleOptions {
  /** Called for each piece that is done, with its event's id. Awaited: the effect has taken place when it resolves. */
  readonly onDone: (eventId: string) => void | Promise<void>;
  /** From 0 to 1: the share of attempts that are slow, and of those that fail. */
  readonly slowShare?: number;
  readonly failingShare?: number;
  readonly slowMs?: number;
  readonly random?: () => number;
  /** Decides in the place of chance. */
  readonly outcome?: (eventId: string) => Outcome | undefined | Promise<Outcome | undefined>;
}

const POLICY = {
  isIdempotent: true,
  oncePerSubject: false,
  concurrency: 10,
  retryMax: 50,
  retryDelayMs: 20,
  uncertain: "resend",
} as const;

/** The example's definition, its policy replaceable. */
export const anExampleGroup = (
  { onDone, slowShare = 0, failingShare = 0, slowMs = 100, random = Math.random, outcome }: ExampleOptions,
  policy: Partial<GroupDefinition<ExampleData, undefined>["policy"]> = {},
): GroupDefinition<ExampleData, undefined> => ({
  group: EXAMPLE_GROUP,
  data: exampleData,
  prepare: async (pieces) => new Map(pieces.map(({ eventId }) => [eventId, { kind: "ready", input: undefined }])),
  work: async ({ eventId }, _, attempt) => {
    if (random() < slowShare) await Bun.sleep(slowMs);
    const decided = await outcome?.(eventId);
    if (decided !== undefined) return decided;
    if (random() < failingShare) return { kind: "transient", reason: "failing_now_and_then" };
    if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
    await onDone(eventId);
    return { kind: "done", receipt: `example:${eventId}` };
  },
  policy: { ...POLICY, ...policy },
});

/** From 0 to 1; 0 if not given. */
const shareOf = (value: string | undefined): number => Number(value ?? "0");

/**
 * What makes the example's consumer in a process of its own: appends the id of each event that is done to the file
 * `EXAMPLE_WORK_FILE`, a line each; `EXAMPLE_SLOW_SHARE` and `EXAMPLE_FAILING_SHARE` are its shares.
 */
export const exampleFactory = (environment: Readonly<Record<string, string | undefined>>): GroupFactory => {
  const file = environment["EXAMPLE_WORK_FILE"];
  if (file === undefined) throw new Error("EXAMPLE_WORK_FILE is not set: the example has no file to append to");
  return defineGroup({
    requires: [],
    data: exampleData,
    open: () =>
      anExampleGroup({
        onDone: (eventId) => appendFile(file, `${eventId}\n`),
        slowShare: shareOf(environment["EXAMPLE_SLOW_SHARE"]),
        failingShare: shareOf(environment["EXAMPLE_FAILING_SHARE"]),
      }),
  });
};
