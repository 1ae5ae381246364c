import { expect, test } from "bun:test";
import { type OpenSession, SessionRefused } from "../consumers/email/smtp/session.ts";
import { withFailure } from "../consumers/engine/failure-fields.ts";
import { startSimulatedConsumer } from "./refused-recipients/consumer.ts";
import { simulatedServer } from "./refused-recipients/server.ts";
import { type Piece, simulatedStreams } from "./refused-recipients/streams.ts";
import { simulateTime } from "./refused-recipients/time.ts";

const aPiece = (number: number, madeAt: number, isRetry: boolean): Piece => ({
  number,
  domain: `inbox-${number}.example`,
  raw: isRetry ? withFailure([], { attempts: 1, at: "", reason: "greylisted" }) : [],
  state: "queued",
  attempts: isRetry ? 1 : 0,
  systemFailures: 0,
  lastReason: null,
  changedAt: madeAt,
  madeAt,
});

const cases = [
  [1, 600],
  [2, 1_500],
  [5, 3_000],
] as const;

test.each([...cases.map((each) => [...each, 0] as const), ...cases.map((each) => [...each, 15_000] as const)])(
  "what is new does not wait behind retries: %d connections, %d ms a mail, a server that was away for %d ms",
  async (connections, mailMs, awayMs) => {
    using time = simulateTime();
    const streams = simulatedStreams();
    const tookMs: number[] = [];
    const pieces: Piece[] = [];
    const openThere = simulatedServer({
      at: "rcpt",
      mailMs,
      greetingMs: 0,
      answerTo: () => undefined,
      onTaken: (address) => {
        const piece = pieces[Number(/-(\d+)@/.exec(address)?.[1])];
        if (piece !== undefined && piece.number >= before) tookMs.push(time.now() - piece.madeAt);
      },
    });
    const openSession: OpenSession = (...asked) => {
      if (time.now() >= awayMs) return openThere(...asked);
      throw new SessionRefused(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    };
    const arrive = (isRetry: boolean) => {
      const piece = aPiece(pieces.length, time.now(), isRetry);
      pieces.push(piece);
      streams[isRetry ? "retries" : "events"].push(piece);
    };
    // Until the breaker has seen that the server is back.
    const startMs = awayMs === 0 ? 0 : awayMs + 10_000;
    for (let n = 0; n < connections; n += 1) arrive(false);
    for (let n = 0; n < 100 * connections; n += 1) arrive(true);
    const before = pieces.length;
    // A third of what the server takes.
    for (let n = 1; n <= 10; n += 1) setTimeout(() => arrive(false), startMs + (3 * n * mailMs) / connections);
    startSimulatedConsumer(streams, openSession, {
      connections,
      retryMax: 24,
      retryDelayMs: 30_000,
      random: () => 0.5,
    });
    await time.pass(startMs + 40 * mailMs, () => tookMs.length === 10);
    expect(tookMs).toHaveLength(10);
    // The mail that is under way, one that was due before it, and its own.
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(3 * mailMs + 200);
  },
);
