import {
  countSuppressions,
  listSuppressions,
  type SuppressionSelection,
  suppressionReasons,
} from "../../../database/users/suppressions.ts";
import { maskedAddress } from "../../../ops/actions/mask.ts";
import { NotFound } from "../../../ops/actions/operator.ts";
import { liftAddress, liftAddresses } from "../../../ops/actions/suppressions.ts";
import { count, counted, relative } from "../../../runtime/quantity.ts";
import { leavesDead } from "../../../runtime/situation/suppression-reasons.ts";
import { FormToken } from "../layout.tsx";
import { TYPED_ABOVE, TypedNumber } from "../typed-number.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";

export const SUPPRESSIONS_PATH = "/console/act/suppressions";

const MANY = 100;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

const timeOf = (text: string): Date | undefined => (TIME.test(text) ? new Date(`${text}Z`) : undefined);

/** Addresses to which nothing is sent, the latest first. */
export const showSuppressions =
  ({ now }: Pick<ConsoleParts, "now">): VisitHandler =>
  async (visit) => {
    const { db } = visit.operator();
    const [listed, reasons] = await Promise.all([listSuppressions(db, MANY), suppressionReasons(db)]);
    const canAct = visit.session.role === "operator";
    const lifted = visit.c.req.query("lifted") ?? "";
    return visit.page({
      title: "Suppressed addresses",
      children: (
        <>
          <h1>Suppressed addresses</h1>
          {lifted === "" ? null : (
            <p role="status">
              Lifted.
              {leavesDead(lifted) ? (
                <>
                  {" What is dead by it stays so until it is retried: "}
                  <a href={`/console/deliveries?state=dead&reason=${encodeURIComponent(lifted)}`}>look at it</a>.
                </>
              ) : null}
            </p>
          )}
          <p class="soft">Nothing is sent to these addresses. The latest first.</p>
          {canAct && listed.length > 0 ? (
            <form class="filters" method="post" action={SUPPRESSIONS_PATH}>
              <FormToken session={visit.session} />
              <label>
                Reason
                <select name="reason">
                  {reasons.map((reason) => (
                    <option value={reason}>{reason}</option>
                  ))}
                </select>
              </label>
              <label>
                Since (UTC)
                <input type="datetime-local" name="since" />
              </label>
              <label>
                Before (UTC)
                <input type="datetime-local" name="before" />
              </label>
              <button type="submit">Lift all of them …</button>
            </form>
          ) : null}
          {listed.length === 0 ? (
            <p class="soft">
              No address is suppressed. One is when the mail server says that there is no such mailbox, when its owner
              says that they did not sign up, or by a bounce or a complaint that is reported later.
            </p>
          ) : (
            <section class="scroll card flush" tabindex={0} aria-label="Suppressed addresses">
              <table class="stacked">
                <thead>
                  <tr>
                    <th>Address</th>
                    <th>Reason</th>
                    <th>Since</th>
                    <th>{canAct ? "Change" : ""}</th>
                  </tr>
                </thead>
                <tbody>
                  {listed.map(({ addressKey, reason, eventId, createdAt }) => (
                    <tr>
                      <td class="whole">
                        <a data-item href={`/console/find/${eventId}`}>
                          {canAct ? addressKey : maskedAddress(addressKey)}
                        </a>
                      </td>
                      <td>{reason}</td>
                      <td>{relative(createdAt, now())}</td>
                      <td>
                        {canAct ? (
                          <form method="post" action={`${SUPPRESSIONS_PATH}/lift`}>
                            <FormToken session={visit.session} />
                            <input type="hidden" name="address" value={addressKey} />
                            <button type="submit" class="quiet" aria-label={`Lift ${addressKey}`}>
                              Lift
                            </button>
                          </form>
                        ) : null}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </>
      ),
    });
  };

/** Lifts one. */
export const liftOne: VisitHandler = async (visit) => {
  const lifted = await liftAddress(visit.operator(), visit.form.get("address") ?? "");
  if (lifted === undefined) throw new NotFound("That address is not suppressed.");
  return visit.redirect(SUPPRESSIONS_PATH);
};

const confirmPage = (visit: Visit, { reason, since, before }: SuppressionSelection, number: number, isFault: boolean) =>
  visit.page({
    title: "Lift suppressions",
    status: isFault ? 422 : 200,
    children: (
      <>
        <h1>{`Lift ${counted(number, "suppression")}?`}</h1>
        {isFault ? (
          <p class="alert" role="alert">{`Type the number: ${number}. Nothing was done.`}</p>
        ) : (
          <p>
            Nothing was changed yet. Mails are sent to these addresses again; dead letters stay until they are retried.
          </p>
        )}
        {number === 0 ? null : (
          <form method="post" action={SUPPRESSIONS_PATH}>
            <FormToken session={visit.session} />
            <input type="hidden" name="reason" value={reason} />
            <input type="hidden" name="since" value={since?.toISOString().slice(0, 19) ?? ""} />
            <input type="hidden" name="before" value={before?.toISOString().slice(0, 19) ?? ""} />
            <input type="hidden" name="sure" value={String(number)} />
            <TypedNumber number={number} />
            <p>
              <button type="submit">{`Lift ${count(number)}`}</button>
            </p>
          </form>
        )}
        <p>
          <a href={SUPPRESSIONS_PATH}>Back to the list</a>
        </p>
      </>
    ),
  });

/** Lifts all of a reason and a time, after it has said how many. */
export const liftMany: VisitHandler = async (visit) => {
  const { form } = visit;
  const operator = visit.operator();
  const selection = {
    reason: form.get("reason") ?? "",
    since: timeOf(form.get("since") ?? ""),
    before: timeOf(form.get("before") ?? ""),
  };
  const number = await countSuppressions(operator.db, selection);
  const isSure = form.has("sure");
  const isTyped = number <= TYPED_ABOVE || form.get("confirm")?.trim() === String(number);
  if (!isSure || !isTyped) return confirmPage(visit, selection, number, isSure);
  await liftAddresses(operator, selection);
  return visit.redirect(`${SUPPRESSIONS_PATH}?lifted=${encodeURIComponent(selection.reason)}`);
};
