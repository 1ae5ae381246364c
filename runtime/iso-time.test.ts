import { expect, test } from "bun:test";
import { isoTime } from "./iso-time.ts";

test("a date is written as it always is, also if another one was asked for in between", () => {
  const [one, other, equal] = [new Date(1), new Date(2), new Date(1)];
  expect([one, one, other, one, equal].map(isoTime)).toEqual(
    [one, one, other, one, equal].map((date) => date.toISOString()),
  );
});
