import { describe, expect, test } from "bun:test";
import { bindingOf, matchesType, WELCOME_EMAIL } from "./groups.ts";

describe("a group binds to event types by pattern", () => {
  test.each([
    ["user.*", "user.signed_up.v1", true],
    ["user.*", "user.", true],
    ["user.*", "users.signed_up.v1", false],
    ["*.v1", "user.signed_up.v1", true],
    ["*.v1", "user.signed_up.v2", false],
    ["user.*.v1", "user.signed_up.v1", true],
    ["user.*.v1", "user.v1", false],
    ["payment.requested.v1", "payment.requested.v1", true],
    ["payment.requested.v1", "payment.requested.v12", false],
    ["*", "anything", true],
    ["a*a", "a", false],
  ])("%s matches %s: %p", (pattern, type, expected) => {
    expect(matchesType(pattern, type)).toBe(expected);
  });

  test.each([
    ["user.signed_up.v1", "handled"],
    ["user.signed_up.v2", "unknown-version"],
    ["user.deleted.v1", "unbound"],
    ["", "unbound"],
  ] as const)("the welcome mail's group finds %p %s", (type, binding) => {
    expect(bindingOf(WELCOME_EMAIL, type)).toBe(binding);
  });
});
