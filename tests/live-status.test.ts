import { describe, expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { anOwnRedis } from "./own-redis.ts";
import { aSystem, type RunningProcess, signUpAt } from "./processes.ts";

const watch = (api: RunningProcess, eventId: string) =>
  fetch(`${api.url}/api/v1/events/${eventId}/stream`, { signal: AbortSignal.timeout(20_000) });

/** The states that a stream sends, until the server ends it. */
const statesOf = async (response: Response): Promise<string[]> =>
  [...(await response.text()).matchAll(/^event: status\ndata: (.*)$/gm)].map(([, data = "{}"]) => {
    const { state }: { readonly state: string } = JSON.parse(data);
    return state;
  });

describe.concurrent("the live status of a signup", () => {
  test("is sent at once and at each change, and the stream ends at the final state", async () => {
    await using system = await aSystem();
    const api = await system.api();
    const { eventId } = await signUpAt(api);
    const response = await watch(api, eventId);
    expect(response.headers.get("Content-Type")).toStartWith("text/event-stream");
    await system.consumer();
    const states = await statesOf(response);
    expect(states[0]).toBe("queued");
    expect(states.at(-1)).toBe("sent");
    expect(await statesOf(await watch(api, eventId))).toEqual(["sent"]);
  });

  test("is right without Redis, too: it is read from the ledger", async () => {
    await using redis = await anOwnRedis();
    await using system = await aSystem({ redisUrl: redis.url });
    const api = await system.api();
    const { eventId } = await signUpAt(api);
    await redis.kill();
    const response = await watch(api, eventId);
    await system.database.db.updateTable("deliveries").set({ state: "cancelled" }).execute();
    expect(await statesOf(response)).toEqual(["queued", "cancelled"]);
  });

  test("of an unknown event is 404", async () => {
    await using system = await aSystem();
    const api = await system.api();
    expect((await watch(api, Bun.randomUUIDv7())).status).toBe(404);
  });

  test("does not delay a stop: streams end with the process", async () => {
    await using system = await aSystem();
    const api = await system.api();
    const { eventId } = await signUpAt(api);
    const response = await watch(api, eventId);
    api.kill("SIGTERM");
    expect(await statesOf(response)).toEqual(["queued"]);
    expect(await api.exited).toBe("exit code 0");
    await eventually(() => api.lines.some((line) => line.includes("stopped")));
  });
});
