import { buildRouteMap, type RouteMap } from "@stricli/core";
import type { Surroundings } from "./command.ts";
import { audit } from "./commands/audit.ts";
import { capacityCommand } from "./commands/capacity.ts";
import { completionCommand } from "./commands/completion.ts";
import { consumersCommand } from "./commands/consumers.ts";
import { deadDrop } from "./commands/dead-drop.ts";
import { deadList } from "./commands/dead-list.ts";
import { deadRetry } from "./commands/dead-retry.ts";
import { deadShow } from "./commands/dead-show.ts";
import {
  deliveriesDiscard,
  deliveriesHold,
  deliveriesRelease,
  deliveriesRetry,
  deliveriesRetryNow,
} from "./commands/deliveries.ts";
import { doctor } from "./commands/doctor.ts";
import { eraseCommand } from "./commands/erase.ts";
import { find } from "./commands/find.ts";
import { groupDrop } from "./commands/group-drop.ts";
import { heldDrop, heldList, heldRelease } from "./commands/held.ts";
import { importCelery } from "./commands/import-celery.ts";
import { pauseCommand, resumeCommand } from "./commands/pause.ts";
import { preview } from "./commands/preview.ts";
import { rateCommand } from "./commands/rate.ts";
import { replayCommand } from "./commands/replay.ts";
import { retrying } from "./commands/retrying.ts";
import { status } from "./commands/status.ts";
import { suppressionsLift, suppressionsList } from "./commands/suppressions.ts";
import { tailCommand } from "./commands/tail.ts";
import { webhookEnable, webhookTest } from "./commands/webhook.ts";

/** Every command, in the order of the help. Adding one takes a file and a line here. */
export const ROUTES: RouteMap<Surroundings> = buildRouteMap({
  docs: {
    brief: "Inspect and repair the pipeline",
    fullDescription: [
      "Inspects and repairs the pipeline. `help <command>` explains a command; every command takes --json and --help.",
      "",
      "Exit codes: 0 done, 1 failed, not found, not confirmed or not done to the end, 2 wrong usage, 78 bad settings.",
      "DATABASE_URL, REDIS_URL and STREAM_NAME select the system; without them it is the one that `bun run start` runs here, and",
      "with --data DIR the one that `bun run start --data DIR` runs.",
    ].join("\n"),
  },
  routes: {
    status,
    doctor,
    consumers: consumersCommand,
    tail: tailCommand,
    find,
    dead: buildRouteMap({
      docs: { brief: "List, show, retry and drop dead letters" },
      routes: { list: deadList, show: deadShow, retry: deadRetry, drop: deadDrop },
    }),
    retrying,
    held: buildRouteMap({
      docs: { brief: "List, release and drop held deliveries" },
      routes: { list: heldList, release: heldRelease, drop: heldDrop },
    }),
    deliveries: buildRouteMap({
      docs: { brief: "Retry, hold, release and discard deliveries: one, or all of a state" },
      routes: {
        retry: deliveriesRetry,
        "retry-now": deliveriesRetryNow,
        hold: deliveriesHold,
        release: deliveriesRelease,
        discard: deliveriesDiscard,
      },
    }),
    suppressions: buildRouteMap({
      docs: { brief: "List and lift suppressed addresses" },
      routes: { list: suppressionsList, lift: suppressionsLift },
    }),
    pause: pauseCommand,
    resume: resumeCommand,
    rate: rateCommand,
    replay: replayCommand,
    preview,
    webhook: buildRouteMap({
      docs: { brief: "Test and enable receivers of webhooks" },
      routes: { test: webhookTest, enable: webhookEnable },
    }),
    erase: eraseCommand,
    group: buildRouteMap({
      docs: { brief: "Drop orphaned groups" },
      routes: { drop: groupDrop },
    }),
    capacity: capacityCommand,
    import: buildRouteMap({
      docs: { brief: "Take over from another system" },
      routes: { celery: importCelery },
    }),
    audit,
    completion: completionCommand(() => ROUTES),
  },
});
