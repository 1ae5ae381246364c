import { expect, test } from "bun:test";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import type { SignupOutcome, SignupRequest } from "./contract.ts";
import { createSharing } from "./in-flight.ts";

const aRequest = (parts: Partial<SignupRequest> = {}): SignupRequest => ({
  input: { user_name: "Hoa", email: "hoa@example.com", password: "một mật khẩu đủ dài", locale: "vi" },
  client: "192.0.2.1",
  confirm: async () => {},
  trace: randomTraceContext(randomHex),
  signal: new AbortController().signal,
  ...parts,
});

const taken: SignupOutcome = { kind: "email_taken" };

test("equal requests share one outcome, and one failure", async () => {
  const share = createSharing();
  let runs = 0;
  const run = async (): Promise<SignupOutcome> => {
    runs += 1;
    throw new Error("the database is unreachable");
  };
  const results = await Promise.allSettled([1, 2, 3].map(() => share("key", aRequest(), run)));
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(runs).toBe(1);
  expect(await share("key", aRequest(), async () => taken)).toEqual(taken);
});

test("when the client of the first disconnects, the next takes its place", async () => {
  const share = createSharing();
  const client = new AbortController();
  const first = Promise.withResolvers<SignupOutcome>();
  const leader = share("key", aRequest({ signal: client.signal }), () => first.promise).catch(
    (error: unknown) => error,
  );
  const followers = [1, 2].map(() => share("key", aRequest(), async () => taken));
  client.abort();
  first.reject(client.signal.reason);
  expect(await leader).toBe(client.signal.reason);
  expect(await Promise.all(followers)).toEqual([taken, taken]);
});

test("a different body waits its turn, and other keys do not wait", async () => {
  const share = createSharing();
  const first = Promise.withResolvers<SignupOutcome>();
  const order: string[] = [];
  const leader = share("key", aRequest(), () => first.promise);
  const input = { ...aRequest().input, password: "một mật khẩu khác hẳn" };
  const other = share("key", aRequest({ input }), async () => {
    order.push("other body");
    return taken;
  });
  await share("another key", aRequest(), async () => {
    order.push("another key");
    return taken;
  });
  first.resolve(taken);
  await Promise.all([leader, other]);
  expect(order).toEqual(["another key", "other body"]);
});
