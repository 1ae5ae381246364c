import type { ConsoleSection } from "../visit.ts";
import { changeJob, showJob, showJobs } from "./jobs.tsx";
import { changeLetter } from "./letters.tsx";
import { showList } from "./list.tsx";
import { act, showPreview } from "./preview.tsx";

/** Deliveries, and what operators do with them. */
export const DELIVERIES: ConsoleSection = {
  label: "Deliveries",
  key: "d",
  path: "/console/deliveries",
  paths: (parts) => [
    { path: "/console/deliveries", get: showList(parts) },
    { path: "/console/deliveries/preview", post: showPreview(parts) },
    { path: "/console/deliveries/act", post: act(parts) },
    { path: "/console/deliveries/letters", post: changeLetter(parts) },
    { path: "/console/deliveries/jobs", get: showJobs(parts) },
    { path: "/console/deliveries/jobs/:id", get: showJob(parts), post: changeJob(parts) },
  ],
};
