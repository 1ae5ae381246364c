import { readSituation } from "../../../ops/actions/situation.ts";
import type { ConsoleSection } from "../visit.ts";

/** What happens now, and why. */
export const NOW: ConsoleSection = {
  label: "Now",
  key: "n",
  path: "/console",
  paths: ({ now }) => [
    {
      path: "/console",
      async get(visit) {
        const { findings } = await readSituation(visit.operator(), now());
        return visit.page({
          title: "Now",
          children: (
            <ul class="findings">
              {findings.map(({ level, sentence, remedy }) => (
                <li class={level}>
                  {sentence}
                  {remedy === undefined ? null : <small>{remedy}</small>}
                </li>
              ))}
            </ul>
          ),
        });
      },
    },
  ],
};
