import { Redis } from "ioredis";
import { z } from "zod";
import { connect } from "./smtp.ts";

/**
 * The least that a mail can be: XREADGROUP, the least SMTP client, XACK; no ledger, no look-up, no promise. It writes its own
 * `BACKLOG` of entries first.
 */
const backlog = Number(process.env["BACKLOG"]);
const concurrency = Number(process.env["CONSUMER_CONCURRENCY"]);
const key = process.env["STREAM_NAME"] ?? "";
const BATCH = 100;
const BODY = `From: welcome@toblug.example\r\nSubject: Welcome\r\n\r\n${"Welcome to toblug. ".repeat(60)}\r\n.\r\n`;

const replySchema = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])).nullable();

const redis = new Redis(process.env["REDIS_URL"] ?? "");
await redis.xgroup("CREATE", key, "limit", "0", "MKSTREAM");
for (let from = 0; from < backlog; from += BATCH) {
  const pipeline = redis.pipeline();
  for (let each = from; each < Math.min(backlog, from + BATCH); each += 1) {
    pipeline.xadd(key, "*", "email", `limit-${each}@inbox.example`);
  }
  await pipeline.exec();
}

const clients = await Promise.all(Array.from({ length: concurrency }, () => connect(Number(process.env["MAIL_PORT"]))));
const entries: { readonly id: string; readonly email: string }[] = [];
const done: string[] = [];
let reading: Promise<void> | undefined;

const read = async (): Promise<void> => {
  if (done.length > 0) await redis.xack(key, "limit", ...done.splice(0));
  const reply = await redis.xreadgroup(
    "GROUP",
    "limit",
    "one",
    "COUNT",
    Math.max(BATCH, concurrency),
    "STREAMS",
    key,
    ">",
  );
  for (const [, found] of replySchema.parse(reply) ?? []) {
    for (const [id, [, email = ""]] of found) entries.push({ id, email });
  }
  reading = undefined;
};

await Promise.all(
  clients.map(async (client) => {
    for (;;) {
      const entry = entries.shift();
      if (entry !== undefined) {
        await client.send(entry.email, BODY);
        done.push(entry.id);
        continue;
      }
      reading ??= read();
      await reading;
      if (entries.length === 0) return;
    }
  }),
);
// It stays until it is killed: its CPU time is still to be read.
