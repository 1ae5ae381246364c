import { backoffMs } from "../../../runtime/backoff.ts";
import { pause } from "../../../runtime/loop.ts";
import type { FoundMessage } from "../../../stream/celery/broker.ts";
import { audited } from "../audited.ts";
import type { Operator } from "../operator.ts";
import { type CeleryBroker, createImporter, type Importer, type ImportOptions } from "./importer.ts";
import { createTally, type ImportCounts, type Tally } from "./tally.ts";

export interface ImportOrder extends ImportOptions {
  /** Its name, for the report. */
  readonly queueName: string;
  /** Keeps running, and takes what comes. */
  readonly follow: boolean;
  /** Examples of each kind in the report. */
  readonly examples: number;
  /** Told once when a store goes away while it follows, and when it is back. */
  readonly onFault: (message: string) => void;
}

export interface ImportReport extends ImportCounts {
  readonly queue: string;
  /** Asked to stop before the end; when it follows, that is its end. */
  readonly stopped: boolean;
}

/** Messages in one script and one statement. */
const BATCH = 100;
const FOLLOW_EVERY_MS = 1_000;
/** What is left is looked at again in each pass, which must not be all that the broker does. */
const SHARE_OF_TIME = 4;
const FOLLOW_CAP_MS = 30_000;

async function* everything({ queue }: CeleryBroker, signal: AbortSignal): AsyncGenerator<readonly FoundMessage[]> {
  yield* queue.aside(BATCH);
  const waiting = queue.waiting(BATCH, signal);
  for (let page = await waiting.next(0); page.done !== true; page = await waiting.next(page.value.length)) {
    yield page.value;
  }
  yield* queue.unacked(BATCH);
}

/** What an import would do to each message, by outcome. It changes nothing. */
export const previewImport = async (
  operator: Operator,
  broker: CeleryBroker,
  order: ImportOrder,
): Promise<ImportReport> => {
  const importer = createImporter(operator, broker, order);
  const tally = createTally(order.examples);
  /** By address, and by the event's id. */
  const planned = new Set<string>();
  for await (const page of everything(broker, operator.signal)) {
    if (operator.signal.aborted) break;
    for (const each of await importer.consider(page)) {
      const { decision, candidate } = each;
      if (decision.kind === "leave") tally.leave(each, decision.reason);
      else if (decision.kind === "drop") tally.take(each, decision.outcome);
      else if (planned.has(candidate?.emailKey ?? "")) tally.take(each, "welcomed_before");
      else if (planned.has(candidate?.eventId ?? "")) tally.leave(each, "repeated_id");
      else tally.take(each, decision.work.state, decision.makesUser);
      if (decision.kind === "record" && candidate !== undefined) planned.add(candidate.emailKey).add(candidate.eventId);
    }
    operator.onProgress({ done: tally.total(), noun: "messages counted" });
  }
  return { queue: order.queueName, ...tally.counts(), stopped: operator.signal.aborted };
};

/** Takes what is meant of a page; returns how many of it are there still. */
const takePage = async (
  { at }: Operator,
  { queue }: CeleryBroker,
  importer: Importer,
  page: readonly FoundMessage[],
  tally: Tally,
): Promise<number> => {
  const considered = await importer.consider(page);
  const meant = considered.flatMap((each) => {
    if (each.decision.kind !== "leave") return [each.found];
    tally.leave(each, each.decision.reason);
    return [];
  });
  // What a worker has taken since is the worker's.
  const taken = await queue.take(meant);
  await at("taken");
  const back = await importer.settle(taken, tally);
  return page.length - meant.length + back;
};

const passOnce = async (
  operator: Operator,
  broker: CeleryBroker,
  importer: Importer,
  tally: Tally,
  total: number | undefined,
): Promise<void> => {
  const { signal, onProgress } = operator;
  const { queue } = broker;
  const show = () => onProgress({ done: tally.total(), noun: "messages", ...(total === undefined ? {} : { total }) });
  tally.forgetLeft();
  await queue.lock();
  for await (const page of queue.aside(BATCH)) {
    await importer.settle(page, tally);
    show();
    if (signal.aborted) return;
  }
  const waiting = queue.waiting(BATCH, signal);
  let page = await waiting.next(0);
  while (page.done !== true) {
    const stays = await takePage(operator, broker, importer, page.value, tally);
    show();
    page = await waiting.next(stays);
  }
  for await (const held of queue.unacked(BATCH)) {
    if (signal.aborted) return;
    await takePage(operator, broker, importer, held, tally);
    show();
  }
};

/** Passes until it is asked to stop, whatever goes away meanwhile. */
const follow = async (operator: Operator, order: ImportOrder, pass: () => Promise<void>): Promise<void> => {
  const { signal } = operator;
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await pass();
      if (failures > 0) order.onFault("goes on");
      failures = 0;
      const tookMs = performance.now() - startedAt;
      await pause(Math.min(FOLLOW_CAP_MS, Math.max(FOLLOW_EVERY_MS, (SHARE_OF_TIME - 1) * tookMs)), signal);
    } catch (error) {
      failures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      if (failures === 1) order.onFault(`waits, and tries again: ${reason}`);
      await pause(backoffMs(failures, FOLLOW_EVERY_MS, FOLLOW_CAP_MS, Math.random), signal);
    }
  }
};

const run = async (
  operator: Operator,
  broker: CeleryBroker,
  order: ImportOrder,
  total?: number,
): Promise<ImportReport> => {
  const importer = createImporter(operator, broker, order);
  const tally = createTally(order.examples);
  const pass = () => passOnce(operator, broker, importer, tally, order.follow ? undefined : total);
  try {
    // Before it follows, too: whoever starts two is told at once.
    await broker.queue.lock();
    await (order.follow ? follow(operator, order, pass) : pass());
  } finally {
    // Else the lock ends by itself.
    await broker.queue.unlock().catch(() => {});
  }
  return { queue: order.queueName, ...tally.counts(), stopped: operator.signal.aborted };
};

/**
 * Takes the welcome mails that wait in a queue of Celery: each message is moved aside, recorded, and forgotten. It may be stopped,
 * killed, and run again. `total`: how many the preview has counted, for the progress.
 *
 * @throws {NotAlone} while another import of the queue runs
 */
export const importCelery = audited({
  name: "import celery",
  describe: ([, { queueName, task, createUsers, takeUnacked, follow: follows }]) => ({
    arguments: { queue: queueName, task, createUsers, takeUnacked, follow: follows },
  }),
  run,
  resultOf: ({ taken, stopped, examples }, [, order]) => ({
    affected: Object.values(taken).reduce((sum, count) => sum + count, 0),
    stopped: stopped && !order.follow,
    eventIds: examples.flatMap(({ eventId }) => eventId ?? []),
  }),
});
