import { type Environment, type Read, readSetting } from "./read.ts";
import type { Setting } from "./values.ts";
import { RECEIVER_SETTINGS, type Receiver, type ReceiverSetting, receiverVariable } from "./webhooks.ts";

/** The receivers of an environment, and what is wrong with their settings. */
export interface ReadReceivers {
  readonly receivers: readonly Receiver[];
  /** A line for each variable that is set to what cannot be used. */
  readonly faults: readonly string[];
  /** What to say of each variable that is not set, if it is required. */
  readonly missing: ReadonlyMap<string, string>;
}

/** Reads the settings of the named receivers. Without `allowPrivate`, a URL has to be one of https. */
export const readReceivers = (
  names: readonly string[],
  environment: Environment,
  { allowPrivate }: { readonly allowPrivate: boolean },
): ReadReceivers => {
  const faults: string[] = [];
  const missing = new Map<string, string>();

  const read = <Value>(name: string, part: ReceiverSetting, definition: Setting<Value>): Value | undefined => {
    const variable = receiverVariable(name, part);
    const found: Read<Value> = readSetting(variable, definition, environment);
    if (found.kind === "value") return found.value;
    if (found.kind === "fault") faults.push(found.fault);
    else missing.set(variable, found.fault);
    return undefined;
  };

  const receivers = names.map((name): Receiver => {
    const url = read(name, "URL", RECEIVER_SETTINGS.URL);
    const secrets = read(name, "SECRET", RECEIVER_SETTINGS.SECRET);
    if (url?.startsWith("http:") === true && !allowPrivate) {
      faults.push(`${receiverVariable(name, "URL")}: http:// needs WEBHOOK_ALLOW_PRIVATE=true; expected https://`);
    }
    return {
      name,
      events: read(name, "EVENTS", RECEIVER_SETTINGS.EVENTS) ?? [],
      contentType: read(name, "CONTENT_TYPE", RECEIVER_SETTINGS.CONTENT_TYPE) ?? "application/json",
      ...(url === undefined ? {} : { url }),
      ...(secrets === undefined ? {} : { secrets }),
    };
  });
  return { receivers, faults, missing };
};
