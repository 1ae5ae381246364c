import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readConfirmation, signConfirmation } from "./confirmation-token.ts";

const key = Buffer.alloc(32, 1);
const userId = "01a2109c-053e-74f1-9982-4e9657eb2cfe";
const expiresAtMs = Date.UTC(2026, 10, 30);
const token = signConfirmation(key, { userId, expiresAtMs });

describe("a confirmation token", () => {
  test("names its user until it expires", () => {
    expect(token).toMatch(/^[A-Za-z0-9_-]{72}$/);
    expect(readConfirmation(key, token, expiresAtMs - 1)).toMatchObject({ kind: "valid", userId });
    expect(readConfirmation(key, token, expiresAtMs)).toEqual({ kind: "expired", userId });
  });

  test("of another key is invalid", () => {
    expect(readConfirmation(Buffer.alloc(32, 2), token, 0)).toEqual({ kind: "invalid" });
  });

  test("with any character changed, added or missing is invalid", () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(..."AZaz09-_=%. "), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(readConfirmation(key, changed, 0).kind).toBe(changed === token ? "valid" : "invalid");
      }),
    );
    for (const other of ["", token.slice(1), `${token}A`, `${token}\n`, token.toUpperCase()]) {
      expect(readConfirmation(key, other, 0)).toEqual({ kind: "invalid" });
    }
  });

  test("never throws, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => readConfirmation(key, text, 0).kind === "invalid"));
  });
});
