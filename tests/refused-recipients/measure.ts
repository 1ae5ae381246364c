import { startSimulatedConsumer } from "./consumer.ts";
import { simulatedServer } from "./server.ts";
import { mailsOf, type Shape } from "./shapes.ts";
import { type Piece, simulatedStreams } from "./streams.ts";
import { simulateTime } from "./time.ts";

/** What became of the good mails of a shape. */
export interface Figures {
  /** Until the first one was taken, in ms; infinite if none was. */
  readonly firstMs: number;
  /** Good mails a second, from the first one to the last. */
  readonly perSecond: number;
  readonly taken: number;
  /** Their numbers, in the order in which they were taken. */
  readonly order: readonly number[];
  /** From a mail's signup until it was taken, of each, in ms. */
  readonly tookMs: readonly number[];
  /** Good mails that used up an attempt more than the one that sent them. */
  readonly retried: number;
  /** How often a bad one was asked for, and how many entries were passed over. */
  readonly asked: number;
  /** How often a good one was refused by the limit. */
  readonly limited: number;
  readonly passed: number;
}

const MAIL_MS = 100;

/** The same numbers each time. */
const seeded = (seed: number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

const numberOf = (address: string): number => Number(/-(\d+)@/.exec(address)?.[1]);

/**
 * Sends the mails of a shape in simulated time, for so long at most. Neither the machine nor the stores take part: what is lost is lost
 * by what the consumer chooses.
 */
export const measure = async (
  shape: Shape,
  { withBad, longestMs = 60_000 }: { readonly withBad: boolean; readonly longestMs?: number },
): Promise<Figures> => {
  using time = simulateTime();
  const { bad, good, isMixed = false, answer, at = "rcpt", mailMs = MAIL_MS, greetingMs = 0 } = shape;
  const { consumers = 1, goodPerSecond, settings = {} } = shape;
  const mails = mailsOf(shape, withBad);
  const isBad = (number: number) => mails[number - 1]?.isBad === true;
  const takenAt: number[] = [];
  const order: number[] = [];
  const tookMs: number[] = [];
  let asked = 0;
  let limited = 0;
  const limit = shape.limit?.();
  const ofLimit = () => {
    const said = limit?.(time.now());
    if (said !== undefined) limited += 1;
    return said;
  };
  const pieces = new Map<number, Piece>();
  const openSession = simulatedServer({
    at,
    mailMs,
    greetingMs,
    answerTo: (address) => {
      if (!isBad(numberOf(address))) return ofLimit();
      asked += 1;
      return typeof answer === "function" ? answer(time.now(), numberOf(address)) : answer;
    },
    onTaken: (address) => {
      const number = numberOf(address);
      if (isBad(number)) return;
      takenAt.push(time.now());
      order.push(number);
      tookMs.push(time.now() - (pieces.get(number)?.madeAt ?? 0));
    },
  });
  const streams = simulatedStreams();
  const arrive = (number: number) => {
    const piece: Piece = {
      number,
      domain: mails[number - 1]?.domain ?? "",
      raw: [],
      state: "queued",
      attempts: 0,
      systemFailures: 0,
      lastReason: null,
      changedAt: time.now(),
      madeAt: time.now(),
    };
    pieces.set(number, piece);
    streams.events.push(piece);
  };
  const before = goodPerSecond === undefined ? mails.length : withBad && !isMixed ? bad : 0;
  const perMs = goodPerSecond === undefined ? 0 : ((mails.length - before) * goodPerSecond) / good / 1_000;
  for (const [index] of mails.entries()) {
    if (index < before) arrive(index + 1);
    else setTimeout(() => arrive(index + 1), (index - before) / perMs);
  }
  const policy = {
    connections: Number(settings["MAIL_POOL_SIZE"] ?? 20),
    retryMax: Number(settings["RETRY_MAX"] ?? 24),
    retryDelayMs: Number(settings["RETRY_DELAY_MS"] ?? 30_000),
    random: seeded(7),
  };
  const all = Array.from({ length: consumers }, () => startSimulatedConsumer(streams, openSession, policy));
  await time.pass(longestMs, () => takenAt.length >= good);
  // What was taken is settled, too.
  await time.pass(time.now() + 100, () => false);
  const firstAt = takenAt[0] ?? Number.POSITIVE_INFINITY;
  const lastAt = takenAt.length < good ? time.now() : (takenAt.at(-1) ?? 0);
  const ofGood = [...pieces.values()].filter(({ number }) => !isBad(number));
  return {
    firstMs: firstAt,
    perSecond: takenAt.length === 0 ? 0 : (takenAt.length * 1_000) / Math.max(1, lastAt - firstAt),
    taken: takenAt.length,
    order,
    tookMs,
    retried: ofGood.filter(({ state, attempts }) => attempts > (state === "done" ? 1 : 0)).length,
    asked,
    limited,
    passed: all.reduce((sum, { passed }) => sum + passed(), 0),
  };
};
