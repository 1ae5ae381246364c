import { type Fault, type FaultDeps, nothing } from "./fault.ts";
import { MAIL } from "./groups.ts";
import type { Victim } from "./victim.ts";

/** Longer than the claim threshold: peers claim the entries that the frozen consumer still takes for its own. */
const FREEZE_MS = { min: 3_500, max: 6_000 } as const;
const JUMPS_S = [-7_200, -90, 90, 7_200] as const;

/** Faults of the APIs and consumers themselves. */
export const processFaults = ({ system, mailServer, random }: FaultDeps) => {
  const anyVictim = (): Victim => random.pick(system.victims);

  const kill = (): Fault => {
    const victim = anyVictim();
    return {
      kind: `kill -9 ${victim.kind}`,
      label: `kill -9 ${victim.name}`,
      lastsMs: random.between(500, 3_000),
      parts: [victim.name],
      inflict: victim.kill,
      heal: async () => victim.start(),
    };
  };
  /** Dies after the mail server accepted its mails and before it received the reply: for its peers they are uncertain. */
  const killWithWorkInFlight = (): Fault => {
    const victim = random.pick(system.victims.filter(({ groups }) => groups.includes(MAIL)));
    return {
      kind: "kill -9 consumer",
      label: `kill -9 ${victim.name} with work in flight`,
      lastsMs: random.between(2_500, 4_000),
      parts: [victim.name, "smtp"],
      inflict: async () => {
        mailServer.misbehave("accepted, the 250 10 s late");
        await Bun.sleep(800);
        await victim.kill();
        mailServer.misbehave(undefined);
      },
      heal: async () => victim.start(),
    };
  };
  const terminate = (): Fault => {
    const victim = anyVictim();
    return {
      kind: `SIGTERM ${victim.kind}`,
      label: `SIGTERM ${victim.name}`,
      lastsMs: random.between(200, 2_000),
      parts: [victim.name],
      inflict: async () => victim.terminate(),
      heal: async () => {
        await victim.terminated();
        victim.start();
      },
    };
  };
  const freeze = (): Fault => {
    const victim = anyVictim();
    return {
      kind: `SIGSTOP ${victim.kind}`,
      label: `SIGSTOP ${victim.name}, then SIGCONT`,
      lastsMs: random.between(FREEZE_MS.min, FREEZE_MS.max),
      parts: [victim.name],
      inflict: async () => victim.freeze(),
      heal: async () => victim.thaw(),
    };
  };
  /** Chosen also where clocks cannot be faked, so that a seed gives the same faults everywhere. */
  const jumpClock = (): Fault => {
    const victim = random.pick(system.victims.filter(({ name }) => name === "api-2" || name === "consumer-3"));
    const seconds = random.pick(JUMPS_S);
    const jump = victim.jumpClock;
    return {
      kind: "clock jump",
      label: `the clock of ${victim.name} jumps by ${seconds} s and returns${jump === undefined ? " (skipped)" : ""}`,
      lastsMs: random.between(2_000, 5_000),
      parts: [victim.name],
      inflict: async () => jump?.(seconds),
      heal: jump === undefined ? nothing : async () => jump(0),
    };
  };
  return { kill, killWithWorkInFlight, terminate, freeze, jumpClock };
};
