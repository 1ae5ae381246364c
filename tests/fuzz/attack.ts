import fc from "fast-check";
import { MAX_BODY_BYTES } from "../../api/read-body.ts";
import { type FuzzFraming, framing } from "./framings.ts";
import { type FuzzRequest, request } from "./requests.ts";
import { type Outcome, sendFraming, sendRequest } from "./send.ts";

type FuzzCase = FuzzRequest | FuzzFraming;

/** Half of the cases are well-framed requests; of the others, few get beyond the parser. */
const fuzzCase: fc.Arbitrary<FuzzCase> = fc.oneof({ weight: 3, arbitrary: request }, { weight: 2, arbitrary: framing });

/** A case that was not answered as it may be. */
export interface Breach {
  /** `seed`, and the case's number: the same again with `--seed` and `--runs`. */
  readonly number: number;
  readonly outcome: Outcome;
  readonly case: unknown;
}

export interface AttackOptions {
  readonly port: number;
  readonly seed: number;
  readonly runs: number;
  /** Ends the attack early. */
  readonly signal: AbortSignal;
  /** Called after each batch, with the number of cases so far. */
  readonly onProgress: (done: number) => void;
}

export interface AttackResult {
  readonly done: number;
  /** How often each outcome was seen: a status, or a word. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly breaches: readonly Breach[];
}

/** Cases that are generated at once; each batch has a seed of its own. */
const BATCH = 500;
/** Cases under way at once. */
const LANES = 24;
/** Bun's answer to a version of HTTP that it does not speak. */
const VERSION_NOT_SUPPORTED = 505;

/** 1xx, 2xx, 3xx, 4xx and 503 are answers; any other is a fault of ours. */
const mayBe = (status: number, sent: FuzzCase): boolean =>
  status < 500 || status === 503 || (status === VERSION_NOT_SUPPORTED && sent.kind === "framing");

const isBreach = (outcome: Outcome, sent: FuzzCase): boolean => {
  if (outcome.kind === "answered") return !outcome.statuses.every((status) => mayBe(status, sent));
  if (outcome.kind === "hung") return true;
  // A well-framed request has an answer; a client that still writes a refused body may lose it with the connection.
  return sent.kind === "request" && (sent.body?.length ?? 0) <= MAX_BODY_BYTES;
};

const readable = (sent: FuzzCase): unknown =>
  sent.kind === "request" && sent.body !== undefined
    ? { ...sent, body: Buffer.from(sent.body).toString("latin1") }
    : sent;

/** Sends so many generated cases, and reports each that was not answered as it may be. */
export const attack = async ({ port, seed, runs, signal, onProgress }: AttackOptions): Promise<AttackResult> => {
  const origin = `http://127.0.0.1:${port}`;
  const outcomes = new Map<string, number>();
  const breaches: Breach[] = [];
  let done = 0;

  const send = async (sent: FuzzCase, number: number): Promise<void> => {
    const outcome = sent.kind === "request" ? await sendRequest(origin, sent) : await sendFraming(port, sent);
    const words = outcome.kind === "answered" ? outcome.statuses.map(String) : [outcome.kind];
    for (const word of words) outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
    if (isBreach(outcome, sent)) breaches.push({ number, outcome, case: readable(sent) });
    done += 1;
  };

  for (let first = 0; first < runs && !signal.aborted; first += BATCH) {
    const cases = fc.sample(fuzzCase, { numRuns: Math.min(BATCH, runs - first), seed: seed + first });
    const waiting = cases.entries();
    const lane = async () => {
      for (const [index, each] of waiting) await send(each, first + index);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    onProgress(done);
  }
  return { done, outcomes: Object.fromEntries([...outcomes].toSorted()), breaches };
};
