import { describe, expect, test } from "bun:test";
import { mostNamed } from "./find-primary.ts";

const [A, B] = [
  { host: "a", port: 1 },
  { host: "b", port: 2 },
];
const never = new Promise<never>(() => {});
const asked = (...answers: readonly Promise<typeof A>[]) =>
  answers.map((answer, at) => ({ of: { host: "seed", port: at }, answer }));
const refused = () => Promise.reject(new Error("ECONNREFUSED"));

describe("the primary", () => {
  test("is the one that most of them name, whoever has not answered yet", async () => {
    expect(await mostNamed(asked(Promise.resolve(A), Promise.resolve({ ...A }), never))).toEqual(A);
  });

  test("is not the one that a single server believes in", async () => {
    expect(await mostNamed(asked(Promise.resolve(A), Promise.resolve(B), Promise.resolve({ ...B })))).toEqual(B);
  });

  test("is what one of them says where no other answers", async () => {
    expect(await mostNamed(asked(refused(), Promise.resolve(B), refused()))).toEqual(B);
  });

  test("is unknown if none answers: the error says why of each", async () => {
    expect(mostNamed(asked(refused(), refused()))).rejects.toThrow("seed:0: ECONNREFUSED; seed:1: ECONNREFUSED");
  });
});
