import { OUTCOME_WORDS, outcomeLines } from "../../../ops/actions/deliveries/outcome-words.ts";
import { REPLAY_WORDS } from "../../../ops/actions/jobs/replay.ts";

const WORDS = { ...OUTCOME_WORDS, ...REPLAY_WORDS };

/** What became of how many, or what would. */
export const Outcomes = ({ outcomes }: { readonly outcomes: Readonly<Record<string, number>> }) => (
  <ul class="outcomes">
    {outcomeLines(WORDS, outcomes).map((line) => (
      <li>{line}</li>
    ))}
  </ul>
);
