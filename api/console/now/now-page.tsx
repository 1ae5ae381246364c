import { retentionWords } from "../../../ops/actions/retention-words.ts";
import { bytes, count, counted, duration } from "../../../runtime/quantity.ts";
import { ago, GroupFilter, Moment, NumberCell, Pill } from "../words.tsx";
import { Findings } from "./findings.tsx";
import { type ConsumerRow, consumerRows, type GroupRow, groupRows, type SystemRow, systemRows } from "./overview.ts";
import type { Snapshot } from "./snapshot.ts";
import { Sparkline } from "./sparkline.tsx";

/** So many groups are shown one by one, however quiet they are. */
const SHOWN_QUIET = 12;
/** So many systems, however well they work. */
const SHOWN_WORKING = 7;
/** So many rows of consumers, however little they do. */
const SHOWN_IDLE = 8;

const Group = ({ row }: { readonly row: GroupRow }) => (
  <tr data-part={`group ${row.name}`} data-name={row.name} class={row.level}>
    <th scope="row">
      <a data-item href={`/console/groups/${row.name}`}>
        {row.name}
      </a>
    </th>
    <td>
      <Pill level={row.stateLevel}>{row.state}</Pill>
    </td>
    <NumberCell label="waits" {...row.waits} {...(row.level === "trouble" ? { level: row.level } : {})} />
    <NumberCell label="in flight" value={row.inFlight} />
    <NumberCell label="delayed" {...row.delayed} />
    <NumberCell label="retrying" {...row.retrying} level="notice" />
    <NumberCell label="dead" value={row.dead} level="trouble" />
    <NumberCell label="held" value={row.held} level="notice" />
    <td class="graph">
      <Sparkline values={row.lastHour.perMinute} />
    </td>
    <NumberCell label="done in the last hour" value={row.lastHour.total} />
    <td data-label="half within" class={`number ${row.lastHour.medianMs === undefined ? "none" : ""}`}>
      {row.lastHour.medianMs === undefined ? "–" : duration(row.lastHour.medianMs)}
    </td>
  </tr>
);

const COLUMNS = ["waits", "in flight", "delayed", "retrying", "dead", "held"];

const GroupTable = ({ rows, label }: { readonly rows: readonly GroupRow[]; readonly label: string }) => (
  <section class="scroll card flush" aria-label={label} tabindex={0}>
    <table class="groups stacked">
      <thead>
        <tr>
          <th scope="col">group</th>
          <th scope="col">state</th>
          {COLUMNS.map((column) => (
            <th scope="col" class="number">
              {column}
            </th>
          ))}
          <th scope="col" class="graph">
            last hour
          </th>
          <th scope="col" class="number">
            done
          </th>
          <th scope="col" class="number">
            half within
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Group row={row} />
        ))}
      </tbody>
    </table>
  </section>
);

interface ConsumersProps {
  readonly rows: readonly ConsumerRow[];
  readonly now: Date;
}

const ConsumerTable = ({ rows, now, label }: ConsumersProps & { readonly label: string }) => (
  <section class="scroll card flush" aria-label={label} tabindex={0}>
    <table class="stacked">
      <thead>
        <tr>
          <th scope="col">consumer</th>
          <th scope="col">group</th>
          <th scope="col">now</th>
          <th scope="col">for</th>
          <th scope="col" class="number">
            heard of
          </th>
          <th scope="col" class="number">
            in flight
          </th>
          <th scope="col">works with</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, group, doing, status: { report, silentMs } }) => (
          <tr data-name={group}>
            <th class="first" scope="row">
              {name}
            </th>
            <td>
              <a href={`/console/groups/${group}`}>{group}</a>
            </td>
            <td>
              <Pill level={doing.kind === "failing" ? "trouble" : doing.kind === "working" ? "well" : "plain"}>
                {doing.words}
              </Pill>
            </td>
            <td data-label="for">{doing.since === null ? "" : ago(doing.since, now)}</td>
            <td class="number" data-label="heard of">
              {silentMs === null ? "–" : `${duration(silentMs)} ago`}
            </td>
            <td class="number" data-label="in flight">
              {report === null ? "–" : `${count(report.inFlight)} of ${count(report.concurrency)}`}
            </td>
            <td>{report?.system ?? ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const isIdle = ({ doing, status: { report } }: ConsumerRow): boolean =>
  doing.kind === "working" && report?.inFlight === 0;

/** Consumers, each with what it does for each group: where there are many rows, those with nothing in flight are folded. */
export const Consumers = ({ rows, now, isFiltered = false }: ConsumersProps & { readonly isFiltered?: boolean }) => {
  const title = counted(new Set(rows.map(({ name }) => name)).size, "consumer");
  if (rows.length === 0) {
    return (
      <>
        <h2>{title}</h2>
        <p class="soft">None has given a sign of life in the last hour.</p>
      </>
    );
  }
  const idle = rows.length > SHOWN_IDLE && !isFiltered ? rows.filter(isIdle) : [];
  const shown = rows.filter((row) => !idle.includes(row));
  return (
    <>
      <h2>{title}</h2>
      {shown.length === 0 ? null : <ConsumerTable label="Consumers" rows={shown} now={now} />}
      {idle.length === 0 ? null : (
        <details class="more" data-keep="idle">
          <summary>{`${shown.length === 0 ? "All" : count(idle.length)} read, and have nothing in flight`}</summary>
          <ConsumerTable label="Consumers with nothing in flight" rows={idle} now={now} />
        </details>
      )}
    </>
  );
};

const System = ({ row, now }: { readonly row: SystemRow; readonly now: Date }) => (
  <li>
    <strong>{row.name}</strong> <Pill level={row.level}>{row.state}</Pill>
    <small>
      {row.since === null ? `for ${row.groups.join(", ")}` : `for ${ago(row.since, now)}; for ${row.groups.join(", ")}`}
      {row.words === undefined ? null : <q>{row.words}</q>}
    </small>
  </li>
);

const Stores = ({ at, situation: { status } }: Snapshot) => {
  if (status === undefined) return null;
  const { redis, ledger, retention } = status;
  const limit = redis.maxMemory === 0 ? "no limit" : `of ${bytes(redis.maxMemory)}`;
  const { rows, bounded, oldestAgeMs } = ledger.outbox;
  return (
    <>
      <li>
        <strong>PostgreSQL</strong> <Pill level="well">answers</Pill>
        <small>
          {`outbox: ${counted(rows, "event")}${bounded ? " or more" : ""}${rows === 0 ? "" : `, the oldest for ${duration(oldestAgeMs)}`}; ${retentionWords(retention, at)}`}
        </small>
      </li>
      <li>
        <strong>Redis {redis.version}</strong> <Pill level="well">answers</Pill>
        <small>
          {`${bytes(redis.usedMemory)}, ${limit}; ${redis.appendOnly ? "appends to its log" : "keeps no log"}; up ${duration(redis.uptimeSeconds * 1_000)}`}
        </small>
      </li>
    </>
  );
};

const Totals = ({ rows }: { readonly rows: readonly GroupRow[] }) => {
  const sum = (of: (row: GroupRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const totals: readonly (readonly [label: string, value: number, level: string])[] = [
    ["waits", sum((row) => row.waits.value), ""],
    ["in flight", sum((row) => row.inFlight), ""],
    ["delayed", sum((row) => row.delayed.value), ""],
    ["retrying", sum((row) => row.retrying.value), "notice"],
    ["dead", sum((row) => row.dead), "trouble"],
    ["held", sum((row) => row.held), "notice"],
    ["done in an hour", sum((row) => row.lastHour.total), ""],
  ];
  return (
    <dl class="totals">
      {totals.map(([label, value, level]) => (
        <div class={value === 0 ? "none" : level}>
          <dt>{label}</dt>
          <dd>{count(value)}</dd>
        </div>
      ))}
    </dl>
  );
};

/** Everything that changes. Parts that a script may replace by themselves are named by `data-part`. */
export const NowParts = ({ snapshot, filter = "" }: { readonly snapshot: Snapshot; readonly filter?: string }) => {
  const { at, situation } = snapshot;
  const rows = groupRows(situation, at);
  const shown = rows.filter(({ name }) => name.includes(filter));
  const quiet = shown.filter(({ isQuiet }) => isQuiet);
  const isShort = quiet.length <= SHOWN_QUIET || filter !== "";
  const consumers = consumerRows(shown);
  const systems = systemRows(shown);
  const working = systems.length > SHOWN_WORKING ? systems.filter(({ level }) => level === "well") : [];
  return (
    <>
      <section data-part="findings" aria-live="polite">
        <Findings findings={situation.findings} />
      </section>
      <section data-part="totals">
        <Totals rows={rows} />
      </section>
      <section data-part="groups">
        <h2>Groups</h2>
        <GroupTable label="Groups" rows={isShort ? shown : shown.filter(({ isQuiet }) => !isQuiet)} />
        {isShort ? null : (
          <details class="more" data-keep="quiet">
            <summary>{`${counted(quiet.length, "quiet group")}: nothing waits, and nothing was done in the last hour`}</summary>
            <GroupTable label="Quiet groups" rows={quiet} />
          </details>
        )}
      </section>
      <section data-part="systems">
        <h2>What they work with</h2>
        <ul class="systems">
          <Stores {...snapshot} />
          {systems
            .filter((row) => !working.includes(row))
            .map((row) => (
              <System row={row} now={at} />
            ))}
        </ul>
        {working.length === 0 ? null : (
          <details class="more" data-keep="systems">
            <summary>{`${count(working.length)} ${working.length === systems.length ? "systems work" : "others work"}`}</summary>
            <ul class="systems">
              {working.map((row) => (
                <System row={row} now={at} />
              ))}
            </ul>
          </details>
        )}
      </section>
      <section data-part="consumers">
        <Consumers rows={consumers} now={at} isFiltered={filter !== ""} />
      </section>
      <p class="soft as-of" data-part="as-of">
        As of <Moment at={at} />.
      </p>
    </>
  );
};

/** The page. */
export const NowPage = ({ snapshot, filter }: { readonly snapshot: Snapshot; readonly filter: string }) => (
  <>
    <div class="bar">
      <h1>Now</h1>
      <search>
        <form method="get" action="/console">
          <GroupFilter filter={filter} />
        </form>
      </search>
      <span class="live" id="live" hidden>
        live
      </span>
    </div>
    <div id="now" data-live="/console/now">
      <NowParts snapshot={snapshot} filter={filter} />
    </div>
  </>
);
