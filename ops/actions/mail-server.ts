import { count } from "../../runtime/quantity.ts";
import { isSilent } from "../../runtime/situation/facts.ts";
import { failedLately } from "../../runtime/situation/failed-lately.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import type { Check } from "./diagnosis.ts";

/** What became of the attempt to talk to the mail server from here. */
export type MailServerAnswer =
  /** MAIL_SERVER is not set. */
  | { readonly kind: "unknown" }
  | { readonly kind: "accepts"; readonly server: string; readonly tls: string; readonly hasLogin: boolean }
  /** No connection came about. */
  | { readonly kind: "out-of-reach"; readonly server: string; readonly fault: string }
  | { readonly kind: "refuses"; readonly server: string; readonly fault: string };

const NAME = "mail server";
const REMEDY = "check MAIL_SERVER, MAIL_PORT, MAIL_TLS, MAIL_USERNAME and MAIL_PASSWORD";

/** What the consumers that send mail say of it: they have the login and the network for it wherever they run. */
export const wordsOfConsumers = (groups: readonly Pick<GroupStatus, "consumers">[]): string => {
  const reports = groups.flatMap(({ consumers }) =>
    consumers
      .filter(({ silentMs }) => silentMs !== null && !isSilent({ silentMs }))
      .flatMap(({ name, silentMs, report }) =>
        report?.system?.startsWith(NAME) === true ? [{ name, silentMs, ...report }] : [],
      ),
  );
  if (reports.length === 0) return "no consumer says anything of it";
  const names = new Set(reports.map(({ name }) => name));
  const systems = [...new Set(reports.map(({ system }) => system))].join(", ");
  const many = `${count(names.size)} ${names.size === 1 ? "consumer uses" : "consumers use"} ${systems}`;
  const inTrouble = reports.filter((report) => report.breaker.state !== "closed" || failedLately(report));
  const failing = new Set(inTrouble.map(({ name }) => name));
  const reasons = [...new Set(inTrouble.flatMap(({ breaker: { reason } }) => reason ?? []))];
  const why = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return failing.size === 0
    ? `${many} without a failure`
    : `${many}, ${count(failing.size)} of them without success${why}`;
};

/**
 * Judges the mail server. What cannot be checked from here is no fault: in Kubernetes only consumers have its login, and network access
 * to it; then their words count.
 */
export const checkMailServer = (
  answer: MailServerAnswer,
  { inCluster, consumers }: { readonly inCluster: boolean; readonly consumers: string },
): Check => {
  switch (answer.kind) {
    case "unknown":
      return {
        name: NAME,
        verdict: "skipped",
        finding: `not checked from here: MAIL_SERVER is not set; ${consumers}`,
      };
    case "accepts": {
      const login = inCluster && !answer.hasLogin ? "; its login is not checked: this pod has none" : "";
      return { name: NAME, verdict: "ok", finding: `${answer.server} accepts mail, TLS ${answer.tls}${login}` };
    }
    case "out-of-reach":
      if (inCluster) {
        const why = "in Kubernetes only consumers have network access to it";
        return { name: NAME, verdict: "skipped", finding: `not checked from this pod: ${why}; ${consumers}` };
      }
      return { name: NAME, verdict: "fail", finding: `${answer.server}: ${answer.fault}`, remedy: REMEDY };
    case "refuses":
      return { name: NAME, verdict: "fail", finding: `${answer.server}: ${answer.fault}`, remedy: REMEDY };
  }
};
