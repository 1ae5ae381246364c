import { join } from "node:path";
import postgres from "postgres";
import { openDatabase } from "../database/connection.ts";
import { makeRoles } from "../database/grant-rights.ts";
import { runLocal } from "./run.ts";

/** The system with stand-ins for its programs, for tests of how they are started, watched and stopped. */
export const STAND_INS = import.meta.path;

const say = (message: string): void =>
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

const runStandIn = async (role: string, args: readonly string[]): Promise<number> => {
  const standIn = (name: string) => [process.execPath, STAND_INS, name];
  switch (role) {
    case "system": {
      const [directory = "", ...rest] = args;
      return runLocal({
        args: rest,
        environment: process.env,
        root: process.env["STAND_IN_ROOT"] ?? join(import.meta.dir, ".."),
        directory,
        programs: {
          migrate: standIn("migrate"),
          api: standIn("api"),
          consumer: standIn("consumer"),
          inbox: [process.execPath, join(import.meta.dir, "inbox", "main.ts")],
        },
      });
    }
    case "migrate": {
      const db = openDatabase({ url: process.env["DATABASE_URL"] ?? "", poolSize: 1, applicationName: "stand-in" });
      await makeRoles(db);
      await db.destroy();
      say("up to date");
      return 0;
    }
    case "api":
      return serve(Number(process.env["PORT"]));
    default:
      return process.env["STAND_IN_CONSUMER_EXITS"] === undefined
        ? serve(Number(process.env["CONSUMER_HEALTH_PORT"]))
        : Number(process.env["STAND_IN_CONSUMER_EXITS"]);
  }
};

if (import.meta.main) {
  const [role = "", ...args] = process.argv.slice(2);
  process.exit(await runStandIn(role, args));
}
