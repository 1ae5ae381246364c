import { VERSION } from "../observability/version.ts";
import type { RunningGroup } from "./engine/group.ts";

/** A group in the health answers. */
interface GroupHealth {
  readonly group: string;
  readonly live: boolean;
  readonly state: string;
  readonly breaker: string;
  readonly in_flight: number;
  /** What keeps it from its work, and since when. */
  readonly faults: Readonly<Record<string, string>>;
}

const healthOf = (group: RunningGroup): GroupHealth => ({
  group: group.name,
  live: group.isLive(),
  state: group.state(),
  breaker: group.breaker(),
  in_flight: group.inFlight(),
  faults: group.faults(),
});

/**
 * The health server. `/livez`: the loops make progress (independent of the stores, so an outage restarts no process).
 * `/readyz`: reading, or paused by an operator; not ready while stopping; an open breaker and a store that is away leave it ready.
 * Both name what is stuck, and since when, and show the running version.
 */
export const serveHealth = (groups: readonly RunningGroup[], port: number): Bun.Server<undefined> =>
  Bun.serve({
    port,
    routes: {
      "/livez": () => {
        const health = groups.map(healthOf);
        const live = health.every((group) => group.live);
        return Response.json({ live, version: VERSION, groups: health }, { status: live ? 200 : 503 });
      },
      "/readyz": () => {
        const health = groups.map(healthOf);
        const ready = health.every((group) => group.live && group.state !== "stopping");
        return Response.json({ ready, version: VERSION, groups: health }, { status: ready ? 200 : 503 });
      },
    },
    fetch: () => Response.json({ error: "not found; there are /livez and /readyz" }, { status: 404 }),
  });
