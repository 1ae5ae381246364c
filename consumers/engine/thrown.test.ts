import { describe, expect, test } from "bun:test";
import { isSystemsFault } from "./thrown.ts";

const withCode = (code: string) => Object.assign(new Error("failed"), { code });

describe("an error that a group's code throws", () => {
  test.each(["ECONNREFUSED", "CONNECT_TIMEOUT", "ConnectionRefused", "57P01", "40P01", "42P01", "42501"])(
    "is a system's with the code %s",
    (code) => {
      expect(isSystemsFault(withCode(code))).toBe(true);
    },
  );

  test("is a system's if there was no answer in time", () => {
    expect(isSystemsFault(new DOMException("too slow", "TimeoutError"))).toBe(true);
  });

  test.each([new TypeError("undefined is not an object"), withCode("22P02"), withCode("23505"), "a word"])(
    "is the piece's: %p",
    (error) => {
      expect(isSystemsFault(error)).toBe(false);
    },
  );
});
