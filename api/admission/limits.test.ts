import { describe, expect, test } from "bun:test";
import { loadSettings } from "../../settings/load.ts";
import { limitsFor, limitsOf, subjectOf } from "./limits.ts";

const required = { DATABASE_URL: "postgres://app@db.example/signup", REDIS_URL: "redis://redis.example" };
const limitsBy = (environment: Readonly<Record<string, string>> = {}) =>
  limitsOf(loadSettings("api", { ...required, ...environment }));

const ADDRESS = "j.doe+x@inbox.example";
const counted = (environment: Readonly<Record<string, string>>, client: string, email = ADDRESS) =>
  Object.fromEntries(
    limitsFor(limitsBy(environment), subjectOf({ client, email })).map(({ limit, by }) => [limit.name, by]),
  );

describe("who is counted by what", () => {
  const person = { client: "192.0.2.1", repeat: "192.0.2.1", global: "all" };
  const mailbox = { address: "j.doe@inbox.example", domain: "inbox.example" };

  test.each([
    ["a client", {}, "192.0.2.1", ADDRESS, { ...person, ...mailbox }],
    [
      "a large provider's domain is not limited",
      {},
      "192.0.2.1",
      "J.Doe@gmail.com",
      { ...person, address: "jdoe@gmail.com" },
    ],
    ["a client on this machine, by the defaults", {}, "127.0.0.1", ADDRESS, { address: mailbox.address }],
    ["a client on a private network, by the defaults", {}, "10.0.0.1", ADDRESS, { address: mailbox.address }],
    ["a limit that is set counts everybody", { RATE_LIMIT_PER_DOMAIN: "9" }, "127.0.0.1", ADDRESS, mailbox],
    [
      "all are set",
      { RATE_LIMIT_PER_IP: "9", RATE_LIMIT_PER_DOMAIN: "9", RATE_LIMIT_GLOBAL: "9" },
      "127.0.0.1",
      ADDRESS,
      { client: "127.0.0.1", repeat: "127.0.0.1", global: "all", ...mailbox },
    ],
    ["0 is off", { RATE_LIMIT_PER_ADDRESS: "0", RATE_LIMIT_GLOBAL: "0" }, "127.0.0.1", ADDRESS, {}],
    ["0 is off for repeats, too", { RATE_LIMIT_PER_IP: "0" }, "192.0.2.1", ADDRESS, { global: "all", ...mailbox }],
  ] as const)("%s", (_, environment, client, email, expected) => {
    expect<Record<string, string>>(counted(environment, client, email)).toEqual(expected);
  });
});

test("the defaults; the client's limit comes first", () => {
  expect(limitsBy().map(({ name, quota, periodMs }) => [name, quota, periodMs])).toEqual([
    ["client", 120, 60_000],
    ["repeat", 120, 60_000],
    ["address", 5, 3_600_000],
    ["domain", 1_000, 3_600_000],
    ["global", 6_000, 60_000],
  ]);
});

test("only a client is told what is left of its limit where nobody may learn who used an address", () => {
  const told = (environment: Readonly<Record<string, string>>) =>
    limitsBy(environment).flatMap(({ name, isTold }) => (isTold ? [name] : []));
  expect(told({})).toEqual(["client", "repeat", "address", "domain", "global"]);
  expect(told({ SIGNUP_DISCLOSURE: "private" })).toEqual(["client", "repeat"]);
});
