import { bounceFaults } from "./bounce-faults.ts";
import { areApart, bothOf, type Fault, type FaultDeps } from "./fault.ts";
import { fleetFaults } from "./fleet-faults.ts";
import { MAIL } from "./groups.ts";
import { linkFaults } from "./link-faults.ts";
import { lockFaults } from "./lock-faults.ts";
import { mailFaults } from "./mail-faults.ts";
import { operatorFaults } from "./operator-faults.ts";
import { processFaults } from "./process-faults.ts";
import { providerFaults } from "./provider-faults.ts";
import type { Random } from "./random.ts";
import { storeFaults } from "./store-faults.ts";
import { WEBHOOK_FAULTS } from "./webhook-receiver.ts";

type Draw = () => Fault;

const TWO_AT_A_TIME = 0.5;
export const LEAST_FAULTS = 7;
/** So many draws in a row without a fault of the kind that is asked for: there is none. */
const MAX_DRAWS = 1_000;

/** All kinds in a random order, then in another one, without end: none is left out for long. */
function* shuffled(draws: readonly Draw[], random: Random): Generator<Fault, never> {
  for (;;) {
    const left = [...draws];
    while (left.length > 0) {
      const [draw] = left.splice(random.between(0, left.length - 1), 1);
      if (draw !== undefined) yield draw();
    }
  }
}

/**
 * First the faults without which a run proves nothing, `LEAST_FAULTS` of them; then random ones without end, half of the
 * time two at a time. The same seed gives the same faults, durations and order.
 */
export function* faultSequence(deps: FaultDeps): Generator<Fault, never> {
  const { random } = deps;
  const onProcesses = processFaults(deps);
  const onStores = storeFaults(deps);
  const onOperations = operatorFaults(deps);
  const onMail = mailFaults(deps);
  yield onMail.brief("reset before the 250, accepted");
  yield onProcesses.killWithWorkInFlight();
  yield onStores.killRedis(4_000);
  yield onStores.flushWhileRetriesAreDelayed();
  yield onOperations.killDuringReplay();
  yield onOperations.pauseOne();
  yield onProcesses.freeze();
  const any = randomFaults(deps);
  for (;;) {
    const first = any.next().value;
    if (random.next() >= TWO_AT_A_TIME) {
      yield first;
      continue;
    }
    let second = any.next().value;
    while (!areApart(first, second)) second = any.next().value;
    yield bothOf(first, second, random.between(0, 1_000));
  }
}

/** Only faults whose kind contains a text, one at a time. */
export function* faultsOfKind(deps: FaultDeps, text: string): Generator<Fault, never> {
  const any = randomFaults(deps);
  for (let draws = 0; draws < MAX_DRAWS; draws += 1) {
    const fault = any.next().value;
    if (!fault.kind.includes(text)) continue;
    draws = 0;
    yield fault;
  }
  throw new Error(`no fault's kind contains ${JSON.stringify(text)}`);
}

const randomFaults = (deps: FaultDeps): Generator<Fault, never> => {
  const onProcesses = processFaults(deps);
  const onFleet = fleetFaults(deps);
  const onStores = storeFaults(deps);
  const onOperations = operatorFaults(deps);
  const onLinks = linkFaults(deps);
  const onMail = mailFaults(deps);
  const onProvider = providerFaults(deps);
  const onBounces = bounceFaults(deps);
  const onLocks = lockFaults(deps);
  return shuffled(
    [
      onProcesses.kill,
      onProcesses.killWithWorkInFlight,
      onProcesses.terminate,
      onProcesses.freeze,
      onProcesses.jumpClock,
      onFleet.killFleet,
      onFleet.freezeHalf,
      () => onStores.killRedis(),
      onStores.flush,
      onStores.flushWhileRetriesAreDelayed,
      onStores.failOverRedis,
      onStores.killPostgres,
      ...(deps.system.pooler === undefined ? [] : [onStores.killPooler]),
      onStores.promoteStandby,
      onStores.freezeRedis,
      onStores.freezePostgres,
      onStores.stallCommits,
      onStores.fillPostgresDisk,
      onStores.fillRedisDisk,
      onStores.fillRedis,
      onStores.cutConnections,
      onStores.addMalformed,
      () => onOperations.pauseOne(),
      () => onOperations.replayOne(),
      onOperations.killDuringReplay,
      ...[onLinks.breakLink, onLinks.breakLink, onLinks.breakLink],
      onLinks.flapLink,
      onLinks.flapRedis,
      ...[() => onMail.brief(), () => onMail.brief(), () => onMail.brief()],
      ...[onMail.connectionLimit, onMail.connectionLimit],
      onMail.slowDrains,
      onMail.deferAll,
      onMail.refuseAccount,
      onProvider.declineAll,
      onProvider.refuseLogin,
      onProvider.shareFewConnections,
      onBounces.bounceLater,
      ...[onMail.declineDomain, onMail.declineDomain],
      onLocks.lockDeliveries,
      onLocks.lockUsers,
      onLocks.lockTable,
      onLocks.contestedAddress,
      ...[() => webhookFault(deps), () => webhookFault(deps)],
    ],
    deps.random,
  );
};

const webhookFault = ({ receiver, random }: FaultDeps): Fault => {
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
};
