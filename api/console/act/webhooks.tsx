import { enableReceiver, isAccepted, receiverNamed, resultWords, testReceiver } from "../../../ops/actions/webhooks.ts";
import { duration } from "../../../runtime/quantity.ts";
import { BadSettings } from "../../../settings/load.ts";
import type { ConsoleParts, VisitHandler } from "../visit.ts";

export const WEBHOOKS_PATH = "/console/act/webhooks";

const ACT_PATH = "/console/act";

/** The receiver of a group of webhooks; undefined: it is another group. */
export const receiverOf = ({ settings }: Pick<ConsoleParts, "settings">, group: string) =>
  settings.receivers.find(({ name }) => `webhook-${name}` === group);

/** Enables a receiver: what waits for it gets its time again, so that none of it expires; or sends it a test event. */
export const actOnReceiver =
  ({ settings }: Pick<ConsoleParts, "settings">): VisitHandler =>
  async (visit) => {
    const receiver = receiverNamed(settings.receivers, visit.form.get("receiver") ?? "");
    if (visit.form.get("do") === "enable") {
      await enableReceiver(visit.operator(), receiver);
      return visit.redirect(ACT_PATH);
    }
    const sent = await testReceiver(visit.operator(), settings, receiver).catch((error: unknown) => {
      if (error instanceof BadSettings) return error;
      throw error;
    });
    const isFault = sent instanceof BadSettings || !isAccepted(sent.result);
    return visit.page({
      title: `Test event for ${receiver.name}`,
      status: isFault ? 502 : 200,
      children: (
        <>
          <h1>{`Test event for ${receiver.name}`}</h1>
          <div class={isFault ? "alert" : "card"} role="status">
            {sent instanceof BadSettings ? (
              <>
                <p>Not sent: this process lacks what the consumers of the group have.</p>
                <ul>
                  {sent.faults.map((fault) => (
                    <li>{fault}</li>
                  ))}
                </ul>
              </>
            ) : (
              <p>
                {`${receiver.name} ${resultWords(sent.result)}, after ${duration(sent.tookMs)}; webhook-id `}
                <code>{sent.id}</code>
              </p>
            )}
          </div>
          <p class="soft">Its type is webhook.test.v1, signed as every webhook is. It is no delivery.</p>
          <p>
            <a href={ACT_PATH}>Back</a>
          </p>
        </>
      ),
    });
  };
