import { type Container, configOf, oursIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

/** After the drain: release entries, leave the groups, close connections, send the last telemetry. */
const AFTER_DRAIN_MS = 15_000;
/** For this long a load balancer may still send requests to a pod that stops. */
const PRE_STOP_S = 5;
/** The longest request in flight. */
const IN_FLIGHT_S = 30;

const PORT_SETTING: Readonly<Record<string, string>> = { api: "PORT", consumer: "CONSUMER_HEALTH_PORT" };

/** The path of a probe, if it asks a port of the container that has the number that the settings say. */
const pathOf = (probe: Container["livenessProbe"], container: Container, portNumber: number): string | undefined => {
  const port = container.ports.find(({ name }) => name === probe?.httpGet?.port);
  return port?.containerPort === portNumber ? probe?.httpGet?.path : undefined;
};

/** Probes use the right paths, a pod has time to stop, and a rollout stops no pod before its replacement is ready. */
export const lifecycle: Policy = (objects) =>
  oursIn(objects).flatMap(({ name, component, pod, spec }) => {
    const setting = PORT_SETTING[component];
    const [container] = pod.containers;
    if (setting === undefined || container === undefined) return [];
    const config = configOf(objects, container);
    const port = Number(config[setting]);
    const graceMs = pod.terminationGracePeriodSeconds * 1_000;
    const preStop = container.lifecycle?.preStop;
    const shared = unless(
      name,
      [pathOf(container.livenessProbe, container, port) === "/livez", "is not asked /livez for liveness"],
      [pathOf(container.startupProbe, container, port) === "/livez", "is not asked /livez at its start"],
      [pathOf(container.readinessProbe, container, port) === "/readyz", "is not asked /readyz for readiness"],
      [
        (container.livenessProbe?.failureThreshold ?? 0) * (container.livenessProbe?.periodSeconds ?? 0) >= 60,
        "is restarted within a minute",
      ],
      [spec.strategy?.rollingUpdate?.maxUnavailable === 0, "loses a pod before its replacement is ready"],
      [pod.initContainers.some(({ args }) => args[0] === "k8s/wait-for-schema.ts"), "does not wait for the migration"],
    );
    const own =
      component === "consumer"
        ? unless(
            name,
            [graceMs >= Number(config["DRAIN_TIMEOUT_MS"]) + AFTER_DRAIN_MS, "is killed before it has drained"],
            [preStop === undefined, "delays its drain by a preStop"],
            [
              container.env.some(
                (env) => env.name === "CONSUMER_NAME" && env.valueFrom?.fieldRef?.fieldPath === "metadata.name",
              ),
              "does not take its name from the pod",
            ],
          )
        : unless(
            name,
            [(preStop?.sleep?.seconds ?? 0) >= PRE_STOP_S, "stops listening while load balancers still send requests"],
            [graceMs >= ((preStop?.sleep?.seconds ?? 0) + IN_FLIGHT_S) * 1_000, "is killed with requests in flight"],
          );
    return [...shared, ...own];
  });
