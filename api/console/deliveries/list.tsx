import { BACKLOG_BOUND } from "../../../database/ledger/counts.ts";
import {
  countReasonsOf,
  type DeliveryPage,
  type ListedDelivery,
  listDeliveries,
} from "../../../database/ledger/list.ts";
import { LISTED_STATES } from "../../../database/ledger/listed.ts";
import { count, relative } from "../../../runtime/quantity.ts";
import { meaningsOf } from "../../../runtime/situation/reasons.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { GroupOptions } from "../words.tsx";
import { dateOf, filterOf, groupsOfFilter, hrefOf, type ListFilter } from "./filter.ts";
import { LettersAlone, lettersAlone } from "./letters.tsx";
import { ACTION_WORDS, ACTIONS_FOR, STATE_WORDS } from "./words.ts";

/** Deliveries on a page. */
const PAGE = 50;
/** Counts by group and reason that are shown without a click. */
const SHOWN_REASONS = 12;
/** Reasons that are explained without a click. */
const UNFOLDED = 3;

const bounded = (value: number): string => `${count(value)}${value >= BACKLOG_BOUND ? "+" : ""}`;

const Filters = ({ filter, groups }: { readonly filter: ListFilter; readonly groups: readonly string[] }) => (
  <form class="filters" method="get" action="/console/deliveries">
    <label>
      State
      <select name="state">
        {LISTED_STATES.map((state) => (
          <option value={state} selected={state === filter.state}>
            {STATE_WORDS[state]}
          </option>
        ))}
      </select>
    </label>
    <label>
      Group
      <select name="group">
        <option value="">every group</option>
        <GroupOptions groups={groups} chosen={filter.group} />
      </select>
    </label>
    <label>
      Reason
      <input name="reason" value={filter.reason} placeholder="any" />
    </label>
    <label>
      Since (UTC)
      <input type="datetime-local" name="since" value={filter.since} />
    </label>
    <label>
      Before (UTC)
      <input type="datetime-local" name="before" value={filter.before} />
    </label>
    <button type="submit">Show</button>
  </form>
);

interface ReasonsProps {
  readonly filter: ListFilter;
  readonly counts: Awaited<ReturnType<typeof countReasonsOf>>;
}

const ReasonList = ({ filter, counts, label }: ReasonsProps & { readonly label: string }) => (
  <ul class="reasons" aria-label={label}>
    {counts.map(({ group, reason, count: number }) => (
      <li>
        <a href={hrefOf({ ...filter, group, reason })} aria-current={reason === filter.reason ? "true" : undefined}>
          {reason === "" ? "no reason" : reason}
        </a>{" "}
        <small>{`${bounded(number)} of ${group}`}</small>
      </li>
    ))}
  </ul>
);

/** The counts by group and reason; where many groups have some, the largest. */
const Reasons = ({ filter, counts }: ReasonsProps) => {
  if (counts.length <= SHOWN_REASONS) return <ReasonList filter={filter} counts={counts} label="By reason" />;
  const largest = counts.toSorted((left, right) => right.count - left.count);
  return (
    <>
      <ReasonList filter={filter} counts={largest.slice(0, SHOWN_REASONS)} label="By reason" />
      <details class="more">
        <summary>{`${count(counts.length - SHOWN_REASONS)} more`}</summary>
        <ReasonList filter={filter} counts={largest.slice(SHOWN_REASONS)} label="By reason, the others" />
      </details>
    </>
  );
};

const Row = ({
  delivery,
  now,
  isHeld,
  canAct,
}: {
  readonly delivery: ListedDelivery;
  readonly now: Date;
  /** It waits for its release, not for an attempt. */
  readonly isHeld: boolean;
  readonly canAct: boolean;
}) => {
  const { eventId, group, reason, reply, attempts, updatedAt, nextTryAt } = delivery;
  return (
    <tr>
      {canAct ? (
        <td>
          <input type="checkbox" name="item" value={`${group}/${eventId}`} aria-label={`Choose ${group} ${eventId}`} />
        </td>
      ) : null}
      <td>
        <time datetime={updatedAt.toISOString()}>{relative(updatedAt, now)}</time>
        <small>{updatedAt.toISOString().slice(0, 19).replace("T", " ")}</small>
      </td>
      <td>{group}</td>
      <td class="whole">
        {reason ?? "—"}
        {reply === null ? null : <small>{reply}</small>}
        {nextTryAt === null ? null : (
          <small>{`${isHeld ? "released" : "next attempt"} ${relative(nextTryAt, now)}`}</small>
        )}
      </td>
      <td class="number" data-label="attempts">
        {count(attempts)}
      </td>
      <td>
        <a data-item href={`/console/find/${eventId}`}>
          <code>{eventId}</code>
        </a>
      </td>
    </tr>
  );
};

/** What the reasons of the page mean, each once; folded where they are many. */
const Meanings = ({ page }: { readonly page: DeliveryPage }) => {
  const meanings = meaningsOf(page.deliveries.map(({ reason }) => reason));
  if (meanings.length === 0) return null;
  return (
    <details class="meanings" open={meanings.length <= UNFOLDED}>
      <summary>What the reasons mean</summary>
      <dl>
        {meanings.map(([reason, meaning]) => (
          <div>
            <dt>{reason}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
};

const Table = ({
  page,
  now,
  isHeld,
  canAct,
}: {
  readonly page: DeliveryPage;
  readonly now: Date;
  readonly isHeld: boolean;
  readonly canAct: boolean;
}) => (
  <section class="scroll card flush deliveries" tabindex={0} aria-label="Deliveries">
    <table class="stacked">
      <thead>
        <tr>
          {canAct ? <th>Choose</th> : null}
          <th>Changed (UTC)</th>
          <th>Group</th>
          <th>Reason</th>
          <th class="number">Attempts</th>
          <th>Event</th>
        </tr>
      </thead>
      <tbody>
        {page.deliveries.map((delivery) => (
          <Row {...{ delivery, now, isHeld, canAct }} />
        ))}
      </tbody>
    </table>
  </section>
);

/** What an empty list says: whether there is nothing at all, or nothing by this filter. */
const nothingOf = ({ state, group, reason, since, before }: ListFilter): string => {
  const isNarrow = [reason, since, before].some((text) => text !== "");
  const where = group === "" ? "in any group" : `in ${group}`;
  return `No delivery is ${STATE_WORDS[state]} ${where}${isNarrow ? ", by this reason and time" : ""}.`;
};

const Actions = ({
  filter,
  visit,
  children,
}: {
  readonly filter: ListFilter;
  readonly visit: Visit;
  readonly children: unknown;
}) => {
  const actions = ACTIONS_FOR[filter.state];
  return (
    <form method="post" action="/console/deliveries/preview">
      <FormToken session={visit.session} />
      {Object.entries(filter).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <fieldset class="scope">
        <legend>With</legend>
        <label>
          <input type="radio" name="scope" value="chosen" checked /> the chosen ones
        </label>
        <label>
          <input type="radio" name="scope" value="all" /> all of this filter
        </label>
        {actions.map((action) => (
          <button type="submit" name="action" value={action} class={action === "discard" ? "danger" : undefined}>
            {`${ACTION_WORDS[action]} …`}
          </button>
        ))}
      </fieldset>
      {children}
    </form>
  );
};

/** Deliveries by group, state, reason and age; the newest first. */
export const showList =
  ({ groups, keys, now }: Pick<ConsoleParts, "groups" | "keys" | "now">): VisitHandler =>
  async (visit) => {
    const query = new URL(visit.c.req.url).searchParams;
    const filter = filterOf(query, groups);
    const { db } = visit.operator();
    const { state, reason } = filter;
    const window = { since: dateOf(filter.since), before: dateOf(filter.before) };
    const named = groupsOfFilter(filter, groups);
    const isWhole = state === "dead" && reason === "" && filter.since + filter.before === "" && !query.has("cursor");
    const [page, counts, alone] = await Promise.all([
      listDeliveries(db, {
        groups: named,
        state,
        reason: reason === "" ? undefined : reason,
        ...window,
        limit: PAGE,
        cursor: query.get("cursor") ?? undefined,
      }),
      countReasonsOf(db, { groups: named, state, ...window }),
      isWhole ? lettersAlone({ keys }, visit, named) : [],
    ]);
    const canAct = visit.session.role === "operator" && ACTIONS_FOR[state].length > 0 && page.deliveries.length > 0;
    const table = <Table page={page} now={now()} isHeld={state === "held"} canAct={canAct} />;
    return visit.page({
      title: "Deliveries",
      children: (
        <>
          <div class="bar">
            <h1>{`Deliveries: ${STATE_WORDS[state]}`}</h1>
            <a href="/console/deliveries/jobs">Jobs</a>
          </div>
          <Filters filter={filter} groups={groups.map(({ name }) => name)} />
          {counts.length === 0 ? null : <Reasons filter={filter} counts={counts} />}
          <Meanings page={page} />
          {page.deliveries.length === 0 ? (
            <p class="soft">{nothingOf(filter)}</p>
          ) : canAct ? (
            <Actions filter={filter} visit={visit}>
              {table}
            </Actions>
          ) : (
            table
          )}
          <LettersAlone letters={alone} visit={visit} now={now()} />
          <p class="bar">
            {query.has("cursor") ? <a href={hrefOf(filter)}>Newest</a> : null}
            {page.next === null ? null : (
              <a class="button quiet" rel="next" href={hrefOf(filter, { cursor: page.next })}>
                Older
              </a>
            )}
          </p>
        </>
      ),
    });
  };
