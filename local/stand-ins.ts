import { join } from "node:path";
import { openDatabase } from "../database/connection.ts";
import { makeRoles } from "../database/grant-rights.ts";
import { runLocal } from "./run.ts";
import { STAND_IN_PART, say } from "./stand-in-part.ts";

/** The system with stand-ins for its programs, for tests of how they are started, watched and stopped. */
export const STAND_INS = import.meta.path;

const runStandIn = async (role: string, args: readonly string[]): Promise<number> => {
  const part = (name: string) => [process.execPath, STAND_IN_PART, name];
  switch (role) {
    case "system": {
      const [directory = "", ...rest] = args;
      return runLocal({
        args: rest,
        environment: process.env,
        root: process.env["STAND_IN_ROOT"] ?? join(import.meta.dir, ".."),
        directory,
        programs: {
          migrate: [process.execPath, STAND_INS, "migrate"],
          api: part("api"),
          consumer: part("consumer"),
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
    default:
      throw new Error(`no stand-in is called ${role}`);
  }
};

if (import.meta.main) {
  const [role = "", ...args] = process.argv.slice(2);
  process.exit(await runStandIn(role, args));
}
