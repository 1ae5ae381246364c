/** Answers and does nothing: how many requests the load generator can make. */
const BODY = JSON.stringify({ id: crypto.randomUUID() });
const HEADERS = { "Content-Type": "application/json" };

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  routes: {
    "/readyz": new Response("ready"),
    "/api/v1/user/": { POST: () => new Response(BODY, { status: 201, headers: HEADERS }) },
  },
});
