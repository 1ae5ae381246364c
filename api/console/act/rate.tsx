import { counted } from "../../../runtime/quantity.ts";
import { isSilent } from "../../../runtime/situation/facts.ts";
import type { GroupStatus } from "../../../stream/group-status.ts";
import { readGroupStatus } from "../../../stream/group-status.ts";
import type { ConsoleParts, VisitHandler } from "../visit.ts";
import { NumberCell } from "../words.tsx";

export const RATE_PATH = "/console/act/rate";

/** The rate in force is what its consumers say: the lowest, since one budget is shared. */
const rateOf = ({ consumers }: GroupStatus): number | undefined => {
  const rates = consumers.flatMap(({ silentMs, report }) =>
    report?.ratePerSecond === undefined || silentMs === null || isSilent({ silentMs }) ? [] : [report.ratePerSecond],
  );
  return rates.length === 0 ? undefined : Math.min(...rates);
};

const limitsOf = ({ consumers }: GroupStatus): string => {
  const granted = consumers.flatMap(({ report }) => report?.granted ?? []);
  const [first] = granted.toSorted((left, right) => left.allowed - right.allowed);
  if (first === undefined) return "";
  return `${counted(first.allowed, "connection")} each${first.words === undefined ? "" : ` (“${first.words}”)`}`;
};

const settingText = (value: number | undefined, unit: string): string =>
  value === undefined || value === 0 ? "not limited" : `${value.toLocaleString("en-US")} ${unit}`;

/** How fast mails are sent, what bounds that, and which groups take it. */
export const showRate =
  ({ groups, keys, settings }: ConsoleParts): VisitHandler =>
  async (visit) => {
    const { redis } = visit.operator();
    const mailing = groups.filter(({ sendsMail }) => sendsMail === true);
    const statuses = await Promise.all(mailing.map(({ name }) => readGroupStatus(redis, keys, name)));
    const total = statuses.reduce((sum, { lastHour }) => sum + lastHour.total, 0);
    const ofMinute = ({ lastHour }: GroupStatus): number => lastHour.perMinute.at(-2) ?? 0;
    return visit.page({
      title: "Send rate",
      children: (
        <>
          <h1>Send rate</h1>
          <p>
            All mail groups share one budget. It is set for the consumers, and read when they start:{" "}
            <code>MAIL_RATE_PER_SECOND</code> ({settingText(settings.MAIL_RATE_PER_SECOND, "a second")} here),{" "}
            <code>MAIL_RATE_PER_DAY</code> ({settingText(settings.MAIL_RATE_PER_DAY, "a day")} here). To change it, set
            it for every consumer and restart them one by one; to send nothing for a while, pause the group.
          </p>
          <section class="scroll" tabindex={0} aria-label="Send rate by group">
            <table>
              <thead>
                <tr>
                  <th>Group</th>
                  <th class="number">Rate in force</th>
                  <th class="number">Last full minute</th>
                  <th class="number">Last hour</th>
                  <th class="number">Share</th>
                  <th>The mail server grants</th>
                </tr>
              </thead>
              <tbody>
                {statuses.map((status) => {
                  const rate = rateOf(status);
                  const { group, lastHour } = status;
                  return (
                    <tr>
                      <td>
                        <a data-item href={`/console/groups/${group}`}>
                          {group}
                        </a>
                      </td>
                      <td class="number">
                        {rate === undefined ? "not limited" : `${rate.toFixed(rate < 10 ? 1 : 0)} a second`}
                      </td>
                      <NumberCell value={ofMinute(status)} />
                      <NumberCell value={lastHour.total} />
                      <td class="number">{total === 0 ? "" : `${Math.round((lastHour.total / total) * 100)} %`}</td>
                      <td>{limitsOf(status)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </section>
          <p class="soft">
            The rate in force is below the setting after the mail server said that it is too fast; it recovers by
            itself. Without a consumer nothing is in force.
          </p>
          <p>
            <a href="/console/act">Back</a>
          </p>
        </>
      ),
    });
  };
