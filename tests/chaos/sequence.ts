import { areApart, bothOf, type Fault, type FaultDeps } from "./fault.ts";
import { EXAMPLE, MAIL } from "./groups.ts";
import { LINK_FAULTS } from "./link.ts";
import { MAIL_FAULTS } from "./mail-server.ts";
import { operatorFaults } from "./operator-faults.ts";
import { processFaults } from "./process-faults.ts";
import { storeFaults } from "./store-faults.ts";
import { WEBHOOK_FAULTS } from "./webhook-receiver.ts";

const TWO_AT_A_TIME = 0.3;
export const LEAST_FAULTS = 7;

/**
 * First the faults without which a run proves nothing, `LEAST_FAULTS` of them; then random ones without end, in three of ten
 * cases two at a time. The same seed gives the same faults, durations and order.
 */
export function* faultSequence(deps: FaultDeps): Generator<Fault, never> {
  const { random } = deps;
  const onProcesses = processFaults(deps);
  const onStores = storeFaults(deps);
  const onOperations = operatorFaults(deps);
  const onLinks = linkFaults(deps);
  yield onLinks.mailFault("reset before the 250, accepted");
  yield onProcesses.killWithWorkInFlight();
  yield onStores.killRedis(4_000);
  yield onStores.flushWhileRetriesAreDelayed();
  yield onOperations.killDuringReplay();
  yield onOperations.pauseOne();
  yield onProcesses.freeze();
  const any = (): Fault =>
    random.pick([
      onProcesses.kill,
      onProcesses.killWithWorkInFlight,
      onProcesses.terminate,
      onProcesses.freeze,
      onProcesses.jumpClock,
      () => onStores.killRedis(),
      onStores.flush,
      onStores.flushWhileRetriesAreDelayed,
      onStores.killPostgres,
      onStores.cutConnections,
      onStores.addMalformed,
      () => onOperations.pauseOne(),
      () => onOperations.replayOne(),
      onOperations.killDuringReplay,
      ...[onLinks.breakLink, onLinks.breakLink, onLinks.breakLink],
      ...[() => onLinks.mailFault(), () => onLinks.mailFault(), () => onLinks.mailFault()],
      ...[onLinks.webhookFault, onLinks.webhookFault],
    ])();
  for (;;) {
    const first = any();
    if (random.next() >= TWO_AT_A_TIME) {
      yield first;
      continue;
    }
    let second = any();
    while (!areApart(first, second)) second = any();
    yield bothOf(first, second, random.between(0, 1_000));
  }
}

const linkFaults = ({ system, mailServer, receiver, random }: FaultDeps) => ({
  breakLink: (): Fault => {
    const [link, fault] = [random.pick(system.links), random.pick(LINK_FAULTS)];
    return {
      kind: `link: ${fault}`,
      label: `${link.name}: ${fault}`,
      lastsMs: random.between(1_000, 7_000),
      parts: [link.name],
      inflict: async () => link.break(fault),
      heal: async () => link.heal(),
    };
  },
  mailFault: (fault = random.pick(MAIL_FAULTS)): Fault => ({
    kind: `smtp: ${fault}`,
    label: `smtp: ${fault}`,
    lastsMs: random.between(1_000, 4_000),
    parts: ["smtp"],
    unaffected: EXAMPLE,
    inflict: async () => mailServer.misbehave(fault),
    heal: async () => mailServer.misbehave(undefined),
  }),
  webhookFault: (): Fault => {
    const fault = random.pick(WEBHOOK_FAULTS);
    return {
      kind: `webhook: ${fault}`,
      label: `webhook: ${fault}`,
      lastsMs: random.between(1_000, 4_000),
      parts: ["webhook"],
      unaffected: MAIL,
      inflict: async () => receiver.misbehave(fault),
      heal: async () => receiver.misbehave(undefined),
    };
  },
});
