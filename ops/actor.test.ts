import { expect, test } from "bun:test";
import { actorOf } from "./actor.ts";

test("somebody acts, even where the environment names no user", () => {
  const actor = actorOf(undefined, {});
  expect(actor).not.toBe("unknown");
  expect(actorOf("lan", {})).toBe(`lan (as ${actor})`);
  expect(actorOf(undefined, { SUDO_USER: "lan" })).toBe(`lan (as ${actor})`);
});
