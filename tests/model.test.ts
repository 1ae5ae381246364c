import { test } from "bun:test";
import { runSequences } from "./model.ts";

test(
  "20 random sequences of faults: nothing vanishes, no mail is sent twice uncounted, nothing is left behind",
  () => runSequences(20),
  170_000,
);
