import { expect, test } from "bun:test";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { checkMailServer, wordsOfConsumers } from "./mail-server.ts";

const SERVER = "smtp.example:587";
const consumers = "2 consumers use it";

test.each([
  [{ kind: "unknown" }, true, "skipped", "MAIL_SERVER is not set; 2 consumers use it"],
  [{ kind: "accepts", server: SERVER, tls: "starttls", hasLogin: true }, true, "ok", "accepts mail, TLS starttls"],
  [{ kind: "accepts", server: SERVER, tls: "starttls", hasLogin: false }, true, "ok", "login is not checked: this pod"],
  [{ kind: "accepts", server: SERVER, tls: "none", hasLogin: false }, false, "ok", "accepts mail, TLS none"],
  [{ kind: "out-of-reach", server: SERVER, fault: "timeout" }, true, "skipped", "not checked from this pod: in Kuber"],
  [{ kind: "out-of-reach", server: SERVER, fault: "timeout" }, false, "fail", "smtp.example:587: timeout"],
  [{ kind: "refuses", server: SERVER, fault: "535 no" }, true, "fail", "smtp.example:587: 535 no"],
] as const)("%j, in a cluster %p: %s", (answer, inCluster, verdict, finding) => {
  const check = checkMailServer(answer, { inCluster, consumers });
  expect(check).toMatchObject({ name: "mail server", verdict, finding: expect.stringContaining(finding) });
  expect(check.remedy === undefined).toBe(verdict !== "fail");
});

const aConsumer = (
  name: string,
  state: ConsumerReport["breaker"]["state"],
  system?: string,
  reason?: string,
  reasonAgeMs?: number,
) => ({
  name,
  pending: 0,
  idleMs: 0,
  silentMs: 0,
  report: {
    startedAt: "2026-11-25T08:00:00.000Z",
    state: "reading" as const,
    inFlight: 0,
    kept: 0,
    concurrency: 1,
    breaker: { state, since: "2026-11-25T08:00:00.000Z", ...(reason === undefined ? {} : { reason, reasonAgeMs }) },
    waitingParties: 0,
    faults: {},
    ...(system === undefined ? {} : { system }),
  },
});

const MAIL = `mail server ${SERVER}`;

test.each([
  [[], "no consumer says anything of it"],
  [[aConsumer("a", "open", "receiver crm")], "no consumer says anything of it"],
  [[aConsumer("a", "closed", MAIL), aConsumer("a", "closed", MAIL)], `1 consumer uses ${MAIL} without a failure`],
  [
    [aConsumer("a", "closed", MAIL), aConsumer("b", "open", MAIL)],
    `2 consumers use ${MAIL}, 1 of them without success`,
  ],
  [
    [aConsumer("a", "closed", MAIL, "connection_refused"), aConsumer("b", "open", MAIL, "connection_refused")],
    `2 consumers use ${MAIL}, 2 of them without success (connection_refused)`,
  ],
  [[aConsumer("a", "closed", MAIL, "connection_lost", 3_600_000)], `1 consumer uses ${MAIL} without a failure`],
  [[aConsumer("a", "closed", MAIL, "policy")], `1 consumer uses ${MAIL} without a failure`],
])("what consumers say of the mail server (%#)", (of, words) => {
  expect(wordsOfConsumers([{ consumers: of }])).toBe(words);
});
