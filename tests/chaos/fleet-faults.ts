import type { Fault, FaultDeps } from "./fault.ts";
import type { Victim } from "./victim.ts";

/** Longer than the claim threshold. */
const FREEZE_MS = { min: 3_500, max: 8_000 } as const;
/** By then mails are in flight that take longer. */
const IN_FLIGHT_AFTER_MS = 1_500;
/** A consumer that was started has read something by then. */
const UP_FOR_MS = { min: 1_000, max: 4_000 } as const;

/** Faults of many consumers at once, with many mails in flight. */
export const fleetFaults = ({ system, mailServer, random }: FaultDeps) => {
  const fleet = system.victims.filter(({ kind }) => kind === "consumer");
  const parts = [...fleet.map(({ name }) => name), "smtp"];

  /** Each time all of them die with what they have in flight: none of it is to blame. */
  const killFleet = (): Fault => {
    const times = random.between(2, 4);
    const upForMs = random.between(UP_FOR_MS.min, UP_FOR_MS.max);
    const killAll = () => Promise.all(fleet.map((victim) => victim.kill()));
    return {
      kind: "kill -9 the fleet",
      label: `kill -9 all consumers, ${times} times, ${upForMs} ms after their start`,
      lastsMs: random.between(500, 2_000),
      parts,
      inflict: async () => {
        mailServer.misbehave("slow drains");
        await Bun.sleep(IN_FLIGHT_AFTER_MS);
        await killAll();
        for (let time = 1; time < times; time += 1) {
          for (const victim of fleet) victim.start();
          await Bun.sleep(upForMs);
          await killAll();
        }
      },
      heal: async () => {
        mailServer.misbehave(undefined);
        for (const victim of fleet) victim.start();
      },
    };
  };

  const freezeHalf = (): Fault => {
    const frozen: Victim[] = [];
    while (frozen.length < fleet.length / 2) {
      const next = random.pick(fleet);
      if (!frozen.includes(next)) frozen.push(next);
    }
    return {
      kind: "SIGSTOP half of the fleet",
      label: `SIGSTOP ${frozen.map(({ name }) => name).join(" and ")}, then SIGCONT`,
      lastsMs: random.between(FREEZE_MS.min, FREEZE_MS.max),
      parts,
      inflict: async () => {
        mailServer.misbehave("slow drains");
        await Bun.sleep(IN_FLIGHT_AFTER_MS);
        for (const victim of frozen) victim.freeze();
      },
      heal: async () => {
        for (const victim of frozen) victim.thaw();
        mailServer.misbehave(undefined);
      },
    };
  };
  return { killFleet, freezeHalf };
};
