import { pausesOf } from "../../../database/groups/pauses.ts";
import { groupNamed } from "../../../ops/actions/operator.ts";
import { pause, resume } from "../../../ops/actions/pause.ts";
import { enableReceiver } from "../../../ops/actions/webhooks.ts";
import { relative } from "../../../runtime/quantity.ts";
import { webhookGroupName } from "../../../stream/groups.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, ConsoleSection, VisitHandler } from "../visit.ts";
import { MAILS_PATH, sendMail, showMail, showMailHtml, showMails } from "./mails.tsx";
import { liftMany, liftOne, SUPPRESSIONS_PATH, showSuppressions } from "./suppressions.tsx";

const PATH = "/console/act";

/** The groups, each to be paused or resumed. */
const showGroups =
  ({ groups, now }: ConsoleParts): VisitHandler =>
  async (visit) => {
    const pauses = new Map((await pausesOf(visit.operator().db).list()).map((each) => [each.group, each]));
    const canAct = visit.session.role === "operator";
    return visit.page({
      title: "Act",
      children: (
        <>
          <h1>Act</h1>
          <p class="bar">
            <a href={SUPPRESSIONS_PATH}>Suppressed addresses</a>
            <a href={MAILS_PATH}>What each mail looks like</a>
            <a href="/console/deliveries">Deliveries</a>
          </p>
          <h2>Groups</h2>
          <section class="scroll" tabindex={0} aria-label="Groups">
            <table>
              <thead>
                <tr>
                  <th>Group</th>
                  <th>Reads</th>
                  <th>{canAct ? "Change" : ""}</th>
                </tr>
              </thead>
              <tbody>
                {groups.map(({ name }) => {
                  const paused = pauses.get(name);
                  const since = paused === undefined ? "" : relative(paused.pausedAt, now());
                  return (
                    <tr>
                      <td>{name}</td>
                      <td>
                        {paused === undefined ? "yes" : `paused ${since} by ${paused.by}`}
                        {paused?.reason ? <small>{paused.reason}</small> : null}
                      </td>
                      <td>
                        {canAct ? (
                          <form method="post" action={PATH}>
                            <FormToken session={visit.session} />
                            <input type="hidden" name="group" value={name} />
                            <button
                              type="submit"
                              class="quiet"
                              name="do"
                              value={paused === undefined ? "pause" : "resume"}
                            >
                              {`${paused === undefined ? "Pause" : "Resume"} ${name}`}
                            </button>
                          </form>
                        ) : null}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </section>
        </>
      ),
    });
  };

const RECEIVER = /^webhook-(.+)$/;

/** Pauses or resumes a group. What waits for a receiver that was disabled gets its time again, so that none of it expires. */
const changeGroup: VisitHandler = async (visit) => {
  const operator = visit.operator();
  const group = groupNamed(operator, visit.form.get("group") ?? "");
  const receiver = RECEIVER.exec(group.name)?.[1];
  if (visit.form.get("do") === "pause") await pause(operator, group);
  else if (receiver === undefined || webhookGroupName(receiver) !== group.name) await resume(operator, group);
  else await enableReceiver(operator, { name: receiver });
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
    { path: MAILS_PATH, get: showMails },
    { path: `${MAILS_PATH}/:kind/:locale`, get: showMail(parts), post: sendMail(parts) },
    { path: `${MAILS_PATH}/:kind/:locale/html`, get: showMailHtml(parts) },
  ],
};
