import { expect, test } from "bun:test";
import type { SignupWriter } from "../../database/users/signup.ts";
import { aSignup } from "../../tests/pipeline.ts";
import { watchWrites } from "./watch-writes.ts";

const aWriter = () => {
  let code: string | undefined;
  let seconds = 0;
  const writer: SignupWriter = {
    write: () =>
      code === undefined
        ? Promise.resolve({ kind: "email_taken" })
        : Promise.reject(Object.assign(new Error("could not extend file"), { code })),
    idle: () => Promise.resolve(),
  };
  const watched = watchWrites(writer, () => new Date(seconds * 1_000));
  return {
    watched,
    at: async (second: number, answersBy?: string) => {
      [seconds, code] = [second, answersBy];
      await watched.signups.write(aSignup()).catch(() => {});
    },
    later: (second: number) => {
      seconds = second;
    },
  };
};

const FULL = "the disk of PostgreSQL is full (53100)";

test("a refusal is told of from the first one on, until a signup succeeds", async () => {
  const { watched, at } = aWriter();
  await at(1);
  expect(watched.refusal()).toBeUndefined();
  await at(2, "53100");
  await at(9, "53100");
  expect(watched.refusal()).toEqual({ fault: FULL, since: new Date(2_000), at: new Date(9_000) });
  await at(10);
  expect(watched.refusal()).toBeUndefined();
});

test("a refusal after which nobody signed up is forgotten after a minute", async () => {
  const { watched, at, later } = aWriter();
  await at(0, "53100");
  later(60);
  expect(watched.refusal()?.fault).toBe(FULL);
  later(61);
  expect(watched.refusal()).toBeUndefined();
});

test.each([
  ["42501", "a right is missing"],
  ["42P01", "a table is missing, or not where it is looked for"],
  ["25006", "it is read-only"],
  ["23514", "a check that the signups' statement does not meet"],
  ["23502", "a column that it does not know"],
  ["23503", "a row that it does not write"],
])("%s is a refusal, whatever the answer to the signup was: %s", async (code) => {
  const { watched, at } = aWriter();
  await at(1, code);
  expect(watched.refusal()?.fault).toBe(`PostgreSQL refuses a statement (${code})`);
});

test.each([
  ["that met a lock", "55P03", "57014"],
  ["whose text PostgreSQL does not take, as its own may be", "22021", "22001"],
])("one %s is no refusal; two seconds of them are", async (_, code, later) => {
  const { watched, at } = aWriter();
  await at(1, code);
  await at(2, code);
  expect(watched.refusal()).toBeUndefined();
  await at(3, later);
  expect(watched.refusal()?.since).toEqual(new Date(1_000));
});

test.each(["ECONNREFUSED", "57P01", "53300", "28000", "23505", "40P01"])(
  "%s is no refusal to write: others find out, or it is the signup's own",
  async (code) => {
    const { watched, at } = aWriter();
    await at(1, code);
    expect(watched.refusal()).toBeUndefined();
  },
);
