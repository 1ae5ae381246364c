import { join } from "node:path";
import { runLocal } from "./run.ts";

/** `bun run start`: the whole system on this machine, no settings needed. */
const root = join(import.meta.dir, "..");
const bun = (file: string) => [process.execPath, join(root, file)];

process.exit(
  await runLocal({
    args: process.argv.slice(2),
    environment: process.env,
    root,
    directory: join(root, ".local"),
    programs: {
      migrate: bun("database/migrate.ts"),
      api: bun("api/main.ts"),
      consumer: bun("consumers/main.ts"),
      inbox: bun("local/inbox/main.ts"),
    },
  }),
);
