import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import baseline from "./baseline.json" with { type: "json" };
import { CASES, USUAL_CASES } from "./cases.ts";
import { chartSvg } from "./chart.ts";
import { type Contender, checkout, labelsOf, PEERS, peer } from "./contenders.ts";
import { baselineOf, GUARD_CASES, GUARD_SIZES, judge, sentence, type Verdict } from "./guard.ts";
import { measure } from "./measure.ts";
import { type Measurement, summary } from "./summary.ts";
import { chartsOf, type Labelled } from "./tables.ts";
import { wholeNumber } from "./whole-number.ts";

const BASELINE = join(import.meta.dir, "baseline.json");

const HELP = `bun run bench [options]: what a signup and a mail cost, on processes as an operator runs them

  --trees DIR,DIR   checkouts to compare, each with its dependencies installed (default: this one, beside the peers)
  --peers A,B       of ${PEERS.join(", ")} (default: all, or none with --trees)
  --rounds N        measurements of each contender and case; they take turns (default: 5)
  --cases A,B       of ${Object.keys(CASES).join(", ")} (default: all but those from 100k on)
  --seconds N       how long accept measures (default: 5)
  --mails N         how many mails drain sends; Celery a tenth, limit five times as many (default: 10000)
  --concurrency N   mails in flight in a consumer, and its SMTP connections (default: 50)
  --json            a line for each measurement on standard output, the table on standard error: \`bun bench/report.ts FILE\`
                    writes such lines into docs/performance.md
  --svg DIR         pictures of the medians
  --guard           a minute: fails if our CPU time has clearly grown beside the limit's, by bench/baseline.json
  --write-baseline  with --guard: writes that file instead

CPU is in µs for each signup or mail: figures of a busy machine that can be trusted more than those of time. Stores, API,
consumer and SMTP server share the machine; compare ratios of one run, not figures of two. After ± stands what chance
alone makes of a ratio in 95 of 100 runs: measure more rounds, four times as many to halve it, until it is less than the
difference that is looked for.`;

const options = () => {
  const { values } = parseArgs({
    options: {
      trees: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string", default: "5" },
      cases: { type: "string", default: USUAL_CASES.join(",") },
      seconds: { type: "string", default: "5" },
      mails: { type: "string", default: "10000" },
      concurrency: { type: "string", default: "50" },
      json: { type: "boolean", default: false },
      svg: { type: "string" },
      guard: { type: "boolean", default: false },
      "write-baseline": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    trees: (values.trees ?? resolve(import.meta.dir, "..")).split(",").map((tree) => resolve(tree)),
    peers: (values.peers ?? (values.trees === undefined ? PEERS.join(",") : ""))
      .split(",")
      .filter((name) => name !== ""),
    cases: values.cases.split(","),
    rounds: wholeNumber("rounds", values.rounds),
    seconds: wholeNumber("seconds", values.seconds),
    mails: wholeNumber("mails", values.mails),
    concurrency: wholeNumber("concurrency", values.concurrency),
    json: values.json,
    svg: values.svg,
    guard: values.guard,
    writesBaseline: values["write-baseline"],
    help: values.help,
  };
};

/** The peers that can be had; of the others, a line says why not. */
const peersOf = (names: readonly string[]): readonly Contender[] =>
  names.flatMap((name) => {
    const known = PEERS.find((each) => each === name);
    if (known === undefined) throw new Error(`--peers: ${name} is none of ${PEERS.join(", ")}`);
    try {
      return [peer(known)];
    } catch (error) {
      console.error(`${name} is skipped: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  });

const guardOnce = async (): Promise<readonly Verdict[]> => {
  const contenders = [checkout(resolve(import.meta.dir, "..")), peer("limit")];
  const measurements: Measurement[] = [];
  await measure({ ...GUARD_SIZES, cases: GUARD_CASES, contenders, onMeasured: (each) => measurements.push(each) });
  return judge(measurements, baseline);
};

/** Looks a second time before it fails: the machine may have been busy with something else. */
const guard = async (writesBaseline: boolean): Promise<void> => {
  let verdicts = await guardOnce();
  if (writesBaseline) {
    writeFileSync(BASELINE, `${JSON.stringify(baselineOf(verdicts), undefined, 2)}\n`);
    return;
  }
  if (verdicts.some(({ is }) => is === "fallen")) {
    console.error(`${verdicts.map(sentence).join("\n")}\nslower than the baseline; measured once more:`);
    verdicts = await guardOnce();
  }
  console.log(verdicts.map(sentence).join("\n"));
  const fallen = verdicts.filter(({ is }) => is === "fallen").map(({ name }) => name);
  if (fallen.length > 0) throw new Error(`slower than bench/baseline.json says, in every round: ${fallen.join(", ")}`);
};

const run = async (): Promise<void> => {
  const { trees, peers, json, svg, help, guard: isGuard, writesBaseline, ...sizes } = options();
  if (help) return console.log(HELP);
  if (isGuard) return guard(writesBaseline);
  const contenders = [...trees.map(checkout), ...peersOf(peers)];
  const labels = labelsOf(contenders);
  const measurements: Labelled[] = [];
  if (json) {
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Bun ${Bun.version}`;
    const date = new Date().toISOString().slice(0, 10);
    console.log(JSON.stringify({ run: { date, machine, cores: cpus().length, load: loadavg()[0] } }));
  }
  const onMeasured = (measurement: Measurement) => {
    const labelled = { contender: labels[measurement.place] ?? "", ...measurement };
    measurements.push(labelled);
    if (json) console.log(JSON.stringify(labelled));
  };
  try {
    await measure({ ...sizes, contenders, onMeasured });
  } finally {
    // What was measured is worth its time even if the rest failed.
    (json ? console.error : console.log)(`\n${summary(measurements, labels)}`);
  }
  if (svg === undefined) return;
  mkdirSync(svg, { recursive: true });
  for (const { name, chart } of chartsOf(measurements))
    writeFileSync(join(svg, `performance-${name}.svg`), chartSvg(chart));
};

process.exit(
  await run().then(
    () => 0,
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      return 1;
    },
  ),
);
