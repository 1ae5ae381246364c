import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { ProblemError } from "../problem.ts";
import { createServiceTokenCheck } from "./service-token.ts";
import { createTokenAttempts } from "./token-attempts.ts";

const TOKEN = "the-right-token-0123456789";

/** An app with one route that needs the token; its clients are named by a header, its clock by hand. */
const anApp = (serviceToken: string | undefined = TOKEN) => {
  const clock = { ms: 0 };
  const check = createServiceTokenCheck({
    serviceToken,
    clientOf: (request) => request.headers.get("x-client") ?? "",
    attempts: createTokenAttempts(() => clock.ms),
  });
  const app = new Hono();
  app.onError((error, c) => {
    if (!(error instanceof ProblemError)) throw error;
    return c.json({ code: error.code }, error.code === "unauthorized" ? 401 : 429, error.headers);
  });
  app.get("/", (c) => {
    check(c);
    return c.text("admitted");
  });
  const ask = async (token: string | undefined, client = "one"): Promise<Response> =>
    app.request("/", {
      headers: { "x-client": client, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    });
  const fail = async (times: number, client?: string) => {
    for (let time = 0; time < times; time += 1) expect((await ask("wrong", client)).status).toBe(401);
  };
  return { ask, fail, clock };
};

describe("the service token", () => {
  test("admits who has it, and nobody if there is none", async () => {
    expect((await anApp().ask(TOKEN)).status).toBe(200);
    expect((await anApp().ask(undefined)).status).toBe(401);
    const off = anApp("");
    expect((await off.ask(TOKEN)).status).toBe(401);
  });

  test("is guessed ten times a minute at most by one client, which then waits, even if it is right", async () => {
    const { ask, fail, clock } = anApp();
    await fail(10);
    clock.ms += 20_000;
    const refused = await ask(TOKEN);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "40"]);
    clock.ms += 40_000;
    expect((await ask(TOKEN)).status).toBe(200);
  });

  test("is admitted from a private network all the same: a proxy there may be everybody's", async () => {
    const { ask, fail } = anApp();
    await fail(10, "10.0.0.1");
    expect((await ask("wrong", "10.0.0.1")).status).toBe(429);
    expect((await ask(TOKEN, "10.0.0.1")).status).toBe(200);
  });

  test("of one client is not refused because of another's wrong ones, nor for its own few", async () => {
    const { ask, fail } = anApp();
    await fail(10, "guesser");
    expect((await ask(TOKEN, "other")).status).toBe(200);
    for (let day = 0; day < 3; day += 1) {
      await fail(9, "clumsy");
      expect((await ask(TOKEN, "clumsy")).status).toBe(200);
    }
    // A request without a token is no guess.
    for (let time = 0; time < 20; time += 1) expect((await ask(undefined, "curious")).status).toBe(401);
    expect((await ask(TOKEN, "curious")).status).toBe(200);
  });
});
