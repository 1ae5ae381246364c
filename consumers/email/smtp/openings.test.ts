import { expect, jest, test } from "bun:test";
import { aLimitedServer, settle } from "./limited-server-for-tests.ts";
import { createSmtpPool } from "./pool.ts";

const never = new AbortController().signal;
const aMail = { from: "a@b.example", to: "c@d.example", raw: Buffer.alloc(0), beforeBody: () => true };

/** Mails that come three at a time, in virtual time, to a server that does not greet each third connection; how long each took, in ms. */
const sendInThrees = async (rounds: number) => {
  jest.useFakeTimers();
  try {
    const server = aLimitedServer({ limit: 100, mailMs: 100, greetingMs: 20, silentEach: 3 });
    const pool = createSmtpPool({
      ...{ server: { host: "mail.example", port: 25, tls: "none" }, size: 20, sendDeadlineMs: 30_000 },
      // A connection is closed after few mails, so that others are opened all the time.
      ...{ openSession: server.open, maxMailsPerConnection: 20, minAgeMs: 0 },
    });
    const tookMs: number[] = [];
    let most = 0;
    for (let ms = 0; ms < rounds * 1_000; ms += 10) {
      if (ms % 1_000 === 0) {
        for (let count = 0; count < 3; count += 1) {
          const startedAt = performance.now();
          void pool.send(aMail, never).then(({ kind }) => {
            tookMs.push(kind === "accepted" ? performance.now() - startedAt : Number.POSITIVE_INFINITY);
          });
        }
      }
      jest.advanceTimersByTime(10);
      await settle();
      most = Math.max(most, pool.granted());
    }
    return { tookMs: tookMs.toSorted((a, b) => a - b), connections: server.mostConnections(), most };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test("a mail waits for no connection that is not greeted while another comes free", async () => {
  const { tookMs, connections, most } = await sendInThrees(100);
  expect(tookMs).toHaveLength(300);
  expect(tookMs.at(-1)).toBeLessThan(2_000);
  expect(connections).toBeLessThanOrEqual(most);
});
