import type { JobSelection } from "../../../ops/actions/deliveries/job.ts";
import { momentText } from "../words.tsx";
import { STATE_WORDS } from "./words.ts";

/** Groups that are named; of more only their number. */
const NAMED = 3;

const whose = (groups: readonly string[]): string =>
  groups.length <= NAMED ? groups.join(", ") : `${groups.length} groups`;

/** Which deliveries a job is about: `dead in welcome-email, no_such_address, before 2026-11-28 06:05:10 UTC`. */
export const selectionWords = (selection: JobSelection): string => {
  if (selection.kind === "chosen") return `chosen ones of ${whose(Object.keys(selection.chosen))}`;
  const { groups, state, reason, since, before } = selection;
  const from = since === undefined ? "" : ` since ${momentText(new Date(since))}`;
  const until = momentText(new Date(before));
  return `${STATE_WORDS[state]} in ${whose(groups)}${reason === undefined ? "" : `, ${reason}`}${from}, before ${until}`;
};
