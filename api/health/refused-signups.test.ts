import { expect, test } from "bun:test";
import type { SignupResult, SignupWriter } from "../../database/users/signup.ts";
import { aSignup } from "../../tests/pipeline.ts";
import { watchSignups } from "./refused-signups.ts";

const failing = (code: string) => Object.assign(new Error("could not extend file base/1/2"), { code });

const watched = () => {
  let now = 0;
  let next: Error | SignupResult = { kind: "email_taken" };
  const signups: SignupWriter = {
    write: async () => {
      if (next instanceof Error) throw next;
      return next;
    },
    idle: async () => {},
  };
  const watch = watchSignups(signups, () => now);
  return {
    fault: watch.fault,
    pass: (ms: number) => (now += ms),
    /** Somebody signs up, and this becomes of it. */
    async write(what: Error | SignupResult) {
      next = what;
      await watch.writer.write(aSignup()).catch(() => {});
    },
  };
};

test("a disk that is full is named while no signup is written, without the server's words", async () => {
  const { write, fault, pass } = watched();
  await write(failing("53100"));
  pass(2_000);
  expect(fault()).toBeUndefined();
  await write(failing("53100"));
  expect(fault()).toMatch(/^the disk of PostgreSQL is full \(53100\); since 2/);
  await write({ kind: "email_taken" });
  expect(fault()).toBeUndefined();
});

test("neither a value that is refused is a fault, nor what nobody has met for a minute", async () => {
  const { write, fault, pass } = watched();
  for (const code of ["22021", "55P03"]) {
    await write(failing(code));
    pass(30_000);
    await write(failing(code));
    expect(fault() !== undefined).toBe(code === "55P03");
  }
  pass(60_001);
  expect(fault()).toBeUndefined();
  // What comes now has begun now.
  await write(failing("55P03"));
  expect(fault()).toBeUndefined();
});
