import type { BenchOptions, Case } from "./case.ts";
import { measureCosts } from "./costs.ts";
import { signUpMany, times } from "./load.ts";
import { receiversAt } from "./receivers.ts";

const RECEIVERS = ["one", "two", "three", "four", "five"] as const;
const CONNECTIONS = 64;
const TIMEOUT_MS = 300_000;

/** Takes webhooks, and says when it has taken so many. */
const startReceiver = () => {
  let taken = 0;
  const waiting: { readonly mark: number; readonly resolve: (at: number) => void }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      await request.text();
      taken += 1;
      for (const { mark, resolve } of waiting) if (mark === taken) resolve(performance.now());
      return new Response(null, { status: 204 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/`,
    reached: (mark: number): Promise<number> => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const late = () => reject(new Error(`${taken} of ${mark} webhooks within ${TIMEOUT_MS} ms`));
      const timer = setTimeout(late, TIMEOUT_MS);
      waiting.push({ mark, resolve });
      return promise.finally(() => clearTimeout(timer));
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
};

/**
 * Signups whose event goes to so many further groups, all alike: receivers of webhooks. One consumer serves them all. CPU of the API
 * is for each signup, that of the others for each webhook, between the first tenth of them and the last.
 */
export const fanout = (groups: number): Case => ({
  of: ["ours"],
  async measure({ stores, contender, concurrency, mails }: BenchOptions) {
    const names = RECEIVERS.slice(0, groups);
    const signups = Math.ceil(mails / groups);
    const webhooks = signups * groups;
    const [from, to] = [Math.ceil(webhooks * 0.1), Math.ceil(webhooks * 0.9)];
    await using receiver = startReceiver();
    const settings = receiversAt(receiver.url, names);
    await using programs = await contender.open({
      concurrency,
      redisUrl: stores.servers.environment.TEST_REDIS_URL,
      groups: names.map((name) => `webhook-${name}`),
    });
    const api = await programs.api(settings);
    await signUpMany({ port: api.port, connections: CONNECTIONS, more: times(Math.ceil(signups / 4)) });
    const published = await measureCosts(stores, [api.pid]);
    const { accepted, seconds } = await signUpMany({
      port: api.port,
      connections: CONNECTIONS,
      more: times(signups - Math.ceil(signups / 4)),
    });
    const costs = await published(accepted);
    const [first, last, all] = [receiver.reached(from), receiver.reached(to), receiver.reached(webhooks)];
    // Nobody answers at this port: no mail is sent.
    const consumer = await programs.consumer(1, settings);
    const startedAt = await first;
    const used = await measureCosts(stores, [consumer.pid]);
    const endedAt = await last;
    const each = await used(to - from);
    await all;
    return {
      "webhooks/s": (to - from) / ((endedAt - startedAt) / 1_000),
      "consumer CPU": each.own[0] ?? Number.NaN,
      "Postgres CPU": each.postgres,
      "Redis CPU": each.redis,
      "WAL bytes": each.wal,
      "accepted/s": accepted / seconds,
      "api CPU": costs.own[0] ?? Number.NaN,
      "accept Postgres CPU": costs.postgres,
    };
  },
});
