import { Queue } from "bullmq";
import { Hono } from "hono";
import postgres from "postgres";
import { connection, queueName, type Welcome } from "./shared.ts";

/** A signup as a user of BullMQ writes it: one statement, then a job. What dies in between has no mail. */
const memoryCost = Number(process.env["PASSWORD_HASH_MEMORY_KIB"]);
const timeCost = Number(process.env["PASSWORD_HASH_PASSES"]);
const sql = postgres(process.env["DATABASE_URL"] ?? "", { max: 10, onnotice: () => {} });
await sql`create table if not exists users (
  id uuid primary key, user_name text not null unique, email text not null unique, password_hash text not null,
  created_at timestamptz not null default now()
)`;
const queue = new Queue<Welcome>(queueName, {
  connection,
  defaultJobOptions: { attempts: 10, backoff: { type: "exponential", delay: 1_000 }, removeOnComplete: true },
});
await queue.waitUntilReady();

const app = new Hono();
app.get("/readyz", (context) => context.text("ready"));
app.post("/api/v1/user/", async (context) => {
  const { user_name: name, email, password } = await context.req.json();
  if (![name, email, password].every((each) => typeof each === "string" && each !== "")) return context.body(null, 400);
  const hash = await Bun.password.hash(password, { algorithm: "argon2id", memoryCost, timeCost });
  const id = crypto.randomUUID();
  const rows = await sql`insert into users (id, user_name, email, password_hash)
    values (${id}, ${name}, ${email}, ${hash}) on conflict do nothing returning id`;
  if (rows.length === 0) return context.json({ error: "exists" }, 400);
  await queue.add("welcome", { name, email });
  return context.json({ id }, 201);
});

Bun.serve({ hostname: "127.0.0.1", port: Number(process.env["PORT"]), fetch: app.fetch });
