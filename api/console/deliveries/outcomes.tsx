import { OUTCOME_WORDS } from "../../../ops/actions/deliveries/outcome-words.ts";
import { REPLAY_WORDS } from "../../../ops/actions/jobs/replay.ts";
import { count } from "../../../runtime/quantity.ts";

const WORDS = { ...OUTCOME_WORDS, ...REPLAY_WORDS };

/** What became of how many, or what would. */
export const Outcomes = ({ outcomes }: { readonly outcomes: Readonly<Record<string, number>> }) => (
  <ul class="outcomes">
    {Object.entries(WORDS).flatMap(([outcome, words]) => {
      const number = outcomes[outcome] ?? 0;
      return number === 0 ? [] : [<li>{`${count(number)} ${words}`}</li>];
    })}
  </ul>
);
