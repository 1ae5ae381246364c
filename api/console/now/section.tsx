import { NotFound } from "../../../ops/actions/operator.ts";
import type { ConsoleSection } from "../visit.ts";
import { GroupPage } from "./group-page.tsx";
import { NowPage } from "./now-page.tsx";
import { groupRows } from "./overview.ts";
import { nowStream } from "./stream.tsx";

/** What happens now, and why. */
export const NOW: ConsoleSection = {
  label: "Now",
  key: "n",
  path: "/console",
  paths(parts) {
    const feed = parts.snapshots;
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
            scripts: ["graph.js"],
            children: <GroupPage row={row} at={at} />,
          });
        },
      },
    ];
  },
};
