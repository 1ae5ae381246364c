import type { Fault, FaultDeps } from "./fault.ts";
import { EXAMPLE, MAIL } from "./groups.ts";
import { LARGE_DOMAIN, smallDomain } from "./load.ts";
import { DOMAIN_ANSWERS, MAIL_FAULTS, type MailFault } from "./mail-server.ts";

/** The pools of three consumers of the welcome mail, each of the default size. */
const CONNECTIONS_OF_FLEET = 60;
/** Other mail goes on within this time while a domain declines everything. */
const OTHERS_WITHIN_MS = 10_000;
const GRANTED_WITHIN_MS = 20_000;

/** Faults of the mail server, towards everybody or towards some. */
export const mailFaults = ({ mailServer, operator, random }: FaultDeps) => {
  const misbehaving = (
    fault: MailFault,
    more: Omit<Fault, "kind" | "parts" | "inflict" | "heal"> & { kind?: string },
  ): Fault => ({
    kind: more.label,
    parts: ["smtp"],
    inflict: async () => mailServer.misbehave(fault),
    heal: async () => mailServer.misbehave(undefined),
    ...more,
  });

  const brief = (fault = random.pick(MAIL_FAULTS)): Fault =>
    misbehaving(fault, { label: `smtp: ${fault}`, lastsMs: random.between(1_000, 4_000), unaffected: EXAMPLE });

  const connectionLimit = (): Fault => {
    const connections = random.between(1, CONNECTIONS_OF_FLEET);
    const beyond = random.pick(["421", "closed"] as const);
    return misbehaving(
      { connections, beyond },
      {
        kind: "smtp: connection limit",
        label: `smtp: ${connections} connections, others ${beyond}`,
        lastsMs: random.between(4_000, 10_000),
        unaffected: MAIL,
        unaffectedWithinMs: GRANTED_WITHIN_MS,
      },
    );
  };
  const slowDrains = (): Fault =>
    misbehaving("slow drains", {
      label: "smtp: each mail takes 0.5-5 s",
      lastsMs: random.between(5_000, 10_000),
      unaffected: MAIL,
      unaffectedWithinMs: GRANTED_WITHIN_MS,
    });
  const deferAll = (): Fault =>
    misbehaving("451 4.3.0 to everybody", {
      label: "smtp: 451 4.3.0 to everybody",
      lastsMs: random.between(10_000, 25_000),
      unaffected: EXAMPLE,
    });
  const refuseAccount = (): Fault =>
    misbehaving("account refused", {
      label: "smtp: account refused",
      lastsMs: random.between(5_000, 12_000),
      unaffected: EXAMPLE,
    });
  /** What it refused is held by then, and is released by an operator. */
  const declineDomain = (): Fault => {
    const domain = random.pick([LARGE_DOMAIN, LARGE_DOMAIN, smallDomain(random.between(0, 100))]);
    const answer = random.pick(DOMAIN_ANSWERS);
    return {
      ...misbehaving(
        { domain, answer },
        {
          kind: `smtp: domain, ${answer}`,
          label: `smtp: ${answer} to ${domain}`,
          lastsMs: random.between(6_000, 12_000),
          unaffected: MAIL,
          unaffectedWithinMs: OTHERS_WITHIN_MS,
        },
      ),
      heal: async () => {
        mailServer.misbehave(undefined);
        await operator.releaseHeld();
      },
    };
  };
  return { brief, connectionLimit, slowDrains, deferAll, refuseAccount, declineDomain };
};
