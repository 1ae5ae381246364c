import { runMigrations } from "graphile-worker";
import { Hono } from "hono";
import postgres from "postgres";

/** A signup whose job is a row beside it: one statement for both, and no Redis. */
const memoryCost = Number(process.env["PASSWORD_HASH_MEMORY_KIB"]);
const timeCost = Number(process.env["PASSWORD_HASH_PASSES"]);
const url = process.env["DATABASE_URL"] ?? "";
await runMigrations({ connectionString: url });
const sql = postgres(url, { max: 10, onnotice: () => {} });
await sql`create table if not exists users (
  id uuid primary key, user_name text not null unique, email text not null unique, password_hash text not null,
  created_at timestamptz not null default now()
)`;

const app = new Hono();
app.get("/readyz", (context) => context.text("ready"));
app.post("/api/v1/user/", async (context) => {
  const { user_name: name, email, password } = await context.req.json();
  if (![name, email, password].every((each) => typeof each === "string" && each !== "")) return context.body(null, 400);
  const hash = await Bun.password.hash(password, { algorithm: "argon2id", memoryCost, timeCost });
  const id = crypto.randomUUID();
  const rows = await sql`
    with created as (
      insert into users (id, user_name, email, password_hash) values (${id}, ${name}, ${email}, ${hash})
      on conflict do nothing returning user_name, email
    )
    select (graphile_worker.add_job('welcome', json_build_object('name', user_name, 'email', email), max_attempts => 10)).id
    from created`;
  return rows.length === 0 ? context.json({ error: "exists" }, 400) : context.json({ id }, 201);
});

Bun.serve({ hostname: "127.0.0.1", port: Number(process.env["PORT"]), fetch: app.fetch });
