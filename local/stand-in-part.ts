import postgres from "postgres";

/** An API, or a consumer, that does nothing. It loads next to nothing: a test starts a dozen of them. */
export const STAND_IN_PART = import.meta.path;

/** Prints a line as our programs do. */
export const say = (message: string): void =>
  console.log(JSON.stringify({ time: new Date().toISOString(), level: "info", service: "stand-in", message }));

const untilAsked = (): Promise<void> => new Promise((resolve) => process.on("SIGTERM", () => resolve()));

const storeAnswers = async (): Promise<boolean> => {
  const sql = postgres(process.env["DATABASE_URL"] ?? "", { max: 1, connect_timeout: 2 });
  try {
    return (await sql`select 1 as one`).length === 1;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
};

const inboxAnswers = async (): Promise<boolean> => {
  const socket = Bun.connect({ hostname: "127.0.0.1", port: Number(process.env["MAIL_PORT"]), socket: { data() {} } });
  return socket.then(
    (opened) => {
      opened.end();
      return true;
    },
    () => false,
  );
};

/** Serves until it is asked to stop; `POST /die/N` prints an error and exits at once with that code. */
const serve = async (port: number): Promise<number> => {
  Bun.serve({
    hostname: "127.0.0.1",
    port,
    routes: {
      "/pid": new Response(String(process.pid)),
      "/readyz": new Response("ready"),
      "/environment": () => Response.json(process.env),
      "/die/:code": (request) => {
        console.error("something went wrong here");
        process.exit(Number(request.params.code));
      },
    },
  });
  say("serving");
  await untilAsked();
  say(`drained; store: ${await storeAnswers()}, inbox: ${await inboxAnswers()}`);
  return 0;
};

if (import.meta.main) {
  const { env, argv } = process;
  const exits = env["STAND_IN_CONSUMER_EXITS"];
  const code =
    argv[2] === "api"
      ? await serve(Number(env["PORT"]))
      : exits === undefined
        ? await serve(Number(env["CONSUMER_HEALTH_PORT"]))
        : Number(exits);
  process.exit(code);
}
