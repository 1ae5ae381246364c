import { type AuditedAction, listActions } from "../../../database/audit.ts";
import { isUuid } from "../../../database/uuid.ts";
import { ACTION_NAMES } from "../../../ops/actions/action-names.ts";
import { count, duration } from "../../../runtime/quantity.ts";
import type { ConsoleSection } from "../visit.ts";
import { GroupOptions, Moment, Pill } from "../words.tsx";

const PAGE = 50;
const HOUR_MS = 3_600_000;

/** Ages to choose from. */
const AGES: readonly (readonly [value: string, label: string, ms: number])[] = [
  ["", "any time", Number.POSITIVE_INFINITY],
  ["1h", "the last hour", HOUR_MS],
  ["24h", "the last 24 hours", 24 * HOUR_MS],
  ["7d", "the last 7 days", 7 * 24 * HOUR_MS],
];

interface Filter {
  readonly by: string;
  readonly action: string;
  readonly group: string;
  readonly age: string;
}

const Outcome = ({ end, begunAt }: AuditedAction) => {
  if (end === null) return <Pill level="trouble">unknown</Pill>;
  const took = end.endedAt.getTime() - begunAt.getTime();
  const level = {
    done: "well",
    nothing: "plain",
    stopped: "notice",
    failed: "trouble",
    interrupted: "trouble",
  } as const;
  return (
    <>
      <Pill level={level[end.outcome]}>{end.outcome}</Pill>{" "}
      {end.outcome === "failed" || end.outcome === "interrupted"
        ? (end.error ?? "unknown")
        : `${count(end.affected)} in ${duration(took)}`}
    </>
  );
};

const On = ({ action }: { readonly action: AuditedAction }) => {
  const named = Object.entries(action.arguments).map(([name, value]) => `${name}: ${value}`);
  const ids = action.end?.eventIds ?? [];
  return (
    <>
      {named.join(", ")}
      {ids.length === 0 ? null : (
        <details>
          <summary>{ids.length === 1 ? "1 id" : `${ids.length} ids`}</summary>
          <ul class="list">
            {ids.map((id) => (
              <li>
                <a href={`/console/find/${id}`}>
                  <code>{id}</code>
                </a>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
};

const Actions = ({ actions }: { readonly actions: readonly AuditedAction[] }) => (
  <section class="scroll card flush" aria-label="Actions" tabindex={0}>
    <table class="stacked">
      <thead>
        <tr>
          {["when", "who", "through", "what", "group", "on", "outcome"].map((title) => (
            <th scope="col">{title}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {actions.map((action) => (
          <tr data-item tabindex={-1}>
            <td>
              <Moment at={action.begunAt} />
            </td>
            <th scope="row">{action.actor}</th>
            <td>{`${action.surface}, ${action.host}`}</td>
            <td>
              <strong>{action.action}</strong>
            </td>
            <td>{action.group ?? ""}</td>
            <td class="wrap">
              <On action={action} />
            </td>
            <td>
              <Outcome {...action} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const Filters = ({ filter, groups }: { readonly filter: Filter; readonly groups: readonly string[] }) => (
  <search>
    <form class="filters" method="get" action="/console/audit">
      <label>
        who <input name="by" value={filter.by} autocomplete="off" data-find />
      </label>
      <label>
        what{" "}
        <input name="action" value={filter.action} autocomplete="off" placeholder="dead, dead retry" list="actions" />
        <datalist id="actions">
          {ACTION_NAMES.map((name) => (
            <option value={name} />
          ))}
        </datalist>
      </label>
      <label>
        group
        <select name="group">
          <option value="">any</option>
          <GroupOptions groups={groups} chosen={filter.group} />
        </select>
      </label>
      <label>
        when
        <select name="age">
          {AGES.map(([value, label]) => (
            <option value={value} selected={value === filter.age}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="quiet">
        Show
      </button>
    </form>
  </search>
);

/** What operators changed, by whatever they did it. */
export const AUDIT: ConsoleSection = {
  label: "Audit",
  key: "u",
  path: "/console/audit",
  paths: ({ groups, now }) => [
    {
      path: "/console/audit",
      async get(visit) {
        const query = (name: string) => (visit.c.req.query(name) ?? "").trim();
        const filter: Filter = { by: query("by"), action: query("action"), group: query("group"), age: query("age") };
        const before = query("before");
        const ageMs = AGES.find(([value]) => value === filter.age)?.[2] ?? Number.POSITIVE_INFINITY;
        const found = await listActions(visit.operator().db, {
          actor: filter.by || undefined,
          action: filter.action || undefined,
          group: filter.group || undefined,
          since: Number.isFinite(ageMs) ? new Date(now().getTime() - ageMs) : undefined,
          before: isUuid(before) ? before : undefined,
          limit: PAGE + 1,
        });
        const actions = found.slice(0, PAGE);
        const last = actions.at(-1);
        const older = new URLSearchParams({ ...filter, before: last?.actionId ?? "" });
        return visit.page({
          title: "Audit",
          children: (
            <>
              <h1>Audit</h1>
              <Filters filter={filter} groups={groups.map(({ name }) => name)} />
              {actions.length === 0 ? (
                <p class="soft">
                  No action is recorded. Whatever an operator changes is, by the console or by{" "}
                  <code class="command">ops</code>.
                </p>
              ) : (
                <Actions actions={actions} />
              )}
              {found.length > PAGE ? (
                <p>
                  <a href={`/console/audit?${older}`} rel="next">
                    Older
                  </a>
                </p>
              ) : null}
            </>
          ),
        });
      },
    },
  ],
};
