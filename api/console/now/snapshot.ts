import type { Situation } from "../../../ops/actions/situation.ts";

/** What was read, and when. */
export interface Snapshot {
  readonly at: Date;
  readonly situation: Situation;
}
