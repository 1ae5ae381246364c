import type { Child } from "hono/jsx";
import { count, duration } from "../../runtime/quantity.ts";
import type { Level } from "../../runtime/situation/finding.ts";

/** `2026-11-28 06:05:10 UTC`. */
export const momentText = (at: Date): string => `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** A moment, to the second in UTC, as ops and the logs have it. */
export const Moment = ({ at }: { readonly at: Date }) => <time datetime={at.toISOString()}>{momentText(at)}</time>;

/** How long ago. */
export const ago = (at: Date, now: Date): string => duration(Math.max(0, now.getTime() - at.getTime()));

/** A word with a colour that is not needed to understand it. */
export const Pill = ({ level, children }: { readonly level: Level | "plain"; readonly children: Child }) => (
  <span class={`pill ${level}`}>{children}</span>
);

/** The groups as options of a `select`. */
export const GroupOptions = ({ groups, chosen }: { readonly groups: readonly string[]; readonly chosen: string }) => (
  <>
    {groups.map((group) => (
      <option value={group} selected={group === chosen}>
        {group}
      </option>
    ))}
  </>
);

/** The field of a form that shows some groups of many; `/` goes to it. */
export const GroupFilter = ({ filter }: { readonly filter: string }) => (
  <>
    <label class="hidden" for="filter">
      Groups with this in their names
    </label>
    <input
      id="filter"
      name="filter"
      type="search"
      value={filter}
      placeholder="filter groups"
      data-find
      autocomplete="off"
    />
  </>
);

/** A cell with a number; nothing is said of none. */
export const NumberCell = ({
  value,
  isBound = false,
  level,
  label,
}: {
  readonly value: number;
  readonly isBound?: boolean;
  readonly level?: Level;
  /** What it is, where a narrow table shows each row as a list. */
  readonly label?: string;
}) => (
  <td
    data-label={label}
    class={`number ${value === 0 ? "none" : (level ?? "")}`}
  >{`${count(value)}${isBound && value > 0 ? "+" : ""}`}</td>
);
