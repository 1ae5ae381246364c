import { expect, test } from "bun:test";
import { requireAction } from "./action-names.ts";

test.each([[undefined], ["dead"], ["dead retry"], ["replay"]])(
  "%p is an action, or the first word of some",
  (wanted) => {
    expect(() => requireAction(wanted)).not.toThrow();
  },
);

test.each(["unknown", "dea", "retry", ""])("%p is refused with the names that there are", (wanted) => {
  expect(() => requireAction(wanted)).toThrow(`no action is named ${wanted}; there are: dead drop, dead retry,`);
});
