import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { findReturnPath, returnPath } from "./return-path.ts";

const key = randomBytes(32);
const groups = ["welcome-email", "reminder-email", "payments"];
const address = "bounces@toblug.example";
const eventId = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
const signed = returnPath(key, address, { eventId, group: "reminder-email" });

describe("the address to which a mail returns", () => {
  test("names the delivery, in a local part of at most 64 characters", () => {
    expect(signed).toMatch(/^bounces\+[0-9a-v]{40}@toblug\.example$/);
    const longest = returnPath(key, `${"b".repeat(23)}@toblug.example`, { eventId, group: "welcome-email" });
    expect(longest.indexOf("@")).toBe(64);
    expect(findReturnPath(key, `To: <${signed}>`, groups)).toEqual({ eventId, group: "reminder-email" });
  });

  test("names any event and any group, in capitals as well", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom(...groups), (id, group) => {
        const path = returnPath(key, address, { eventId: id, group });
        expect(findReturnPath(key, path, groups)).toEqual({ eventId: id, group });
        expect(findReturnPath(key, path.toUpperCase(), groups)).toEqual({ eventId: id, group });
      }),
    );
  });

  test("is refused after any change to its token, by another key, and for a group that is not there", () => {
    for (let at = signed.indexOf("+") + 1; signed[at] !== "@"; at += 1) {
      const changed = `${signed.slice(0, at)}${signed[at] === "0" ? "1" : "0"}${signed.slice(at + 1)}`;
      expect(findReturnPath(key, changed, groups)).toBeUndefined();
    }
    expect(findReturnPath(randomBytes(32), signed, groups)).toBeUndefined();
    expect(findReturnPath(key, signed, ["welcome-email"])).toBeUndefined();
  });

  test("is found after others that are not valid, of which only a few are tried", () => {
    const invalid = (count: number) =>
      Array.from({ length: count }, (_, index) => `a+${index.toString(32).padStart(40, "0")}@b.example`).join(" ");
    expect(findReturnPath(key, `${invalid(5)} ${signed}`, groups)).toBeDefined();
    expect(findReturnPath(key, `${invalid(100_000)} ${signed}`, groups)).toBeUndefined();
  });
});
