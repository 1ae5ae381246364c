import { z } from "zod";
import { failed, type Measurement, numberOf } from "./measurement.ts";

/** Asks a URL, with the bearer token of the TriggerAuthentication. */
export type Ask = (url: string, headers: Readonly<Record<string, string>>) => Promise<Response>;

/** `type: metrics-api`, as KEDA's metrics_api_scaler.go asks: only 200 with a number at `valueLocation` is an answer. */
export const measureMetricsApi = async (
  ask: Ask,
  token: string,
  metadata: Readonly<Record<string, string>>,
): Promise<Measurement> => {
  try {
    const headers = metadata["authMode"] === "bearer" ? { Authorization: `Bearer ${token}` } : {};
    const response = await ask(metadata["url"] ?? "", headers);
    if (response.status !== 200) throw new Error(`api returned ${response.status}`);
    const value = z.record(z.string(), z.unknown()).parse(await response.json())[metadata["valueLocation"] ?? ""];
    if (typeof value !== "number") throw new Error("valueLocation must point to value of type number");
    const target = numberOf(metadata, "targetValue", 0);
    return { kind: "value", value, target, isActive: value > numberOf(metadata, "activationTargetValue", 0) };
  } catch (error) {
    return failed(error);
  }
};
