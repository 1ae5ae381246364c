import type { Command } from "../command.ts";
import { deadDrop } from "./dead-drop.ts";
import { deadList } from "./dead-list.ts";
import { deadRetry } from "./dead-retry.ts";
import { deadShow } from "./dead-show.ts";
import { doctor } from "./doctor.ts";
import { erase } from "./erase.ts";
import { find } from "./find.ts";
import { groupDrop } from "./group-drop.ts";
import { heldDrop, heldList, heldRelease } from "./held.ts";
import { pauseCommand, resumeCommand } from "./pause.ts";
import { replayCommand } from "./replay.ts";
import { status } from "./status.ts";
import { suppressionsLift, suppressionsList } from "./suppressions.ts";

/** Every command, in the order of the help. Adding one is a file and a line here. */
export const COMMANDS: readonly Command[] = [
  status,
  doctor,
  find,
  deadList,
  deadShow,
  deadRetry,
  deadDrop,
  heldList,
  heldRelease,
  heldDrop,
  suppressionsList,
  suppressionsLift,
  pauseCommand,
  resumeCommand,
  replayCommand,
  erase,
  groupDrop,
];
