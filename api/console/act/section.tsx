import { type Pause, pausesOf } from "../../../database/groups/pauses.ts";
import { groupNamed } from "../../../ops/actions/operator.ts";
import { pause, resume } from "../../../ops/actions/pause.ts";
import { counted, relative } from "../../../runtime/quantity.ts";
import type { Receiver } from "../../../settings/webhooks.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, ConsoleSection, Visit, VisitHandler } from "../visit.ts";
import { GroupFilter, Pill } from "../words.tsx";
import { MAILS_PATH, sendMail, showMail, showMailHtml, showMails } from "./mails.tsx";
import { RATE_PATH, showRate, submitRate } from "./rate.tsx";
import { REPLAY_PATH, showReplay, submitReplay } from "./replay.tsx";
import { liftMany, liftOne, SUPPRESSIONS_PATH, showSuppressions } from "./suppressions.tsx";
import { actOnReceiver, receiverOf, WEBHOOKS_PATH } from "./webhooks.tsx";

const PATH = "/console/act";

/** From so many groups on, one is looked for by its name, and others are folded. */
const MANY = 12;

/** What else there is to do. */
const TILES = [
  {
    path: "/console/deliveries",
    label: "Deliveries",
    about: "Retry, hold, release or discard: single ones, or all of a filter.",
    isForReaders: true,
  },
  { path: RATE_PATH, label: "Rate", about: "How fast each group may work, and another rate.", isForReaders: true },
  {
    path: SUPPRESSIONS_PATH,
    label: "Suppressed addresses",
    about: "To whom nothing is sent any more, and why.",
    isForReaders: true,
  },
  { path: REPLAY_PATH, label: "Replay events", about: "Read the log again for one group.", isForReaders: false },
  {
    path: MAILS_PATH,
    label: "Mails",
    about: "What each one looks like, in each language.",
    isForReaders: true,
  },
] as const;

interface ChangeProps {
  readonly visit: Visit;
  readonly group: string;
  readonly isPaused: boolean;
  readonly receiver: Receiver | undefined;
}

/** What may be done with a group. One enables a receiver of webhooks, which is more than to resume its group. */
const Change = ({ visit, group, isPaused, receiver }: ChangeProps) => (
  <div class="row">
    {isPaused && receiver !== undefined ? (
      <form method="post" action={WEBHOOKS_PATH}>
        <FormToken session={visit.session} />
        <input type="hidden" name="receiver" value={receiver.name} />
        <button type="submit" class="quiet" name="do" value="enable" aria-label={`Enable ${receiver.name}`}>
          Enable
        </button>
      </form>
    ) : (
      <form method="post" action={PATH}>
        <FormToken session={visit.session} />
        <input type="hidden" name="group" value={group} />
        <button
          type="submit"
          class="quiet"
          name="do"
          value={isPaused ? "resume" : "pause"}
          aria-label={`${isPaused ? "Resume" : "Pause"} ${group}`}
        >
          {isPaused ? "Resume" : "Pause"}
        </button>
      </form>
    )}
    {receiver === undefined ? null : (
      <form method="post" action={WEBHOOKS_PATH}>
        <FormToken session={visit.session} />
        <input type="hidden" name="receiver" value={receiver.name} />
        <button type="submit" class="quiet" name="do" value="test" aria-label={`Send ${receiver.name} a test event`}>
          Send a test event
        </button>
      </form>
    )}
    <a href={`${REPLAY_PATH}?group=${group}`} aria-label={`Replay events for ${group}`}>
      Replay …
    </a>
  </div>
);

interface GroupTableProps {
  readonly visit: Visit;
  readonly parts: ConsoleParts;
  readonly pauses: ReadonlyMap<string, Pause>;
  readonly canAct: boolean;
  readonly names: readonly string[];
  readonly label: string;
}

const GroupTable = ({ visit, parts, pauses, canAct, names, label }: GroupTableProps) => (
  <section class="scroll card flush" tabindex={0} aria-label={label}>
    <table class="stacked">
      <thead>
        <tr>
          <th>Group</th>
          <th>Now</th>
          <th>{canAct ? "Change" : ""}</th>
        </tr>
      </thead>
      <tbody>
        {names.map((name) => {
          const paused = pauses.get(name);
          const since = paused === undefined ? "" : relative(paused.pausedAt, parts.now());
          return (
            <tr>
              <th class="first" scope="row">
                <a href={`/console/groups/${name}`}>{name}</a>
              </th>
              <td>
                {paused === undefined ? <Pill level="plain">not paused</Pill> : <Pill level="notice">paused</Pill>}
                {paused === undefined ? null : ` ${since} by ${paused.by}`}
                {paused?.reason ? <small>{paused.reason}</small> : null}
              </td>
              <td>
                {canAct ? (
                  <Change
                    visit={visit}
                    group={name}
                    isPaused={paused !== undefined}
                    receiver={receiverOf(parts, name)}
                  />
                ) : null}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </section>
);

/** The groups, each to be paused or resumed. */
const showGroups =
  (parts: ConsoleParts): VisitHandler =>
  async (visit) => {
    const { groups } = parts;
    const pauses = new Map((await pausesOf(visit.operator().db).list()).map((each) => [each.group, each]));
    const canAct = visit.session.role === "operator";
    const filter = (visit.c.req.query("filter") ?? "").trim().toLowerCase();
    const names = groups.map(({ name }) => name).filter((name) => name.includes(filter));
    // What is paused is looked for first, and never folded.
    const paused = names.filter((name) => pauses.has(name));
    const others = names.filter((name) => !pauses.has(name));
    const isShort = names.length <= MANY || filter !== "";
    const near = [...paused, ...(isShort ? others : others.slice(0, MANY))];
    const far = isShort ? [] : others.slice(MANY);
    const table = { visit, parts, pauses, canAct };
    return visit.page({
      title: "Act",
      children: (
        <>
          <h1>Act</h1>
          <ul class="tiles">
            {TILES.filter(({ isForReaders }) => canAct || isForReaders).map(({ path, label, about }) => (
              <li>
                <a data-item href={path}>
                  {label}
                </a>
                <small>{about}</small>
              </li>
            ))}
          </ul>
          <h2>Groups</h2>
          {groups.length > MANY ? (
            <search>
              <form class="bar" method="get">
                <GroupFilter filter={filter} />
                <button type="submit" class="quiet">
                  Show
                </button>
              </form>
            </search>
          ) : null}
          <GroupTable {...table} label="Groups" names={near} />
          {far.length === 0 ? null : (
            <details class="more">
              <summary>{counted(far.length, "more group")}</summary>
              <GroupTable {...table} label="More groups" names={far} />
            </details>
          )}
        </>
      ),
    });
  };

/** Pauses or resumes a group. */
const changeGroup: VisitHandler = async (visit) => {
  const operator = visit.operator();
  const group = groupNamed(operator, visit.form.get("group") ?? "");
  if (visit.form.get("do") === "pause") await pause(operator, group);
  else await resume(operator, group);
  return visit.redirect(PATH);
};

/** What operators do that is no matter of single deliveries. */
export const ACT: ConsoleSection = {
  label: "Act",
  key: "c",
  path: PATH,
  paths: (parts) => [
    { path: PATH, get: showGroups(parts), post: changeGroup },
    { path: SUPPRESSIONS_PATH, get: showSuppressions(parts), post: liftMany },
    { path: `${SUPPRESSIONS_PATH}/lift`, post: liftOne },
    { path: WEBHOOKS_PATH, post: actOnReceiver(parts) },
    { path: RATE_PATH, get: showRate(parts), post: submitRate(parts) },
    { path: REPLAY_PATH, get: showReplay(parts), post: submitReplay(parts) },
    { path: MAILS_PATH, get: showMails },
    { path: `${MAILS_PATH}/:kind/:locale`, get: showMail(parts), post: sendMail(parts) },
    { path: `${MAILS_PATH}/:kind/:locale/html`, get: showMailHtml(parts) },
  ],
};
