import { type Audit, isSettled } from "./audit.ts";
import type { Load } from "./load.ts";
import type { LogCounts } from "./log-counts.ts";

/** All that a run has come to. */
export interface Results {
  readonly run: Run;
  readonly books: Audit;
  readonly load: Load;
  readonly logs: LogCounts;
  /** What processes did that they must not. */
  readonly misconduct: readonly string[];
}

export interface Run {
  readonly seed: number;
  /** Times from healing to the next mail, in ms, by kind of fault. */
  readonly recoveries: Map<string, readonly number[]>;
  faults: number;
  readonly notRecovered: string[];
}

/** What a run must have provoked: else it has proved nothing. Words of the log, and what they stand for. */
const PROVOKED = [
  { what: "steals", words: ["claimed entries of dead consumers"] },
  { what: "relay rescues", words: ["relayed events that were left in the outbox"] },
  { what: "reconciliations", words: ["brought back mails that Redis had lost"] },
  {
    what: "missing groups made again",
    words: ["made the group on its streams", "the group was missing and is created again"],
  },
] as const;

const provoked = (logs: LogCounts) =>
  PROVOKED.map(({ what, words }) => ({ what, count: words.reduce((sum, each) => sum + logs.count(each), 0) }));

const times = (samples: readonly number[]): string => {
  const sorted = [...samples].sort((left, right) => left - right);
  const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1_000).toFixed(1)} s`;
  return `${seconds(sorted[Math.floor(sorted.length / 2)])}  ${seconds(sorted.at(-1))}  (${sorted.length})`;
};

const entriesOf = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([what, count]) => `${count} ${what}`).join(", ") || "none";

/** The books and the times, as a table. */
export const report = ({ run, books, load, logs, misconduct }: Results): string => {
  const rows: (readonly [string, string])[] = [
    ["seed", String(run.seed)],
    ["faults", String(run.faults)],
    ["signups accepted", String(books.accepted)],
    ["mails delivered", `${books.delivered} signups`],
    ["lost", String(books.lost.length)],
    ["twins", `${books.twins.length}, of them unexplained ${books.unexplainedTwins.length}`],
    ["uncertain", String(books.uncertain)],
    ["dead", entriesOf(books.dead)],
    ["dead letters", entriesOf(books.letters)],
    ["left at the end", entriesOf(new Map(Object.entries(books.unfinished)))],
    ["processes that misbehaved", String(misconduct.length)],
    ...provoked(logs).map(({ what, count }) => [what, String(count)] as const),
    ["answers", entriesOf(load.answers)],
    ["slowest answer", `${(load.slowestMs() / 1_000).toFixed(1)} s`],
  ];
  const twinsByCause = Map.groupBy(books.twins, ({ during, why }) => `${during.padEnd(36)} ${why}`);
  const twins = [...twinsByCause].map(([cause, ofCause]) => {
    const most = ofCause.reduce((high, { copies }) => Math.max(high, copies), 0);
    return `  ${cause}: ${ofCause.length} signups, ${most} copies at the most`;
  });
  const recoveries = [...run.recoveries]
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([kind, samples]) => `  ${kind.padEnd(36)} ${times(samples)}`);
  return [
    "",
    ...rows.map(([what, value]) => `${what.padEnd(26)} ${value}`),
    ...(twins.length === 0
      ? []
      : ["twins, by what went on when the first copy was taken, and by the ledger's reason:", ...twins]),
    "recovery, from healing to the next mail: median  max  (times)",
    ...recoveries,
    "",
  ].join("\n");
};

/** What broke a promise, or kept the run from proving any. */
export const breachesOf = ({ run, books, load, logs, misconduct }: Results): string[] => {
  const breaches: string[] = [];
  const expectNone = (what: string, found: readonly string[]) => {
    if (found.length > 0) breaches.push(`${found.length} ${what}: ${found.slice(0, 5).join(", ")}`);
  };
  expectNone("lost mails", books.lost);
  expectNone("unexplained twins", books.unexplainedTwins);
  expectNone("unexplained deaths", books.unexplainedDead);
  expectNone("faults without recovery", run.notRecovered);
  expectNone("users that are half made", books.halfMade);
  expectNone("clients refused for what they themselves had asked before", load.wronglyRefused);
  expectNone("processes that misbehaved", misconduct);
  if (!isSettled(books.unfinished)) {
    breaches.push(`left at the end: ${entriesOf(new Map(Object.entries(books.unfinished)))}`);
  }
  if (books.uncertain === 0) breaches.push("nothing was uncertain: the run proved too little");
  for (const { what, count } of provoked(logs)) {
    if (count === 0) breaches.push(`no ${what}: the run proved too little`);
  }
  return breaches;
};
