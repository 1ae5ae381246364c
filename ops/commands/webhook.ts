import { counted, duration } from "../../runtime/quantity.ts";
import { command } from "../command.ts";
import { ACT_FLAGS, type ActFlags, proposeReceivers, text } from "../flags.ts";

const parameters = {
  positional: {
    kind: "tuple",
    parameters: [
      {
        parse: text,
        proposeCompletions: proposeReceivers,
        placeholder: "name",
        brief: "The receiver's name in WEBHOOKS",
      },
    ],
  },
  flags: ACT_FLAGS,
} as const;

export const webhookTest = command<ActFlags, [name: string]>({
  brief: "Send a receiver of webhooks a sample",
  about: [
    "Signed, and sent to a checked address, as every webhook is. Its type is webhook.test.v1, its data is that of a signup;",
    "nothing is written to the ledger. Exit 1 if the answer is not 2xx.",
  ].join("\n"),
  parameters,
  examples: [["webhook test crm", "after setting WEBHOOK_CRM_URL and WEBHOOK_CRM_SECRET"]],
  needs: ["database"],
  async run(context, _flags, name) {
    const { isAccepted, receiverNamed, resultWords, testReceiver } = await import("../actions/webhooks.ts");
    const { settings } = context;
    const report = await testReceiver(context, settings, receiverNamed(settings.receivers, name));
    const { result } = report;
    return {
      json: report,
      failed: !isAccepted(result),
      text: () =>
        `${report.receiver} ${resultWords(result)}, after ${duration(report.tookMs)}; webhook-id ${report.id}`,
    };
  },
});

export const webhookEnable = command<ActFlags, [name: string]>({
  brief: "Enable a receiver that was disabled, because it answered 410",
  about: [
    "Its webhooks have waited, and are sent now; none expires because of the time that it was disabled. `status` shows which",
    "groups are paused, and why.",
  ].join("\n"),
  parameters,
  examples: [["webhook enable crm", "its group webhook-crm continues within about a second"]],
  needs: ["database", "redis"],
  async run(context, _flags, name) {
    const { enableReceiver, receiverNamed } = await import("../actions/webhooks.ts");
    const report = await enableReceiver(context, receiverNamed(context.settings.receivers, name));
    const stopped = context.signal.aborted;
    return {
      json: { ...report, stopped },
      failed: stopped,
      text: () => {
        if (stopped) return "stopped before the receiver was enabled; run it again to continue";
        const waiting = counted(report.waiting, "webhook waits", "webhooks wait");
        return `${report.group} ${report.changed ? "is enabled" : "was not disabled"}; ${waiting}`;
      },
    };
  },
});
