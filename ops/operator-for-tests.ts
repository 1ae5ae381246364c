import { loadSettings } from "../settings/load.ts";
import { countLetters } from "../stream/dead-letters.ts";
import { eventually } from "../tests/eventually.ts";
import { aSignup, type Pipeline, redisUrl } from "../tests/pipeline.ts";
import { readCommandLine } from "./arguments.ts";
import type { Answer } from "./command.ts";
import type { Operator } from "./operator.ts";

export const GROUP = "welcome-email";

/** An operator of a test's pipeline. */
export const anOperator = ({ db, redis, keys }: Pipeline, parts: Partial<Operator> = {}): Operator => ({
  db,
  redis,
  keys,
  signal: new AbortController().signal,
  onProgress: () => {},
  at: () => {},
  ...parts,
});

/** What a command answers in a test's pipeline. */
export const answerOf = async (pipeline: Pipeline, ...words: readonly string[]): Promise<Answer> => {
  const request = readCommandLine(words);
  if (request.kind !== "run") throw new Error("that asks for help");
  return await request.command.run({
    ...anOperator(pipeline),
    settings: loadSettings("ops", { DATABASE_URL: pipeline.url, REDIS_URL: redisUrl() }),
    args: request.args,
    say: () => {},
    now: () => new Date(),
  });
};

/** The same as people read it, without colours. */
export const textOf = async (pipeline: Pipeline, ...words: readonly string[]): Promise<string> =>
  (await answerOf(pipeline, ...words)).text((_, text) => text);

/** Signs people up whose mails a consumer buries for this reason; returns their event ids. */
export const bury = async (pipeline: Pipeline, count: number, reason = "mailbox_unavailable"): Promise<string[]> => {
  const before = await countLetters(pipeline.redis, pipeline.keys, GROUP);
  const consumer = await pipeline.consumer(
    async () => ({ kind: "permanent", reason, reply: "550 no", suppressAddress: false }),
    {
      concurrency: 250,
    },
  );
  const eventIds = await pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
  await eventually(async () => (await countLetters(pipeline.redis, pipeline.keys, GROUP)) === before + count);
  await consumer.stop();
  return eventIds;
};
