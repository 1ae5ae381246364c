import { isUuid } from "../../../database/uuid.ts";
import { countChanged, DELIVERY_ACTIONS, type DeliveryAction } from "../../../ops/actions/deliveries/decide.ts";
import {
  type JobOrder,
  type JobReport,
  type JobSelection,
  orderOf,
  previewJob,
  startJob,
} from "../../../ops/actions/deliveries/job.ts";
import { NotFound } from "../../../ops/actions/operator.ts";
import { pause } from "../../../runtime/loop.ts";
import { count } from "../../../runtime/quantity.ts";
import { numbersIn, parse } from "../form-values.ts";
import { FormToken } from "../layout.tsx";
import { isNumberTyped, TypedNumber } from "../typed-number.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { allOf, chosenOf, filterOf, hrefOf } from "./filter.ts";
import { Outcomes } from "./outcomes.tsx";
import { selectionWords } from "./selection-words.ts";
import { ACTION_WORDS } from "./words.ts";

type Parts = Pick<ConsoleParts, "groups" | "now" | "newId">;

/** What ends sooner is shown at once: a job's end, and a preview that then needs no job. */
const QUICK_MS = 1_500;

const actionNamed = (name: string | null): DeliveryAction => {
  const action = DELIVERY_ACTIONS.find((each) => each === name);
  if (action === undefined) throw new NotFound("There is no such action.");
  return action;
};

/** What is to be done, and the list that it was asked for in. */
export interface Order {
  readonly action: DeliveryAction;
  readonly selection: JobSelection;
  readonly back: string;
}

/** What a preview has found. */
export type Preview = Pick<JobReport, "looked"> & {
  readonly outcomes: Readonly<Record<string, number>>;
  /** How many of which group; not given: it was not asked again. */
  readonly byGroup?: JobReport["byGroup"];
};

interface ActFormProps {
  readonly visit: Visit;
  readonly order: Order;
  readonly report: Preview;
}

/** The form that does what a preview has shown. */
export const ActForm = ({ visit, order: { action, selection, back }, report: { looked, outcomes } }: ActFormProps) => {
  const changed = countChanged(outcomes);
  if (changed === 0) {
    return (
      <p>
        <a href={back}>Back to the list</a>
      </p>
    );
  }
  return (
    <form method="post" action="/console/deliveries/act">
      <FormToken session={visit.session} />
      <input type="hidden" name="order" value={JSON.stringify({ action, selection })} />
      <input type="hidden" name="back" value={back} />
      <input type="hidden" name="looked" value={String(looked)} />
      <input type="hidden" name="outcomes" value={JSON.stringify(outcomes)} />
      <TypedNumber number={changed} />
      <p class="bar">
        <button type="submit" class={action === "discard" ? "danger" : undefined}>
          {`${ACTION_WORDS[action]} ${count(changed)}`}
        </button>
        <a href={back}>Back to the list</a>
      </p>
    </form>
  );
};

const previewPage = (visit: Visit, order: Order, report: Preview, fault?: string) => {
  const { action, selection } = order;
  const { looked, outcomes, byGroup = {} } = report;
  const groups = Object.entries(byGroup).map(([group, number]) => `${count(number)} of ${group}`);
  return visit.page({
    title: `${ACTION_WORDS[action]}: preview`,
    status: fault === undefined ? 200 : 422,
    children: (
      <>
        <h1>{`${ACTION_WORDS[action]} ${count(looked)} ${looked === 1 ? "delivery" : "deliveries"}?`}</h1>
        <p class="soft">{[selectionWords(selection), ...groups].join("; ")}</p>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <div class="card">
          <p>Nothing was changed yet. This is what would happen:</p>
          <Outcomes outcomes={outcomes} />
          {(outcomes["stays_suppressed"] ?? 0) > 0 ? (
            <p>
              <a href="/console/act/suppressions">Lift the suppressions</a>, and retry: then they are sent.
            </p>
          ) : null}
        </div>
        <ActForm visit={visit} order={order} report={report} />
      </>
    ),
  });
};

/** What an action would do, before it is done. */
export const showPreview =
  (parts: Parts): VisitHandler =>
  async (visit) => {
    const { groups, now } = parts;
    const { form } = visit;
    const action = actionNamed(form.get("action"));
    const filter = filterOf(form, groups);
    const back = hrefOf(filter);
    const items = form.getAll("item").filter((item) => isUuid(item.split("/")[1]));
    const selection = form.get("scope") === "all" ? allOf(filter, groups, now()) : chosenOf(items);
    if (selection === undefined || (selection.kind === "chosen" && items.length === 0)) {
      return visit.page({
        title: "Nothing chosen",
        status: 422,
        children: (
          <>
            <p class="alert">Choose at least one delivery, or all of the filter.</p>
            <a href={back}>Back to the list</a>
          </>
        ),
      });
    }
    const late = AbortSignal.timeout(QUICK_MS);
    const report = await previewJob(visit.operator({ signal: late }), action, selection);
    if (late.aborted) return beginAndShow(visit, parts, { action, selection, isPreview: true, total: 0 });
    return previewPage(visit, { action, selection, back }, report);
  };

const orderIn = (form: URLSearchParams): Order => {
  const given = parse(form.get("order"));
  const isOrder = typeof given === "object" && given !== null && "action" in given && "selection" in given;
  const order = isOrder ? orderOf({ action: String(given.action), selection: given.selection }) : undefined;
  if (order === undefined) throw new NotFound("That is no order of this console. Nothing was done.");
  const back = form.get("back") ?? "";
  return { ...order, back: back.startsWith("/console/deliveries?") ? back : "/console/deliveries" };
};

/** Starts a job in the name of who visits, and shows it. */
export const beginAndShow = async (
  visit: Visit,
  { newId }: Pick<ConsoleParts, "newId">,
  order: Omit<Order, "back"> & Pick<JobOrder, "isPreview" | "total">,
): Promise<Response> => {
  const jobId = newId();
  const { ended } = await startJob(visit.operator(), { ...order, jobId, actor: visit.session.name });
  await Promise.race([ended, pause(QUICK_MS)]);
  return visit.redirect(`/console/deliveries/jobs/${jobId}`);
};

/** Does what the preview showed. */
export const act =
  (parts: Parts): VisitHandler =>
  async (visit) => {
    const order = orderIn(visit.form);
    const report = { looked: Number(visit.form.get("looked")) || 0, outcomes: numbersIn(visit.form.get("outcomes")) };
    const changed = countChanged(report.outcomes);
    if (!isNumberTyped(visit.form, changed)) {
      const fault = `Type the number of deliveries that are changed: ${changed}. Nothing was done.`;
      return previewPage(visit, order, report, fault);
    }
    return beginAndShow(visit, parts, { ...order, total: report.looked });
  };
