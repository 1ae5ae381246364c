import { isFinal } from "../../../database/ledger/states.ts";
import { duration } from "../../../runtime/quantity.ts";
import { meaningsOf } from "../../../runtime/situation/reasons.ts";
import { Moment, Pill } from "../words.tsx";
import type { Journey, JourneyStep, Lane, Mood } from "./journey.ts";
import { traceHref } from "./trace-link.ts";

const WIDTH = 1_000;
const LANE = 30;
const BAR = 14;
/** A moment must be seen, however long the journey is. */
const THINNEST = 3;
const TICKS = 4;

const LEVELS = {
  waits: "plain",
  works: "plain",
  rests: "notice",
  well: "well",
  wrong: "trouble",
} as const satisfies Record<Mood, string>;

/** `welcome-email`, `19 groups`. */
const whose = (groups: readonly string[]): string => (groups.length === 1 ? groups.join() : `${groups.length} groups`);

const LaneBars = ({ lane, at, lengthMs }: { readonly lane: Lane; readonly at: number; readonly lengthMs: number }) => {
  const x = (ms: number) => (ms / lengthMs) * (WIDTH - 2 * BAR);
  const y = at * LANE + (LANE - BAR) / 2;
  const end = lane.segments.at(-1);
  return (
    <>
      {lane.segments.map(({ fromMs, toMs, mood, shown }) => (
        <rect
          class={mood}
          x={x(fromMs).toFixed(1)}
          y={mood === "works" ? y : y + 4}
          width={Math.max(THINNEST, x(toMs) - x(fromMs)).toFixed(1)}
          height={mood === "works" ? BAR : BAR - 8}
          rx="2"
        >
          <title>{`${whose(lane.groups)}: ${shown} for ${duration(toMs - fromMs)}`}</title>
        </rect>
      ))}
      <line
        class={`end ${lane.mood}`}
        x1={x(end?.toMs ?? 0).toFixed(1)}
        y1={y}
        x2={x(end?.toMs ?? 0).toFixed(1)}
        y2={y + BAR}
      >
        <title>{`${whose(lane.groups)}: ${lane.shown}`}</title>
      </line>
    </>
  );
};

/** The waits of each group, drawn to one scale. */
const Drawing = ({ journey }: { readonly journey: Journey }) => {
  const { lanes, lengthMs } = journey;
  const height = lanes.length * LANE;
  return (
    <figure class="journey lanes">
      <ul>
        {lanes.map(({ groups, shown, mood }) => (
          <li>
            {groups.length === 1 ? <a href={`/console/groups/${groups.join()}`}>{groups}</a> : whose(groups)}{" "}
            <Pill level={LEVELS[mood]}>{shown}</Pill>
          </li>
        ))}
      </ul>
      <svg
        viewBox={`0 0 ${WIDTH} ${height}`}
        height={height}
        preserveAspectRatio="none"
        role="img"
        aria-label="Waits and attempts, to scale; the table below has them in numbers"
      >
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <line
            class="tick"
            x1={(tick * (WIDTH - 2 * BAR)) / TICKS}
            y1="0"
            x2={(tick * (WIDTH - 2 * BAR)) / TICKS}
            y2={height}
          />
        ))}
        {lanes.map((lane, at) => (
          <LaneBars lane={lane} at={at} lengthMs={lengthMs} />
        ))}
      </svg>
      <figcaption>
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span>{tick === 0 ? "0" : duration((tick * lengthMs) / TICKS)}</span>
        ))}
      </figcaption>
    </figure>
  );
};

const StepRow = ({ step, isSameDay }: { readonly step: JourneyStep; readonly isSameDay: boolean }) => (
  <tr>
    <td class="number">{`+${duration(step.afterMs)}`}</td>
    <td>
      <time datetime={step.at.toISOString()}>
        {step.at
          .toISOString()
          .slice(isSameDay ? 11 : 0, -1)
          .replace("T", " ")}
      </time>
    </td>
    <th scope="row">
      {step.groups.length === 1 ? (
        step.groups
      ) : (
        <details>
          <summary>{whose(step.groups)}</summary>
          {step.groups.join(", ")}
        </details>
      )}
    </th>
    <td>
      <Pill level={LEVELS[step.mood]}>{step.shown}</Pill>
      {step.attempt === undefined ? null : ` attempt ${step.attempt}`}
    </td>
    <td class="number" data-label="for">
      {step.lastedMs === null ? "" : duration(step.lastedMs)}
    </td>
    <td class="wrap">
      {[step.reason, step.by].filter((text) => text !== undefined).join(", ")}
      {step.words === undefined ? null : <q>{step.words}</q>}
    </td>
  </tr>
);

const dayOf = ({ at }: JourneyStep): string => at.toISOString().slice(0, 10);

const Steps = ({ steps, first }: { readonly steps: readonly JourneyStep[]; readonly first: string }) => (
  <section class="scroll" aria-label="What happened" tabindex={0}>
    <table class="stacked">
      <thead>
        <tr>
          <th scope="col" class="number">
            after
          </th>
          <th scope="col">at (UTC)</th>
          <th scope="col">group</th>
          <th scope="col">became</th>
          <th scope="col" class="number">
            for
          </th>
          <th scope="col">why, by whom, in whose words</th>
        </tr>
      </thead>
      <tbody>
        {steps.map((step) => (
          <StepRow step={step} isSameDay={dayOf(step) === first} />
        ))}
      </tbody>
    </table>
  </section>
);

export interface JourneyProps {
  readonly journey: Journey;
  readonly grafanaUrl: string | undefined;
  readonly isOpen: boolean;
}

/** One event in all of its groups. */
export const JourneyView = ({ journey, grafanaUrl, isOpen }: JourneyProps) => {
  const { eventId, type, traceId, startedAt, lengthMs, isOver, deliveries } = journey;
  const inOutbox = deliveries.some((delivery) => delivery.inOutbox);
  const waiting = deliveries.filter(({ state, nextTryAt }) => nextTryAt !== null && !isFinal(state));
  // The work of the others is done, and has no reason any more.
  const open = deliveries.filter(({ state }) => state !== "done");
  const letters = deliveries.filter(({ deadLetter }) => deadLetter !== null);
  return (
    <details class="card event" id={`event-${eventId}`} open={isOpen}>
      <summary data-item>
        <h2>{type}</h2> <Moment at={startedAt} />{" "}
        <span class="soft">{isOver ? `over after ${duration(lengthMs)}` : "not over"}</span>
      </summary>
      <Drawing journey={journey} />
      <dl>
        <dt>event</dt>
        <dd>
          <code>{eventId}</code>
        </dd>
        <dt>trace</dt>
        <dd>
          {grafanaUrl === undefined || traceId === "" ? (
            <code>{traceId}</code>
          ) : (
            <a href={traceHref(grafanaUrl, traceId)}>
              <code>{traceId}</code>
            </a>
          )}
        </dd>
        {inOutbox ? (
          <>
            <dt>outbox</dt>
            <dd>not published yet</dd>
          </>
        ) : null}
        {[...Map.groupBy(waiting, ({ nextTryAt }) => nextTryAt?.getTime() ?? 0)].map(([until, alike]) => (
          <>
            <dt>{whose(alike.map(({ group }) => group))}</dt>
            <dd>
              {alike.length === 1 ? "waits" : "wait"} until <Moment at={new Date(until)} />
            </dd>
          </>
        ))}
        {meaningsOf(open.map(({ reason }) => reason)).map(([reason, meaning]) => (
          <>
            <dt>{reason}</dt>
            <dd>{meaning}</dd>
          </>
        ))}
        {letters.map(({ group, deadLetter }) => (
          <>
            <dt>dead letter</dt>
            <dd>
              {group} <code>{deadLetter}</code>
            </dd>
          </>
        ))}
      </dl>
      <Steps steps={journey.steps} first={startedAt.toISOString().slice(0, 10)} />
    </details>
  );
};
