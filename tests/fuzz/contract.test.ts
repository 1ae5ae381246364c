import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { anApp, SERVICE_TOKEN } from "../../api/app-for-tests.ts";
import { type TestDatabase, withTestDatabase } from "../database.ts";
import { type Call, callsOf } from "./arbitrary.ts";
import { type DescribedOperation, operationsOf } from "./openapi.ts";

/** A quick look in every run of the tests; `.ci/run` asks for more. */
const SEQUENCES = Number(process.env["CONTRACT_SEQUENCES"] ?? 25);

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

/** Ids that answers gave, by the name of the parameter that takes them. */
class Known {
  readonly #ids = new Map<string, string[]>([["group", ["welcome-email"]]]);

  add(parameter: string, id: unknown): void {
    if (typeof id === "string") this.#ids.set(parameter, [...(this.#ids.get(parameter) ?? []), id]);
  }

  pick(parameter: string, at: number): string | undefined {
    const ids = this.#ids.get(parameter) ?? [];
    return ids[at % Math.max(1, ids.length)];
  }
}

const fieldOf = (json: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null
        ? Object.entries(value).find(([key]) => key === name)?.[1]
        : undefined,
    json,
  );

const aClient = async () => {
  // On a private network: it asks for more than one client may.
  const { app } = anApp(database.db, { clientOf: () => "10.0.0.1" });
  const operations = operationsOf(await (await app.request("/openapi.json")).text());

  const ask = async (operation: DescribedOperation, path: string, init: RequestInit): Promise<Answer> => {
    const response = await app.request(path, { method: operation.method, ...init });
    const type = response.headers.get("content-type");
    if (type?.startsWith("text/event-stream") === true) await response.body?.cancel();
    const text = type?.includes("json") === true ? await response.text() : "null";
    const answer = { status: response.status, headers: response.headers, json: JSON.parse(text) };
    // The document describes it, but no request may provoke it.
    expect([operation.id, answer.status]).not.toEqual([operation.id, 500]);
    expect([operation.id, answer.json, operation.faultOf(answer.status, type, answer.json)]).toEqual([
      operation.id,
      answer.json,
      undefined,
    ]);
    return answer;
  };
  return { operations, ask };
};

const TOKENS = { right: `Bearer ${SERVICE_TOKEN}`, wrong: "Bearer another", none: undefined } as const;

/** The payment of a user that exists, where there is one. */
const bodyFor = ({ operation, body, isValid }: Call, known: Known): unknown => {
  const user = known.pick("user_id", 0);
  return operation.id === "requestPayment" && isValid && user !== undefined ? { ...Object(body), user_id: user } : body;
};

const initOf = (call: Call, known: Known): RequestInit => {
  const headers = new Headers({ "Accept-Language": "en" });
  const authorization = TOKENS[call.token];
  if (authorization !== undefined) headers.set("Authorization", authorization);
  if (call.operation.id === "signUp" && call.idempotencyKey !== undefined) {
    headers.set("Idempotency-Key", call.idempotencyKey);
  }
  if (call.operation.body === undefined) return { headers };
  headers.set("Content-Type", "application/json");
  return { headers, body: JSON.stringify(bodyFor(call, known)) ?? "" };
};

/** What the answers of one operation must be, beyond what the document says of each alone. */
const judge = (call: Call, answer: Answer, isKnown: boolean): void => {
  const { operation } = call;
  const said = [operation.id, call.body, answer.status];
  if (operation.needsToken && call.token !== "right") {
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
    return;
  }
  if (operation.body !== undefined && !call.isValid) {
    expect([...said, answer.status >= 400 && answer.status < 500]).toEqual([...said, true]);
  }
  if (operation.body !== undefined && call.isHonest) {
    // What is honest is accepted, or meets what was made before.
    expect([...said, [200, 201, 202, 400, 409].includes(answer.status)]).toEqual([...said, true]);
    expect([...said, fieldOf(answer.json, "code") === "malformed_json"]).toEqual([...said, false]);
  }
  // Where no token is needed, a wrong one may be refused all the same.
  if (operation.body === undefined && isKnown && call.token !== "wrong") expect(answer.status).toBeLessThan(300);
  if (answer.status === 201) expect(answer.headers.get("cache-control")).toBe("no-store");
};

const run = async (calls: readonly Call[], { operations, ask }: Awaited<ReturnType<typeof aClient>>): Promise<void> => {
  const known = new Known();
  for (const call of calls) {
    const { operation } = call;
    const parameter = /\{(\w+)\}/.exec(operation.path)?.[1];
    const id =
      parameter === undefined ? "" : call.id.kind === "known" ? known.pick(parameter, call.id.at) : call.id.text;
    if (id === undefined) continue;
    const path = operation.path.replace(/\{\w+\}/, id);
    const init = initOf(call, known);
    const answer = await ask(operation, path, init);
    judge(call, answer, call.id.kind === "known");

    if (call.isRepeated && answer.status === 201 && new Headers(init.headers).has("Idempotency-Key")) {
      const again = await ask(operation, path, init);
      expect([again.status, again.json, again.headers.get("idempotent-replayed")]).toEqual([201, answer.json, "true"]);
    }
    if (call.isRepeated && operation.id === "requestPayment" && answer.status === 202) {
      expect((await ask(operation, path, init)).json).toEqual(answer.json);
    }
    if (operation.id === "signUp" && answer.status === 201) {
      known.add("user_id", fieldOf(answer.json, "id"));
      known.add("event_id", fieldOf(answer.json, "welcome_email", "event_id"));
    }
    if (operation.id === "requestPayment" && answer.status === 202) {
      known.add("transaction_id", fieldOf(answer.json, "transaction_id"));
    }
    const location = answer.headers.get("location");
    if (answer.status === 201 || (answer.status === 202 && operation.id === "requestPayment")) {
      expect(location).toStartWith("/api/v1/");
      const pattern = (each: DescribedOperation) => new RegExp(`^${each.path.replace(/\{\w+\}/, "[^/]+")}$`);
      const target = operations.find((each) => each.method === "GET" && pattern(each).test(location ?? ""));
      if (target === undefined) throw new Error(`nothing is described at ${location}`);
      const looked = await ask(target, location ?? "", { headers: { Authorization: TOKENS.right } });
      expect(looked.status).toBe(200);
    }
  }
};

test(
  "whatever is called in whatever order, answers are as the OpenAPI document describes them",
  async () => {
    const client = await aClient();
    expect(client.operations.length).toBeGreaterThan(8);
    await fc.assert(
      fc.asyncProperty(callsOf(client.operations), (calls) => run(calls, client)),
      { numRuns: SEQUENCES, endOnFailure: false },
    );
  },
  120_000 + SEQUENCES * 200,
);
