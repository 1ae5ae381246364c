import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A mail as it was received. */
export interface CaughtMail {
  /** Increases with each mail. */
  readonly id: number;
  /** Sender and recipients of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  /** ISO 8601 */
  readonly receivedAt: string;
  /** The bytes, one character each (latin1), so that a mail in any charset is kept unchanged. */
  readonly raw: string;
}

/** The mails that were caught, newest last; the oldest are dropped when there are too many. */
export interface Mailbox {
  /** When it returns, the mail is in the file. */
  add(mail: Omit<CaughtMail, "id" | "receivedAt">): CaughtMail;
  all(): readonly CaughtMail[];
  find(id: number): CaughtMail | undefined;
  /** Whether there was one. */
  remove(id: number): boolean;
  clear(): void;
  /** Calls `onChange` whenever a mail came or went; returns a function that ends it. */
  follow(onChange: () => void): () => void;
}

export interface MailboxLimits {
  readonly maxMails: number;
  readonly maxBytes: number;
}

const LIMITS: MailboxLimits = { maxMails: 5_000, maxBytes: 64 * 1_048_576 };

const linesOf = (mails: readonly CaughtMail[]): string => mails.map((mail) => `${JSON.stringify(mail)}\n`).join("");

const stored = (file: string): CaughtMail[] => {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.flatMap((line) => {
    try {
      const mail: CaughtMail = JSON.parse(line);
      return [mail];
    } catch {
      // A killed process left an incomplete line.
      return [];
    }
  });
};

/** Keeps the mails in memory, and in a file so that they survive a restart. */
export const openMailbox = (directory: string, limits = LIMITS): Mailbox => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "mails.jsonl");
  const mails = stored(file);
  let bytes = mails.reduce((sum, mail) => sum + mail.raw.length, 0);
  let nextId = (mails.at(-1)?.id ?? 0) + 1;
  let dropped = 0;
  const followers = new Set<() => void>();
  const sayChange = () => {
    for (const onChange of followers) onChange();
  };

  const rewrite = () => {
    writeFileSync(`${file}.new`, linesOf(mails), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    dropped = 0;
  };

  const dropOldest = () => {
    while (mails.length > limits.maxMails || bytes > limits.maxBytes) {
      bytes -= mails.shift()?.raw.length ?? 0;
      dropped += 1;
    }
  };

  dropOldest();
  // Also completes a truncated last line, which the next mail would be appended to.
  if (existsSync(file)) rewrite();

  return {
    add(mail) {
      const caught: CaughtMail = { id: nextId, receivedAt: new Date().toISOString(), ...mail };
      appendFileSync(file, linesOf([caught]), { mode: 0o600 });
      nextId += 1;
      mails.push(caught);
      bytes += mail.raw.length;
      dropOldest();
      // Rarely, so that the file is not rewritten with every mail.
      if (dropped > limits.maxMails / 2) rewrite();
      sayChange();
      return caught;
    },
    all: () => mails,
    find: (id) => mails.find((mail) => mail.id === id),
    remove(id) {
      const index = mails.findIndex((mail) => mail.id === id);
      if (index < 0) return false;
      bytes -= mails.splice(index, 1)[0]?.raw.length ?? 0;
      rewrite();
      sayChange();
      return true;
    },
    clear() {
      mails.length = 0;
      bytes = 0;
      rewrite();
      sayChange();
    },
    follow(onChange) {
      followers.add(onChange);
      return () => void followers.delete(onChange);
    },
  };
};
