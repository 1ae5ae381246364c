import { counted } from "../../../runtime/quantity.ts";
import type { Finding, Place } from "../../../runtime/situation/finding.ts";
import { meaningOf } from "../../../runtime/situation/reasons.ts";

const SHOWN = 4;

/** Where the console shows more of a finding, or has the button for it. */
const PLACES: Readonly<Record<Place, readonly [label: string, href: string]>> = {
  dead: ["Look at them", "/console/deliveries?state=dead"],
  held: ["Look at them", "/console/deliveries?state=held"],
  retrying: ["Look at them", "/console/deliveries?state=retrying"],
  pauses: ["Resume it", "/console/act"],
  rates: ["Change the rate", "/console/act/rate"],
  receivers: ["Enable it", "/console/act"],
  suppressions: ["Look at the addresses, and lift them", "/console/act/suppressions"],
  jobs: ["Look at the jobs", "/console/deliveries/jobs"],
};

const placeOf = ({ see, group, alsoOf = [] }: Finding) => {
  if (see === undefined) return null;
  const [label, href] = PLACES[see];
  // Of several groups all are meant.
  const isOfOne = href.includes("?") && group !== undefined && alsoOf.length === 0;
  return <a href={isOfOne ? `${href}&group=${group}` : href}>{label}</a>;
};

const FindingItem = (finding: Finding) => {
  const { level, sentence, reason, remedy, group } = finding;
  const meaning = reason === undefined ? undefined : meaningOf(reason);
  const place = placeOf(finding);
  return (
    <li class={level}>
      {group === undefined ? `${sentence}.` : <a href={`/console/groups/${group}`}>{`${sentence}.`}</a>}
      {meaning === undefined ? null : <p class="meaning">{`${reason}: ${meaning}.`}</p>}
      {place === null && remedy === undefined ? null : (
        <small>
          {place}
          {remedy === undefined ? null : <span>{remedy}</span>}
        </small>
      )}
    </li>
  );
};

/** What is to be said, the most important first; beyond the first few it is folded. */
export const Findings = ({ findings }: { readonly findings: readonly Finding[] }) => {
  const rest = findings.slice(SHOWN);
  return (
    <>
      <ul class="findings">
        {findings.slice(0, SHOWN).map((finding) => (
          <FindingItem {...finding} />
        ))}
      </ul>
      {rest.length === 0 ? null : (
        <details class="more" data-keep="findings">
          <summary>{`and ${counted(rest.length, "more thing")} to look at`}</summary>
          <ul class="findings">
            {rest.map((finding) => (
              <FindingItem {...finding} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
};
