import { expect, test } from "bun:test";
import { databaseFault } from "./errors.ts";
import { remedyOf } from "./remedy.ts";

const failure = (code: string, message = "failed") => Object.assign(new Error(message), { code });

test.each([
  ["a name that the server does not know", failure("26000"), "unnamed", "unnamed"],
  ["a name that the server knows already", failure("42P05"), "unnamed", "unnamed"],
  [
    "a startup parameter that a pooler refuses",
    failure("08P01", "unsupported startup parameter: statement_timeout"),
    "without-settings",
    "without-settings",
  ],
  ["another fault of the protocol", failure("08P01", "invalid message"), "none", "none"],
  ["a server that takes no writes", failure("25006"), "reconnect", "next-server"],
  ["a server that cannot be reached", failure("ECONNREFUSED"), "none", "next-server"],
  ["a server that starts", failure("57P03"), "none", "next-server"],
  ["no answer: the effect is unknown", failure("ETIMEDOUT"), "reconnect", "reconnect"],
  ["a table that is not where the session looks for it", failure("42P01"), "renew", "renew"],
  ["a column that the table found lacks", failure("42703"), "renew", "renew"],
  ["a schema that there is not", failure("3F000"), "renew", "renew"],
  ["a function that is not found", failure("42883"), "renew", "renew"],
  ["a type that is not found", failure("42704"), "renew", "renew"],
  ["a right that the session's role lacks", failure("42501"), "renew", "renew"],
  ["a text that is no SQL", failure("42601"), "none", "none"],
  ["a lock of somebody else", failure("55P03"), "none", "none"],
  ["a text", "failed", "none", "none"],
] as const)("%s", (_, error, ofOne, ofSeveral) => {
  expect([remedyOf(error, { servers: 1 }), remedyOf(error, { servers: 2 })]).toEqual([ofOne, ofSeveral]);
});

test.each(["53100", "25006", "57014", "53300", "57P01"])(
  "%s is an outage: the statement may be repeated later",
  (code) => {
    expect(databaseFault(failure(code)).kind).toBe("unavailable");
  },
);
