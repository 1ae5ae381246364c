import type { Check } from "../actions/diagnosis.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags } from "../flags.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

const TONES: Readonly<Record<Check["verdict"], Tone>> = { ok: "good", warn: "warning", fail: "bad", skipped: "dim" };

const diagnosisText = (style: Style, checks: readonly Check[]): string =>
  table(
    style,
    [
      { title: "" },
      { title: "check", wraps: true },
      { title: "finding", wraps: true },
      { title: "what to do", wraps: true },
    ],
    checks.map((check): Cell[] => [
      { text: check.verdict, tone: TONES[check.verdict] },
      check.name,
      check.finding,
      check.remedy ?? "",
    ]),
  );

export const doctor = command<CommonFlags>({
  brief: "Check the whole installation: one line per check, and what to do",
  about: [
    "Exit 0 unless a check failed; warnings do not count. If MAIL_SERVER is set, it logs in to the mail server; what DNS says of",
    "MAIL_FROM is a warning at most. What cannot be checked from where it runs is skipped, and it says why: in Kubernetes only",
    "consumers have the login and the network access for mail.",
  ].join("\n"),
  parameters: { flags: { ...COMMON_FLAGS } },
  examples: [["doctor", "after an installation, and when something looks wrong"]],
  // It reports itself which store is away.
  needs: [],
  async run(context) {
    const { examine } = await import("../actions/doctor.ts");
    const inCluster = process.env["KUBERNETES_SERVICE_HOST"] !== undefined;
    const checks = await examine(context, context.settings, { inCluster });
    const failed = checks.some((check) => check.verdict === "fail");
    return { json: { healthy: !failed, checks }, failed, text: (style) => diagnosisText(style, checks) };
  },
});
