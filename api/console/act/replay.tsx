import { isUuid } from "../../../database/uuid.ts";
import {
  previewReplay,
  type ReplayOrder,
  type ReplaySelection,
  replayOrderOf,
  startReplay,
} from "../../../ops/actions/jobs/replay.ts";
import { momentOf } from "../../../ops/actions/moment.ts";
import { groupNamed, NotFound } from "../../../ops/actions/operator.ts";
import { pause } from "../../../runtime/loop.ts";
import { counted } from "../../../runtime/quantity.ts";
import { EVENT_TYPES } from "../../../stream/events/types.ts";
import { Outcomes } from "../deliveries/outcomes.tsx";
import { numbersIn, parse } from "../form-values.ts";
import { FormToken } from "../layout.tsx";
import { isNumberTyped, TypedNumber } from "../typed-number.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { GroupOptions } from "../words.tsx";

export const REPLAY_PATH = "/console/act/replay";

type Parts = Pick<ConsoleParts, "groups" | "now" | "newId">;

/** What is answered sooner needs no job. */
const QUICK_MS = 1_500;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?$/;

const formPage = (visit: Visit, { groups }: Parts, fault?: string) => {
  const given = (name: string) => visit.form.get(name) ?? visit.c.req.query(name) ?? "";
  return visit.page({
    title: "Replay",
    status: fault === undefined ? 200 : 422,
    children: (
      <>
        <h1>Replay events for a group</h1>
        <p class="soft">
          Reads the durable log again: events that the group has no delivery of get one. What it has done is not done
          again; <code class="command">ops replay --again</code> does that.
        </p>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <form class="filters" method="post" action={REPLAY_PATH}>
          <FormToken session={visit.session} />
          <label>
            Group
            <select name="group">
              <GroupOptions groups={groups.map(({ name }) => name)} chosen={given("group")} />
            </select>
          </label>
          <label>
            From (a time in UTC, an age such as 2h, or an event id)
            <input name="from" value={given("from")} placeholder="2026-11-28 06:05" required autocomplete="off" />
          </label>
          <label>
            To (UTC; empty: now)
            <input type="datetime-local" name="to" value={given("to")} />
          </label>
          <label>
            Type
            <select name="type">
              <option value="">any</option>
              <GroupOptions groups={EVENT_TYPES} chosen={given("type")} />
            </select>
          </label>
          <button type="submit">Preview …</button>
        </form>
      </>
    ),
  });
};

/** The form, for operators. */
export const showReplay =
  (parts: Parts): VisitHandler =>
  (visit) =>
    visit.session.role === "operator"
      ? formPage(visit, parts)
      : visit.page({ title: "Replay", status: 403, children: <p class="alert">Only operators replay events.</p> });

/** An age, as ops has it: `2h`. */
const AGE = /^\d+(s|m|min|h|d)$/;

const momentIn = (text: string, now: Date): string | undefined => {
  if (AGE.test(text)) return momentOf(text, now).toISOString();
  const at = TIME.test(text) ? new Date(`${text.replace(" ", "T").replace(/Z$/, "")}Z`) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};

/** What the form asks for; a text: what is wrong with it. */
const selectionIn = (form: URLSearchParams, now: Date): ReplaySelection | string => {
  const given = (name: string) => (form.get(name) ?? "").trim();
  const from = isUuid(given("from")) ? given("from") : momentIn(given("from"), now);
  if (from === undefined)
    return "From is a time such as 2026-11-28 06:05, an age such as 2h, or the id of an event. Nothing was done.";
  const to = given("to") === "" ? now.toISOString() : momentIn(given("to"), now);
  if (to === undefined) return "To is a time such as 2026-11-28T06:05. Nothing was done.";
  return { group: given("group"), from, to, ...(given("type") === "" ? {} : { type: given("type") }) };
};

const previewPage = (
  visit: Visit,
  selection: ReplaySelection,
  { done, outcomes }: { readonly done: number; readonly outcomes: Readonly<Record<string, number>> },
  fault?: string,
) =>
  visit.page({
    title: "Replay: preview",
    status: fault === undefined ? 200 : 422,
    children: (
      <>
        <h1>{`Replay for ${selection.group}?`}</h1>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <div class="card">
          <p>{`Nothing was changed yet. Of ${counted(done, "event")} in that part of the log:`}</p>
          <Outcomes outcomes={outcomes} />
        </div>
        <ReplayForm visit={visit} selection={selection} done={done} outcomes={outcomes} />
      </>
    ),
  });

/** The form that begins what a preview has shown. */
export const ReplayForm = ({
  visit,
  selection,
  done,
  outcomes,
}: {
  readonly visit: Visit;
  readonly selection: ReplaySelection;
  readonly done: number;
  readonly outcomes: Readonly<Record<string, number>>;
}) => {
  const { added = 0 } = outcomes;
  if (added === 0) {
    return (
      <p>
        <a href={REPLAY_PATH}>Nothing is to be done. Back</a>
      </p>
    );
  }
  return (
    <form method="post" action={REPLAY_PATH}>
      <FormToken session={visit.session} />
      <input type="hidden" name="order" value={JSON.stringify(selection)} />
      <input type="hidden" name="outcomes" value={JSON.stringify(outcomes)} />
      <input type="hidden" name="done" value={String(done)} />
      <TypedNumber number={added} />
      <p class="bar">
        <button type="submit">{`Queue ${counted(added, "event")}`}</button>
        <a href={REPLAY_PATH}>Back</a>
      </p>
    </form>
  );
};

/** Starts a replay or its preview in the name of who visits, and shows it. */
export const beginReplay = async (
  visit: Visit,
  { newId }: Parts,
  order: ReplayOrder & { readonly total: number },
): Promise<Response> => {
  const jobId = newId();
  const { ended } = await startReplay(visit.operator(), { ...order, jobId, actor: visit.session.name });
  await Promise.race([ended, pause(QUICK_MS)]);
  return visit.redirect(`/console/deliveries/jobs/${jobId}`);
};

/** Says what a replay would do; or does it, once it was confirmed. */
export const submitReplay =
  (parts: Parts): VisitHandler =>
  async (visit) => {
    const { form } = visit;
    if (form.has("order")) {
      const order = replayOrderOf({ action: "replay", selection: parse(form.get("order")) });
      if (order === undefined) throw new NotFound("That is no replay of this console. Nothing was done.");
      const [total, outcomes] = [Number(form.get("done")) || 0, numbersIn(form.get("outcomes"))];
      const { added = 0 } = outcomes;
      if (!isNumberTyped(form, added)) {
        const fault = `Type the number of events that are queued: ${added}. Nothing was done.`;
        return previewPage(visit, order.selection, { done: total, outcomes }, fault);
      }
      return beginReplay(visit, parts, { isPreview: false, selection: order.selection, total });
    }
    const selection = selectionIn(form, parts.now());
    if (typeof selection === "string") return formPage(visit, parts, selection);
    groupNamed(parts, selection.group);
    const late = AbortSignal.timeout(QUICK_MS);
    const preview = await previewReplay(visit.operator({ signal: late }), selection);
    if (late.aborted) return beginReplay(visit, parts, { isPreview: true, selection, total: 0 });
    return previewPage(visit, selection, preview);
  };
