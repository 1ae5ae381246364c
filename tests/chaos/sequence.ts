import { areApart, bothOf, type Fault, type FaultDeps } from "./fault.ts";
import { LINK_FAULTS } from "./link.ts";
import { MAIL_FAULTS } from "./mail-server.ts";
import { processFaults } from "./process-faults.ts";
import { storeFaults } from "./store-faults.ts";

const TWO_AT_A_TIME = 0.3;

/**
 * The faults without which a run proves nothing, first; then at random, for as long as one asks, every third time two at a
 * time. The same seed gives the same faults, of the same length, in the same order.
 */
export function* faultSequence(deps: FaultDeps): Generator<Fault, never> {
  const { random } = deps;
  const onProcesses = processFaults(deps);
  const onStores = storeFaults(deps);
  const onWires = wireFaults(deps);
  yield onWires.mailFault("cut before the 250, taken");
  yield onProcesses.killWithWorkInHand();
  yield onStores.killRedis(4_000);
  yield onStores.flushWhileRetriesWait();
  yield onProcesses.freeze();
  const any = (): Fault =>
    random.pick([
      onProcesses.kill,
      onProcesses.killWithWorkInHand,
      onProcesses.terminate,
      onProcesses.freeze,
      onProcesses.jumpClock,
      () => onStores.killRedis(),
      onStores.flush,
      onStores.flushWhileRetriesWait,
      onStores.killPostgres,
      onStores.cutConnections,
      onStores.garbage,
      ...[onWires.breakLink, onWires.breakLink, onWires.breakLink],
      ...[() => onWires.mailFault(), () => onWires.mailFault(), () => onWires.mailFault()],
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

const wireFaults = ({ system, mailServer, random }: FaultDeps) => ({
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
    inflict: async () => mailServer.misbehave(fault),
    heal: async () => mailServer.misbehave(undefined),
  }),
});
