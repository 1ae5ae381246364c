import { expect, test } from "bun:test";
import { publishedFault, SignOfLifeRefused } from "./published-fault.ts";

const anError = (message: string, parts: { readonly name?: string; readonly code?: string } = {}) =>
  Object.assign(new Error(message), parts);
const refused = () => anError("OOM command not allowed when used memory > 'maxmemory'", { name: "ReplyError" });
const deniedInScript = (words: string) => anError(`ERR ${words} script: 5f3c`, { name: "ReplyError" });

test.each([
  ["a store cannot be reached (ECONNREFUSED)", () => anError("connect 10.0.3.7:5432", { code: "ECONNREFUSED" })],
  ["PostgreSQL refuses a statement (42P01)", () => anError('relation "deliveries" does not exist', { code: "42P01" })],
  ["the disk of PostgreSQL is full (53100)", () => anError("could not extend file", { code: "53100" })],
  [
    "PostgreSQL ends no commit: its disk or its standby is away (58030)",
    () => anError("Postgres does not end its statements", { code: "58030" }),
  ],
  ["Redis refuses a command (OOM)", () => refused()],
  ["Redis refuses a command (error)", () => anError("odd words of db.internal", { name: "ReplyError" })],
  ["Redis refuses a command (NOPERM)", () => deniedInScript("ACL failure in script: User u has no permissions to run")],
  ["Redis refuses a command (NOPERM)", () => deniedInScript("The user executing the script can't run this command")],
  [
    "a stream of Redis is at the highest id, and takes no entry (ERR)",
    () =>
      anError("ERR The stream has exhausted the last possible ID, unable to add more items", { name: "ReplyError" }),
  ],
  [
    "Redis refuses its sign of life (WRONGTYPE)",
    () => new SignOfLifeRefused(["{x}:reports"], anError("WRONGTYPE Operation against a key", { name: "ReplyError" })),
  ],
  ["Redis does not answer", () => anError("Connection is closed.")],
  ["Redis does not answer", () => anError("Reached the max retries", { name: "MaxRetriesPerRequestError" })],
  ["Redis refuses a command (OOM)", () => new Error("welcome-email: OOM", { cause: refused() })],
  ["Redis refuses a command (OOM)", () => new AggregateError([new Error("a", { cause: refused() })], "both")],
  ["failed; see the log", () => anError("secret of db.internal")],
  ["failed; see the log", () => "db.internal"],
])("%p is what is published of an error", (words, error) => {
  expect(publishedFault(error())).toBe(words);
});
