import { describe, expect, test } from "bun:test";
import { boundGroups, GROUPS, type Group, groupsOf, requireBindings, shownState, WELCOME_EMAIL } from "./groups.ts";

const everything: Group = { name: "audit", types: ["#"], delayMs: 1_000 };
const nothing: Group = { name: "typo", types: ["user.sined_up.v1"] };
const types = ["user.signed_up.v1", "payment.requested.v1"];

describe("the groups", () => {
  test("that bind to a type get a delivery of each of its events, after their delay", () => {
    expect(boundGroups([WELCOME_EMAIL, everything], types)).toEqual([
      { type: "user.signed_up.v1", group_name: "welcome-email", delay_ms: null },
      { type: "user.signed_up.v1", group_name: "audit", delay_ms: 1_000 },
      { type: "payment.requested.v1", group_name: "audit", delay_ms: 1_000 },
    ]);
  });

  test("that bind to nothing are named at the start, with the known types", () => {
    requireBindings(GROUPS);
    expect(() => requireBindings([everything, nothing], types)).toThrow(
      "the group typo binds to nothing: none of its patterns (user.sined_up.v1) matches\n" +
        "known event types: user.signed_up.v1, payment.requested.v1",
    );
  });

  test("of a configuration are those of the code, and one for each receiver of webhooks", () => {
    const receiver = { name: "crm", events: ["user.#"], contentType: "application/json" } as const;
    const groups = groupsOf({ receivers: [receiver] });
    expect(groups.map(({ name }) => name)).toEqual([...GROUPS.map(({ name }) => name), "webhook-crm"]);
    expect(groups.at(-1)).toMatchObject({ types: ["user.#"] });
    expect(() => groupsOf({ receivers: [{ ...receiver, events: ["user.signed_down.v1"] }] })).toThrow(
      "WEBHOOK_CRM_EVENTS: user.signed_down.v1 matches no event type; expected some of: user.signed_up.v1",
    );
  });

  test("show two states by names of their own", () => {
    expect([shownState(WELCOME_EMAIL, "active"), shownState(WELCOME_EMAIL, "done")]).toEqual(["sending", "sent"]);
    expect([shownState(everything, "done"), shownState(WELCOME_EMAIL, "held")]).toEqual(["done", "held"]);
  });
});
