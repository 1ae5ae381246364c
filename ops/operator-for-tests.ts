import { join } from "node:path";
import { loadSettings } from "../settings/load.ts";
import { countLetters } from "../stream/dead-letters.ts";
import { eventually } from "../tests/eventually.ts";
import { aSignup, type Pipeline } from "../tests/pipeline.ts";
import { createAuditLog } from "./actions/audit-log.ts";
import type { Operator } from "./actions/operator.ts";
import { runWords } from "./app.ts";
import type { Answer } from "./command.ts";
import { aScreen } from "./terminal/screen-for-tests.ts";

export const GROUP = "welcome-email";

/** An operator of a test's pipeline. */
export const anOperator = ({ ops, keys, groups }: Pipeline, parts: Partial<Operator> = {}): Operator => ({
  db: ops.db,
  redis: ops.redis,
  keys,
  groups,
  signal: new AbortController().signal,
  onProgress: () => {},
  at: () => {},
  audit: createAuditLog({
    db: ops.db,
    actor: "tester",
    surface: "ops",
    host: "test",
    newId: () => Bun.randomUUIDv7(),
    warn: () => {},
  }),
  ...parts,
});

/** The receivers whose groups a test's pipeline has. */
const receiversOf = ({ groups }: Pipeline): readonly string[] =>
  groups.flatMap(({ name }) => /^webhook-(.+)$/.exec(name)?.[1] ?? []);

/** What a command answers in a test's pipeline; rejects with its error. */
export const answerOf = async (pipeline: Pipeline, ...words: readonly string[]): Promise<Answer> => {
  const answers: Promise<Answer>[] = [];
  const output: string[] = [];
  const stream = { write: (text: string) => void output.push(text) };
  await runWords(words, {
    process: { stdout: stream, stderr: stream },
    conclude: async (produce) => {
      const answer = produce();
      answers.push(answer);
      await answer.catch(() => {});
    },
    connected: (_, work) =>
      work({
        ...anOperator(pipeline),
        settings: loadSettings("ops", {
          DATABASE_URL: pipeline.ops.databaseUrl,
          REDIS_URL: pipeline.ops.redisUrl,
          WEBHOOKS: receiversOf(pipeline).join(","),
        }),
        localStart: undefined,
        say: () => {},
        screen: aScreen(),
        now: () => new Date(),
      }),
  });
  const [answer] = answers;
  if (answer === undefined) throw new Error(`no command ran: ${output.join("")}`);
  return answer;
};

/** The same as people read it, without colours. */
export const textOf = async (pipeline: Pipeline, ...words: readonly string[]): Promise<string> =>
  (await answerOf(pipeline, ...words)).text((_, text) => text);

/** The settings of a test's pipeline, for a process. */
export const environmentOf = (pipeline: Pipeline) => ({
  DATABASE_URL: pipeline.ops.databaseUrl,
  REDIS_URL: pipeline.ops.redisUrl,
  STREAM_NAME: pipeline.streamName,
});

/** Runs the command line as a process. */
export const opsProcess = async (words: readonly string[], environment: Readonly<Record<string, string>>) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), ...words], {
    env: { PATH: process.env["PATH"], ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
};

/** Signs people up whose mails a consumer dead-letters for this reason; returns their event ids. */
export const deadLetter = async (
  pipeline: Pipeline,
  count: number,
  reason = "mailbox_unavailable",
): Promise<string[]> => {
  const before = await countLetters(pipeline.redis, pipeline.keys, GROUP);
  const consumer = await pipeline.consumer(async () => ({ kind: "rejected", reason, reply: "550 no" }), {
    concurrency: 250,
  });
  const eventIds = await pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
  await eventually(async () => (await countLetters(pipeline.redis, pipeline.keys, GROUP)) === before + count);
  await consumer.stop();
  return eventIds;
};
