import { count, duration } from "../../../runtime/quantity.ts";
import type { History } from "../../../stream/history.ts";
import { Pill } from "../words.tsx";
import { Findings } from "./findings.tsx";
import type { HourSeries } from "./hour-series.ts";
import { Consumers } from "./now-page.tsx";
import type { GroupRow } from "./overview.ts";
import { Sparkline } from "./sparkline.tsx";

const MINUTE_MS = 60_000;

const seriesOf = (history: History, at: Date): HourSeries => {
  const last = Math.floor(at.getTime() / MINUTE_MS) * 60;
  return {
    minutes: history.perMinute.map((_, index) => last - 60 * (history.perMinute.length - 1 - index)),
    done: history.perMinute,
    seconds: history.medianPerMinute.map((ms) => (ms === null ? null : ms / 1_000)),
  };
};

const Minutes = ({ history, at }: { readonly history: History; readonly at: Date }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">minute (UTC)</th>
        <th scope="col" class="number">
          done
        </th>
        <th scope="col" class="number">
          half within
        </th>
      </tr>
    </thead>
    <tbody>
      {history.perMinute
        .map((done, index) => ({
          done,
          ms: history.medianPerMinute[index] ?? null,
          back: history.perMinute.length - 1 - index,
        }))
        .filter(({ done }) => done > 0)
        .reverse()
        .map(({ done, ms, back }) => (
          <tr>
            <td>{new Date(at.getTime() - back * MINUTE_MS).toISOString().slice(11, 16)}</td>
            <td class="number">{count(done)}</td>
            <td class="number">{ms === null ? "–" : duration(ms)}</td>
          </tr>
        ))}
    </tbody>
  </table>
);

/** One group: what waits, its last hour by minutes, its consumers. */
export const GroupPage = ({ row, at }: { readonly row: GroupRow; readonly at: Date }) => {
  const facts: readonly (readonly [label: string, value: string])[] = [
    ["waits", `${count(row.waits.value)}${row.waits.isBound ? "+" : ""}`],
    ["the oldest for", row.oldestMs === 0 ? "–" : duration(row.oldestMs)],
    ["in flight", count(row.inFlight)],
    ["delayed", `${count(row.delayed.value)}${row.delayed.isBound ? "+" : ""}`],
    ["retrying", count(row.retrying.value)],
    ["dead", count(row.dead)],
    ["held", count(row.held)],
  ];
  return (
    <>
      <div class="bar">
        <h1>{row.name}</h1>
        <Pill level={row.stateLevel}>{row.state}</Pill>
        <a href="/console">all groups</a>
      </div>
      {row.findings.length === 0 ? null : <Findings findings={row.findings} />}
      <dl class="totals">
        {facts.map(([label, value]) => (
          <div class={value === "0" || value === "–" ? "none" : ""}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h2>The last hour</h2>
      <div class="card">
        {row.lastHour.total === 0 ? (
          <p class="soft">Nothing was done.</p>
        ) : (
          <>
            <p>
              {`${count(row.lastHour.total)} done, half of them within ${duration(row.lastHour.medianMs ?? 0)} of the event.`}
            </p>
            <div class="graphs" data-series={JSON.stringify(seriesOf(row.lastHour, at))}>
              <Sparkline values={row.lastHour.perMinute} />
            </div>
            <details data-keep="minutes">
              <summary>Minute by minute</summary>
              <Minutes history={row.lastHour} at={at} />
            </details>
          </>
        )}
      </div>
      <Consumers rows={row.consumers} now={at} />
    </>
  );
};
