import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CAPACITY_CONSTANTS } from "../../runtime/capacity/constants.ts";
import { capacityFor } from "../../runtime/capacity/model.ts";
import { bytes, count } from "../../runtime/quantity.ts";
import { runWords } from "../app.ts";
import type { Answer } from "../command.ts";

const DOCUMENT = readFileSync(join(import.meta.dir, "../../docs/capacity.md"), "utf8");

/** Runs a command that needs no store; what it printed if it had no answer. */
const answerOf = async (...words: readonly string[]): Promise<Answer | string> => {
  const printed: string[] = [];
  const answers: Answer[] = [];
  const stream = { write: (text: string) => void printed.push(text) };
  await runWords(words, {
    process: { stdout: stream, stderr: stream },
    conclude: async (produce) => void answers.push(await produce()),
    connected: () => Promise.reject(new Error("it asks a store")),
  });
  return answers[0] ?? printed.join("");
};

const rowOf = (signupsPerDay: number): string => {
  const { api, consumers, postgres, redis, bill } = capacityFor({ signupsPerDay, peakFactor: 3, mailLatencyMs: 500 });
  const cells = [
    count(signupsPerDay),
    count(api.replicas),
    count(consumers.total),
    count(consumers.smtpConnections),
    count(postgres.connections),
    count(postgres.rowsPerDay),
    bytes(postgres.bytesPerDay),
    bytes(postgres.walBytesPerDay),
    bytes(redis.memoryBytes),
    bill.cores.toFixed(2),
  ];
  return `| ${cells.join(" | ")} |`;
};

describe("capacity", () => {
  test("answers without a store, for people and for scripts", async () => {
    const answer = await answerOf(
      "capacity",
      "--signups-per-day",
      "1000000",
      "--peak-factor",
      "5",
      "--mail-latency",
      "2s",
    );
    expect(answer).toMatchObject({
      json: { signupsPerDay: 1_000_000, peakFactor: 5, mailLatencyMs: 2_000, consumers: { mailsPerSecond: 9.3 } },
    });
    expect(await answerOf("capacity", "--constants")).toMatchObject({ json: CAPACITY_CONSTANTS });
  });

  test("refuses what is no load", async () => {
    for (const words of [
      ["--signups-per-day", "0"],
      ["--peak-factor", "0.5"],
      ["--mail-latency", "500"],
    ]) {
      expect(await answerOf("capacity", ...words)).toContain("expected");
    }
  });

  test("docs/capacity.md has what the model says, and each constant", () => {
    for (const signups of [1_000, 1_000_000, 100_000_000]) expect(DOCUMENT).toContain(rowOf(signups));
    for (const [name, { value, unit, source, date }] of Object.entries(CAPACITY_CONSTANTS)) {
      expect(DOCUMENT).toContain(`| \`${name}\` | ${count(value)} | ${unit} | ${source} | ${date} |`);
    }
  });
});
