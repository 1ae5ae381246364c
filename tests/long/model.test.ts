import { test } from "bun:test";
import { runSequences } from "../model.ts";

const SEQUENCES = Number(process.env["MODEL_SEQUENCES"] ?? 300);

test(
  `${SEQUENCES} random sequences of faults: nothing vanishes, no mail is sent twice uncounted, nothing is left behind`,
  () => runSequences(SEQUENCES),
  600_000,
);
