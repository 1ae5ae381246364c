import { duration } from "../../runtime/quantity.ts";
import type { ConsumerStatus } from "../../stream/group-status.ts";
import type { Doing } from "../actions/doing.ts";
import type { Tone } from "../terminal/style.ts";
import type { Cell } from "../terminal/table.ts";

const TONES: Readonly<Record<Doing["kind"], Tone>> = {
  working: "good",
  waiting: "warning",
  failing: "bad",
  unknown: "dim",
};

/** What a consumer does, in its colour. */
export const doingCell = ({ kind, words }: Doing): Cell => ({ text: words, tone: TONES[kind] });

/** Its last sign of life: what it does was true then. */
export const heardOf = ({ silentMs }: Pick<ConsumerStatus, "silentMs">): string =>
  silentMs === null ? "never" : `${duration(silentMs)} ago`;
