import { z } from "zod";
import { type KubernetesObject, nameOf, ofKind, selects } from "../objects.ts";
import { workloadsIn } from "../workloads.ts";
import { podSelector, takes } from "./network.ts";
import { type Policy, unless } from "./policy.ts";

const labels = z.record(z.string(), z.string());
const service = z.looseObject({
  selector: labels,
  ports: z.array(z.looseObject({ name: z.string(), port: z.number(), targetPort: z.union([z.string(), z.number()]) })),
});
const externalSecret = z.looseObject({
  target: z.looseObject({ name: z.string() }),
  data: z.array(z.looseObject({ secretKey: z.string() })),
});
const httpRoute = z.looseObject({
  rules: z.array(z.looseObject({ backendRefs: z.array(z.looseObject({ name: z.string(), port: z.number() })) })),
});
const triggerAuthentication = z.looseObject({
  secretTargetRef: z.array(z.looseObject({ name: z.string(), key: z.string() })),
});

const autoscaler = z.looseObject({ scaleTargetRef: z.looseObject({ kind: z.string(), name: z.string() }) });
const podMonitor = z.looseObject({
  selector: podSelector,
  podMetricsEndpoints: z.array(z.looseObject({ port: z.string() })),
});

/** `name/key` of each value that a Secret will have: made here, or created by External Secrets. */
export const secretKeysIn = (objects: readonly KubernetesObject[]): ReadonlySet<string> =>
  new Set([
    ...ofKind(objects, "Secret").flatMap(({ metadata, data }) =>
      Object.keys(data ?? {}).map((key) => `${metadata.name}/${key}`),
    ),
    ...ofKind(objects, "ExternalSecret").flatMap(({ spec }) => {
      const { target, data } = externalSecret.parse(spec);
      return data.map(({ secretKey }) => `${target.name}/${secretKey}`);
    }),
  ]);

/** Every reference from one object to another leads to an object. */
export const references: Policy = (objects) => {
  const workloads = workloadsIn(objects);
  const secretKeys = secretKeysIn(objects);
  const secretNames = new Set([...secretKeys].map((key) => key.split("/")[0]));
  const configMaps = new Set(ofKind(objects, "ConfigMap").map(({ metadata }) => metadata.name));

  const ofWorkloads = workloads.flatMap(({ name, labels: of, spec, containers, pod }) => [
    ...unless(name, [selects(spec.selector?.matchLabels ?? {}, of), "does not select its own pods"]),
    ...containers.flatMap(({ env, envFrom }) => [
      ...env
        .map(({ valueFrom }) => valueFrom?.secretKeyRef)
        .filter((reference) => reference !== undefined && reference.optional !== true)
        .flatMap((reference) =>
          unless(name, [
            secretKeys.has(`${reference?.name}/${reference?.key}`),
            `needs key ${reference?.key} of Secret ${reference?.name}, which nobody makes`,
          ]),
        ),
      ...envFrom.flatMap(({ configMapRef }) =>
        unless(name, [configMaps.has(configMapRef?.name ?? ""), `needs ConfigMap ${configMapRef?.name}`]),
      ),
    ]),
    ...pod.volumes.flatMap(({ secret }) =>
      secret === undefined
        ? []
        : unless(name, [secretNames.has(secret.secretName), `mounts Secret ${secret.secretName}, which nobody makes`]),
    ),
  ]);

  const services = ofKind(objects, "Service").flatMap((object) => {
    const { selector, ports } = service.parse(object.spec);
    const targets = workloads.filter((workload) => selects(selector, workload.labels));
    const names = targets.flatMap(({ pod }) => pod.containers.flatMap((of) => of.ports.map((port) => port.name)));
    return unless(
      nameOf(object),
      [targets.length === 1, `leads to ${targets.length} workloads`],
      [ports.every(({ targetPort }) => names.includes(String(targetPort))), "leads to a port that no container has"],
    );
  });

  const routes = ofKind(objects, "HTTPRoute").flatMap((object) =>
    httpRoute
      .parse(object.spec)
      .rules.flatMap(({ backendRefs }) =>
        backendRefs.flatMap(({ name, port }) =>
          unless(nameOf(object), [
            ofKind(objects, "Service").some(
              ({ metadata, spec }) =>
                metadata.name === name && service.parse(spec).ports.some((of) => of.port === port),
            ),
            `leads to ${name}:${port}, which no Service is`,
          ]),
        ),
      ),
  );

  const authentications = ofKind(objects, "TriggerAuthentication").flatMap((object) =>
    triggerAuthentication
      .parse(object.spec)
      .secretTargetRef.flatMap(({ name, key }) =>
        unless(nameOf(object), [
          secretKeys.has(`${name}/${key}`),
          `needs key ${key} of Secret ${name}, which nobody makes`,
        ]),
      ),
  );
  const autoscalers = ofKind(objects, "HorizontalPodAutoscaler").flatMap((object) => {
    const { kind, name } = autoscaler.parse(object.spec).scaleTargetRef;
    return unless(nameOf(object), [workloads.some((of) => of.name === `${kind}/${name}`), `scales no ${kind}/${name}`]);
  });

  const monitors = ofKind(objects, "PodMonitor").flatMap((object) => {
    const { selector, podMetricsEndpoints } = podMonitor.parse(object.spec);
    const targets = workloads.filter(({ labels: of }) => takes(selector, of));
    return unless(
      nameOf(object),
      [targets.length > 0, "selects no pods"],
      [
        targets.every(({ pod }) =>
          podMetricsEndpoints.every(({ port }) => pod.containers[0]?.ports.some(({ name }) => name === port)),
        ),
        "scrapes a port that not all of its pods have",
      ],
    );
  });

  const classes = new Set(ofKind(objects, "PriorityClass").map(({ metadata }) => metadata.name));
  const priorities = workloads.flatMap(({ name, pod: { priorityClassName: of } }) =>
    unless(name, [of === undefined || classes.has(of), `has the priority ${of}, which there is not`]),
  );
  return [...ofWorkloads, ...services, ...routes, ...authentications, ...autoscalers, ...monitors, ...priorities];
};
