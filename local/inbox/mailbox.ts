import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A mail as it came in. */
export interface CaughtMail {
  /** Grows with time. */
  readonly id: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly receivedAt: string;
  readonly raw: string;
}

/** The mails that were caught, newest last; the oldest go when there are too many. */
export interface Mailbox {
  add(mail: Omit<CaughtMail, "id" | "receivedAt">): void;
  all(): readonly CaughtMail[];
  find(id: number): CaughtMail | undefined;
  clear(): void;
}

const MAX_MAILS = 5_000;
const MAX_BYTES = 64 * 1_048_576;
/** The file is written anew when it holds so many mails more than are kept. */
const COMPACT_AFTER = 2_000;

const stored = (file: string): CaughtMail[] => {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.flatMap((line) => {
    try {
      const mail: CaughtMail = JSON.parse(line);
      return [mail];
    } catch {
      // The last line of a process that was killed.
      return [];
    }
  });
};

/** Keeps the mails in memory, and in a file so that they outlive a restart. */
export const openMailbox = (directory: string): Mailbox => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory)) if (!name.startsWith("mails")) rmSync(join(directory, name));
  const file = join(directory, "mails.jsonl");
  const mails = stored(file);
  let bytes = mails.reduce((sum, mail) => sum + mail.raw.length, 0);
  let nextId = (mails.at(-1)?.id ?? 0) + 1;
  let dropped = 0;

  const drop = () => {
    bytes -= mails.shift()?.raw.length ?? 0;
    dropped += 1;
    if (dropped < COMPACT_AFTER) return;
    dropped = 0;
    writeFileSync(file, mails.map((mail) => `${JSON.stringify(mail)}\n`).join(""));
  };

  return {
    add(mail) {
      const caught = { id: nextId, receivedAt: new Date().toISOString(), ...mail };
      nextId += 1;
      mails.push(caught);
      bytes += mail.raw.length;
      appendFileSync(file, `${JSON.stringify(caught)}\n`);
      while (mails.length > MAX_MAILS || bytes > MAX_BYTES) drop();
    },
    all: () => mails,
    find: (id) => mails.find((mail) => mail.id === id),
    clear() {
      mails.length = 0;
      bytes = 0;
      writeFileSync(file, "");
    },
  };
};
