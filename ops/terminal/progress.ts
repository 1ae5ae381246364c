import { count, duration } from "../../runtime/quantity.ts";
import type { Progress } from "../actions/operator.ts";
import type { Destination } from "./style.ts";

export interface ProgressDisplay {
  show(progress: Progress): void;
  /** Clears the line before the answer is printed. */
  end(): void;
}

const QUIET_FOR_MS = 1_000;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;
const BAR_WIDTH = 30;

const bar = (done: number, total: number): string => {
  const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.floor((done / total) * BAR_WIDTH));
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]`;
};

/**
 * Shows the progress of what takes over a second: a bar that is redrawn on a terminal, a plain line every 5 s elsewhere.
 * Meant for standard error, so that standard output holds the answer alone.
 */
export const createProgressDisplay = (
  output: Destination & { write(text: string): unknown },
  now: () => number,
): ProgressDisplay => {
  const startedAt = now();
  let shownAt = startedAt + QUIET_FOR_MS - BAR_EVERY_MS;
  let isDrawn = false;

  const text = ({ done, total, noun }: Progress): string => {
    const elapsedMs = now() - startedAt;
    if (total === undefined) return `${count(done)} ${noun}, ${duration(elapsedMs)}`;
    const leftMs = done > 0 ? (elapsedMs / done) * Math.max(0, total - done) : 0;
    const rest = done < total ? `, about ${duration(leftMs)} left` : "";
    return `${bar(done, total)} ${count(done)} of ${count(total)} ${noun}${rest}`;
  };

  return {
    show(progress) {
      const elapsedMs = now() - shownAt;
      const isTerminal = output.isTTY === true;
      if (elapsedMs < (isTerminal || !isDrawn ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
      shownAt = now();
      isDrawn = true;
      output.write(isTerminal ? `\r\x1b[K${text(progress)}` : `${text(progress)}\n`);
    },
    end() {
      if (isDrawn && output.isTTY === true) output.write("\r\x1b[K");
    },
  };
};
