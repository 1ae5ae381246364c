import { expect } from "bun:test";
import { join } from "node:path";
import { startChild } from "../../local/child.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { opsProcess } from "../../ops/operator-for-tests.ts";
import type { System } from "../processes.ts";
import { type CeleryProgram, findCelery } from "./celery-program.ts";

const folder = import.meta.dir;
/** The task, as the old service names it. */
export const WELCOME = "app.tasks.send_email_welcome";

/** A call of `apply_async`. */
export type Call = readonly [task: string, args: readonly unknown[], kwargs: object, options: object];

/** The call for one person. */
export const welcome = (name: string, options: object = {}): Call => [
  WELCOME,
  [`${name}@inbox.example`, name],
  {},
  options,
];
/** The calls for many, told apart by a number. */
export const many = (count: number, name: string, options: object = {}): readonly Call[] =>
  Array.from({ length: count }, (_, at) => welcome(`${name}-${at}`, options));

/** The old service: its producers and its workers. */
export const anOldService = (
  { python, env: own }: CeleryProgram,
  broker: string,
  smtpPort: number,
  more: Readonly<Record<string, string>> = {},
) => {
  const env = { ...own, BROKER: broker, SMTP_PORT: String(smtpPort), ACKS_LATE: "yes", TRACK_STARTED: "yes", ...more };
  return {
    async call(calls: readonly Call[], settings: Readonly<Record<string, string>> = {}) {
      const child = Bun.spawn([python, join(folder, "old_app.py")], {
        env: { ...env, ...settings },
        stdin: new Blob([JSON.stringify(calls)]),
        stdout: "ignore",
        stderr: "pipe",
      });
      const [fault, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      expect([code, fault]).toEqual([0, ""]);
    },
    worker: () =>
      startChild({
        command: [
          ...[python, "-m", "celery", "-A", "old_app", "worker", "--pool", "solo", "--concurrency", "1"],
          ...["--without-gossip", "--without-mingle", "--without-heartbeat"],
        ],
        cwd: folder,
        env,
        onLine: () => {},
        deathSignal: "TERM",
      }),
  };
};

/** How many mails each person has got. */
export const copiesIn = ({ mailServer }: System) => {
  const mailed = new Map<string, number>();
  for (const { to } of mailServer.taken) for (const each of to) mailed.set(each, (mailed.get(each) ?? 0) + 1);
  return mailed;
};

/** Runs `ops import celery` with these words, as operators do. */
export const importWith = async ({ environment }: System, ...words: readonly string[]) => {
  const env = { ...environment, DATABASE_URL: asDatabaseRole(environment["DATABASE_URL"] ?? "", "signup_ops") };
  const { out, err, code } = await opsProcess(["import", "celery", "--yes", "--json", ...words], env);
  return code === 0 ? JSON.parse(out) : { code, err };
};

/** undefined: it cannot be had here. */
export const celery = findCelery();
if (celery === undefined) console.warn("skipped: no Celery here, and Debian's python3-celery cannot be fetched");
