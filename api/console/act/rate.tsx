import { groupNamed } from "../../../ops/actions/operator.ts";
import {
  type BudgetState,
  endRate,
  RATE_BOUNDS,
  rateIn,
  readBudgets,
  setRate,
  sharersOf,
} from "../../../ops/actions/rate.ts";
import { count, relative, roundedRate } from "../../../runtime/quantity.ts";
import type { Group } from "../../../stream/groups.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { NumberCell } from "../words.tsx";

export const RATE_PATH = "/console/act/rate";

type Parts = Pick<ConsoleParts, "groups" | "now" | "settings">;

const rateText = (perSecond: number): string => `${count(roundedRate(perSecond))} a second`;

const settingText = (value: number | undefined, unit: string): string =>
  value === undefined || value === 0 ? "not limited" : `${count(value)} ${unit}`;

const NO_LIMIT = "no limit known";

const grantText = ({ granted }: BudgetState): string => {
  if (granted === null) return NO_LIMIT;
  const words = granted.words === undefined ? "" : ` (“${granted.words}”)`;
  return `each consumer ${count(granted.allowed)} at a time${words}`;
};

const OrderCell = ({ budget, visit }: { readonly budget: BudgetState; readonly visit: Visit }) => {
  const [group = ""] = budget.groups;
  const field = `rate-${budget.budget}`;
  return (
    <form class="row" method="post" action={RATE_PATH}>
      <FormToken session={visit.session} />
      <input type="hidden" name="group" value={group} />
      <label class="hidden" for={field}>{`A second, for ${budget.groups.join(", ")}`}</label>
      <input
        class="short"
        id={field}
        name="rate"
        inputmode="decimal"
        autocomplete="off"
        placeholder="a second"
        value={visit.form.get("group") === group ? (visit.form.get("rate") ?? "") : ""}
      />
      <button
        type="submit"
        class="quiet"
        name="do"
        value="order"
        aria-label={`Preview a rate for ${budget.groups.join(", ")}`}
      >
        Preview …
      </button>
      {budget.ordered === null ? null : (
        <button
          type="submit"
          class="quiet"
          name="do"
          value="clear"
          aria-label={`End the rate of ${budget.groups.join(", ")}`}
        >
          End …
        </button>
      )}
    </form>
  );
};

const ratesPage = async (visit: Visit, { now, settings }: Parts, fault?: string): Promise<Response> => {
  const budgets = await readBudgets(visit.operator());
  const canAct = visit.session.role === "operator";
  return visit.page({
    title: "Rate",
    status: fault === undefined ? 200 : 422,
    children: (
      <>
        <h1>Rate</h1>
        <p class="soft">
          How much all consumers of a group together begin a second; groups that send mail share one rate. What is
          ordered here is in force within seconds, until somebody ends it.
        </p>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <section class="scroll card flush" tabindex={0} aria-label="Rates">
          <table class="stacked">
            <thead>
              <tr>
                <th>Groups</th>
                <th>In force</th>
                <th>Ordered</th>
                <th>The other system grants</th>
                <th class="number">Last full minute</th>
                <th class="number">Last hour</th>
                {canAct ? <th>Order</th> : null}
              </tr>
            </thead>
            <tbody>
              {budgets.map((budget) => (
                <tr>
                  <th class="first" scope="row">
                    {budget.groups.map((group) => (
                      <div>
                        <a data-item href={`/console/groups/${group}`}>
                          {group}
                        </a>
                      </div>
                    ))}
                  </th>
                  <td data-label="In force" class={budget.inForce === null ? "none" : ""}>
                    {budget.inForce === null ? "not limited" : rateText(budget.inForce)}
                  </td>
                  <td data-label="Ordered" class={budget.ordered === null ? "none" : ""}>
                    {budget.ordered === null ? "nothing" : rateText(budget.ordered.perSecond)}
                    {budget.ordered === null ? null : (
                      <small>{`${relative(budget.ordered.at, now())} by ${budget.ordered.by}`}</small>
                    )}
                  </td>
                  <td data-label="It grants" class={grantText(budget) === NO_LIMIT ? "none" : ""}>
                    {grantText(budget)}
                  </td>
                  <NumberCell value={budget.lastMinute} label="Last full minute" />
                  <NumberCell value={budget.lastHour} label="Last hour" />
                  {canAct ? (
                    <td>
                      <OrderCell budget={budget} visit={visit} />
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <p class="soft">
          What has to wait stays in the stream, and uses up no attempt. An order survives restarts; without one the
          settings of the consumers count: <code>MAIL_RATE_PER_SECOND</code> (
          {settingText(settings.MAIL_RATE_PER_SECOND, "a second")} here). <code>MAIL_RATE_PER_DAY</code> (
          {settingText(settings.MAIL_RATE_PER_DAY, "a day")} here) always does. The rate in force is below what is
          ordered after the mail server said that it is too fast; it recovers by itself. Without a consumer nothing is
          in force.
        </p>
        <p>
          <a href="/console/act">Back</a>
        </p>
      </>
    ),
  });
};

const ordered = (perSecond: number | undefined): string =>
  perSecond === undefined ? "what the settings say" : `at most ${rateText(perSecond)}`;

/** What the order would change, in sentences. */
const effectOf = ({ inForce, lastMinute, groups }: BudgetState, perSecond: number | undefined): readonly string[] => {
  const pace = lastMinute / 60;
  const before = inForce === null ? "not limited" : `limited to ${rateText(inForce)}`;
  const are = groups.length === 1 ? `${groups.join()} is` : `${groups.join(", ")} together are`;
  return [
    `Now ${are} ${before}; then ${ordered(perSecond)}, in all consumers, within seconds.`,
    lastMinute === 0
      ? "Nothing was finished in the last full minute."
      : `In the last full minute ${count(lastMinute)} were finished.`,
    ...(perSecond !== undefined && pace > perSecond
      ? ["That is faster than the new rate: a part of it will wait."]
      : []),
  ];
};

const previewPage = async (visit: Visit, group: Group, perSecond: number | undefined): Promise<Response> => {
  const [budget] = await readBudgets(visit.operator(), [group]);
  if (budget === undefined) throw new Error(`the group ${group.name} has no budget`);
  return visit.page({
    title: "Rate: preview",
    children: (
      <>
        <h1>
          {perSecond === undefined ? `End the rate of ${group.name}?` : `${rateText(perSecond)} for ${group.name}?`}
        </h1>
        <div class="card">
          <p>Nothing was changed yet.</p>
          {effectOf(budget, perSecond).map((sentence) => (
            <p>{sentence}</p>
          ))}
        </div>
        <form method="post" action={RATE_PATH}>
          <FormToken session={visit.session} />
          <input type="hidden" name="group" value={group.name} />
          <input type="hidden" name="rate" value={perSecond === undefined ? "" : String(perSecond)} />
          <p class="bar">
            <button type="submit" name="do" value={perSecond === undefined ? "clear now" : "order now"}>
              {perSecond === undefined ? "End the rate" : `Order ${rateText(perSecond)}`}
            </button>
            <a href={RATE_PATH}>Back</a>
          </p>
        </form>
      </>
    ),
  });
};

/** How fast each group may work, what bounds that, and what is ordered. */
export const showRate =
  (parts: Parts): VisitHandler =>
  (visit) =>
    ratesPage(visit, parts);

/** Says what another rate would mean; or orders it, once that was confirmed. */
export const submitRate =
  (parts: Parts): VisitHandler =>
  async (visit) => {
    const { form } = visit;
    const wanted = form.get("do") ?? "";
    const group = groupNamed(parts, form.get("group") ?? "");
    if (wanted.startsWith("clear")) {
      if (wanted === "clear") return previewPage(visit, group, undefined);
      await endRate(visit.operator(), group);
      return visit.redirect(RATE_PATH);
    }
    const perSecond = rateIn((form.get("rate") ?? "").trim().replace(",", "."));
    if (perSecond === undefined) {
      const bounds = `from ${RATE_BOUNDS.least} to ${count(RATE_BOUNDS.most)}`;
      const whom = sharersOf(parts.groups, group).join(", ");
      return ratesPage(
        visit,
        parts,
        `The rate of ${whom} is a number a second ${bounds}; to do nothing for a while, pause the group. Nothing was done.`,
      );
    }
    if (wanted !== "order now") return previewPage(visit, group, perSecond);
    await setRate(visit.operator(), group, perSecond);
    return visit.redirect(RATE_PATH);
  };
