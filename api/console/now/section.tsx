import { NotFound } from "../../../ops/actions/operator.ts";
import { readSituation } from "../../../ops/actions/situation.ts";
import type { ConsoleParts, ConsoleSection } from "../visit.ts";
import { createFeed, type Feed } from "./feed.ts";
import { GroupPage } from "./group-page.tsx";
import { NowPage, type Snapshot } from "./now-page.tsx";
import { groupRows } from "./overview.ts";
import { nowStream } from "./stream.tsx";

const EVERY_MS = 2_000;

const feedOf = ({ stores, keys, groups, log, now, stopping }: ConsoleParts): Feed<Snapshot> =>
  createFeed({
    read: async () => {
      const at = now();
      return { at, situation: await readSituation({ ...stores(), keys, groups }, at) };
    },
    everyMs: EVERY_MS,
    log,
    monotonicMs: () => performance.now(),
    stopping,
  });

/** What happens now, and why. */
export const NOW: ConsoleSection = {
  label: "Now",
  key: "n",
  path: "/console",
  paths(parts) {
    const feed = feedOf(parts);
    return [
      {
        path: "/console",
        async get(visit) {
          const filter = (visit.c.req.query("filter") ?? "").trim().toLowerCase();
          const children = <NowPage snapshot={await feed.latest()} filter={filter} />;
          return visit.page({ title: "Now", scripts: ["now.js"], children });
        },
      },
      { path: "/console/now", get: nowStream(feed, parts) },
      {
        path: "/console/groups/:group",
        async get(visit) {
          const { at, situation } = await feed.latest();
          const name = visit.c.req.param("group") ?? "";
          const row = groupRows(situation, at).find((each) => each.name === name);
          if (row === undefined) throw new NotFound(`no group is named ${name}, or a store is away`);
          return visit.page({
            title: name,
            scripts: ["uplot.js", "graph.js"],
            children: <GroupPage row={row} at={at} />,
          });
        },
      },
    ];
  },
};
