import { isUuid } from "../../../database/uuid.ts";
import { DELIVERY_ACTIONS, type DeliveryAction } from "../../../ops/actions/deliveries/decide.ts";
import {
  type JobReport,
  type JobSelection,
  orderOf,
  previewJob,
  startJob,
} from "../../../ops/actions/deliveries/job.ts";
import { OUTCOME_WORDS } from "../../../ops/actions/deliveries/outcome-words.ts";
import { NotFound } from "../../../ops/actions/operator.ts";
import { pause } from "../../../runtime/loop.ts";
import { count } from "../../../runtime/quantity.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { allOf, chosenOf, filterOf, hrefOf } from "./filter.ts";
import { ACTION_WORDS } from "./words.ts";

type Parts = Pick<ConsoleParts, "groups" | "now" | "newId">;

/** Above so many the number is to be typed. */
const TYPED_ABOVE = 100;
/** A quick job has ended when its page is shown. */
const QUICK_MS = 1_500;

const actionNamed = (name: string | null): DeliveryAction => {
  const action = DELIVERY_ACTIONS.find((each) => each === name);
  if (action === undefined) throw new NotFound("There is no such action.");
  return action;
};

export const Outcomes = ({ outcomes }: { readonly outcomes: Readonly<Record<string, number>> }) => (
  <ul class="outcomes">
    {Object.entries(OUTCOME_WORDS).flatMap(([outcome, words]) => {
      const number = outcomes[outcome] ?? 0;
      return number === 0 ? [] : [<li>{`${count(number)} ${words}`}</li>];
    })}
  </ul>
);

interface Order {
  readonly action: DeliveryAction;
  readonly selection: JobSelection;
  readonly back: string;
}

const previewPage = (visit: Visit, { action, selection, back }: Order, report: JobReport, fault?: string) => {
  const { looked, changed, outcomes } = report;
  const isTyped = changed > TYPED_ABOVE;
  return visit.page({
    title: `${ACTION_WORDS[action]}: preview`,
    status: fault === undefined ? 200 : 422,
    children: (
      <>
        <h1>{`${ACTION_WORDS[action]} ${count(looked)} ${looked === 1 ? "delivery" : "deliveries"}?`}</h1>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <div class="card">
          <p>Nothing was changed yet. This is what would happen:</p>
          <Outcomes outcomes={outcomes} />
          {(outcomes.stays_suppressed ?? 0) > 0 ? (
            <p>
              <a href="/console/act/suppressions">Lift the suppressions</a>, and retry: then they are sent.
            </p>
          ) : null}
        </div>
        {changed === 0 ? (
          <p>
            <a href={back}>Back to the list</a>
          </p>
        ) : (
          <form method="post" action="/console/deliveries/act">
            <FormToken session={visit.session} />
            <input type="hidden" name="order" value={JSON.stringify({ action, selection })} />
            <input type="hidden" name="back" value={back} />
            <input type="hidden" name="looked" value={String(looked)} />
            <input type="hidden" name="changed" value={String(changed)} />
            {isTyped ? (
              <label>
                {`Type ${changed} to confirm`}
                <br />
                <input name="confirm" inputmode="numeric" autocomplete="off" required />
              </label>
            ) : null}
            <p class="bar">
              <button type="submit" class={action === "discard" ? "danger" : undefined}>
                {`${ACTION_WORDS[action]} ${count(changed)}`}
              </button>
              <a href={back}>Back to the list</a>
            </p>
          </form>
        )}
      </>
    ),
  });
};

/** What an action would do, before it is done. */
export const showPreview =
  ({ groups, now }: Parts): VisitHandler =>
  async (visit) => {
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
    return previewPage(visit, { action, selection, back }, await previewJob(visit.operator(), action, selection));
  };

const parse = (text: string | null): unknown => {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
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
  order: Omit<Order, "back"> & { readonly total: number },
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
    const [looked = 0, changed = 0] = ["looked", "changed"].map((name) => Number(visit.form.get(name)) || 0);
    const typed = (visit.form.get("confirm") ?? "").replace(/[\s,.]/g, "");
    if (changed > TYPED_ABOVE && typed !== String(changed)) {
      const fault = `Type the number of deliveries that are changed: ${changed}. Nothing was done.`;
      const report = await previewJob(visit.operator(), order.action, order.selection);
      return previewPage(visit, order, report, fault);
    }
    return beginAndShow(visit, parts, { ...order, total: looked });
  };
