import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bindingTo, matchesPattern } from "./routing.ts";

describe("a pattern matches a type as a topic exchange would", () => {
  test.each([
    ["user.signed_up.v1", "user.signed_up.v1", true],
    ["user.signed_up.v1", "user.signed_up.v12", false],
    ["user.signed_up.v1", "user.signed_up", false],
    // `*` is exactly one word.
    ["user.*.v1", "user.signed_up.v1", true],
    ["user.*.v1", "user.v1", false],
    ["user.*", "user.signed_up.v1", false],
    ["*", "anything", true],
    ["*", "any.thing", false],
    ["*", "", false],
    ["user*", "users", false],
    // `#` is any number of words, none included.
    ["#", "", true],
    ["#", "a.b.c", true],
    ["user.#", "user", true],
    ["user.#", "user.signed_up.v1", true],
    ["user.#", "users.signed_up.v1", false],
    ["#.v1", "v1", true],
    ["#.v1", "user.signed_up.v1", true],
    ["#.v1", "user.signed_up.v2", false],
    ["a.#.b", "a.b", true],
    ["a.#.b", "a.x.y.b", true],
    ["a.#.b", "a.b.c", false],
    ["a.#.*", "a", false],
    ["#.#", "", true],
    ["#.a.#.a.#", "a.a", true],
    ["#.a.#.a.#", "a", false],
    ["", "", false],
    ["a..b", "a..b", true],
  ])("%p matches %p: %p", (pattern, type, expected) => {
    expect(matchesPattern(pattern, type)).toBe(expected);
  });

  test("long patterns over long types are matched in linear time", () => {
    const pattern = Array.from({ length: 200 }, () => "#.a").join(".");
    expect(matchesPattern(pattern, Array.from({ length: 400 }, () => "b").join("."))).toBe(false);
  });

  const word = fc.constantFrom("a", "b", "c");
  const words = (of: fc.Arbitrary<string>) =>
    fc.array(of, { minLength: 1, maxLength: 5 }).map((list) => list.join("."));

  test("every type matches itself, and `#`", () => {
    fc.assert(fc.property(words(word), (type) => matchesPattern(type, type) && matchesPattern("#", type)));
  });

  test("the same as an equivalent regular expression", () => {
    const pattern = words(fc.constantFrom("a", "b", "*", "#"));
    const expression = (text: string) => {
      const parts = text
        .split(".")
        .map((part) => (part === "#" ? "(\\.[^.]+)*" : part === "*" ? "\\.[^.]+" : `\\.${part}`));
      return new RegExp(`^${parts.join("")}$`);
    };
    fc.assert(
      fc.property(pattern, words(word), (each, type) => {
        expect(matchesPattern(each, type)).toBe(expression(each).test(`.${type}`));
      }),
    );
  });
});

describe("a group that binds by patterns", () => {
  const known = ["user.signed_up.v1", "user.email_verified.v1", "payment.requested.v1"];
  test.each([
    [["user.signed_up.v1"], "user.signed_up.v1", "handled"],
    [["user.signed_up.v1"], "user.signed_up.v2", "unknown-version"],
    [["user.signed_up.v1"], "user.deleted.v1", "unbound"],
    [["user.signed_up.v1"], "", "unbound"],
    [["user.#"], "user.email_verified.v1", "handled"],
    // A wildcard does not match a version that this code cannot read.
    [["user.#"], "user.signed_up.v2", "unknown-version"],
    [["#"], "payment.requested.v9", "unknown-version"],
    [["user.*.v1"], "user.signed_up.v2", "unknown-version"],
    // A type that this code knows in no version: the group's schema decides.
    [["user.#"], "user.renamed.v1", "handled"],
    [["user.#"], "order.placed.v1", "unbound"],
    // Named in full.
    [["user.signed_up.v2"], "user.signed_up.v2", "handled"],
  ] as const)("%p and %p: %s", (patterns, type, expected) => {
    expect(bindingTo(patterns, type, known)).toBe(expected);
  });
});
