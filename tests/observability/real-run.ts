import { pausesOf } from "../../database/groups/pauses.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { pauseGroup, resumeGroup } from "../../stream/pauses.ts";
import { eventually } from "../eventually.ts";
import { parseMail, refusal, startMailServer } from "../mail-server.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../otlp-receiver.ts";
import { ownPort } from "../own-port.ts";
import { aSystem, type RunningProcess, SERVICE_TOKEN, type System, signUpAt } from "../processes.ts";
import { exportingTo, openRedis } from "../received-traces.ts";
import { aReceiver } from "../webhook-receiver.ts";
import { type PrometheusServer, startPrometheus } from "./prometheus-server.ts";

/** A system at work, scraped by a real Prometheus, its traces received. */
export interface RealRun extends AsyncDisposable {
  readonly prometheus: PrometheusServer;
  readonly receiver: OtlpReceiver;
}

/** A mail server that behaves by the beginning of an address. */
const startMoodyMailServer = () => {
  const seen = new Set<string>();
  let isHanging = true;
  const answerTo = (address: string): Error | null => {
    if (address.startsWith("never")) return refusal(550, "5.1.1 no such user");
    if (!address.startsWith("later") || seen.has(address)) return null;
    seen.add(address);
    return refusal(451, "4.2.1 try again later");
  };
  return startMailServer({
    onRcptTo: ({ address }, _session, done) => done(answerTo(address)),
    beforeReply: async (raw) => {
      if (!isHanging || !raw.includes("hang-")) return;
      isHanging = false;
      // Longer than the consumer lives.
      await Bun.sleep(60_000);
    },
  });
};

/** A receiver of webhooks that fails at the first attempt of every second one. */
const startMoodyReceiver = () => {
  const attempts = new Map<string, number>();
  return aReceiver((response, { headers: { "webhook-id": id = "" } }) => {
    const attempt = attempts.get(id) ?? attempts.size;
    attempts.set(id, 0);
    return response.writeHead(attempt % 2 === 0 ? 204 : 500).end();
  });
};

const address = (mood: string): { readonly email: string } => ({
  email: `${mood}-${crypto.randomUUID()}@inbox.example`,
});

/** A mail that Redis loses: its entry is deleted from the stream while nobody reads. */
const loseOne = async (system: System, api: RunningProcess, consumer: RunningProcess): Promise<void> => {
  using opened = await openRedis();
  const { redis } = opened;
  const stores = { pauses: pausesOf(system.database.db), redis, keys: system.keys };
  await pauseGroup(stores, { group: WELCOME_EMAIL.name, reason: null, by: "test" });
  await eventually(() => consumer.lines.some((line) => line.includes("the group is paused")));
  const last = async () => (await redis.xrevrange(system.keys.events, "+", "-", "COUNT", 1))[0]?.[0];
  const before = await last();
  await signUpAt(api);
  const lost = await eventually(async () => {
    const id = await last();
    return id !== before && id;
  });
  await redis.xdel(system.keys.events, lost);
  // Long enough for a gauge's turn.
  await Bun.sleep(1_500);
  await resumeGroup(stores, WELCOME_EMAIL.name);
};

/** A mail that was accepted and comes back, as SendGrid reports it. */
const bounceOne = async (system: System, api: RunningProcess): Promise<void> => {
  const [mail] = system.mailServer.taken;
  const { messageId } = await parseMail(mail?.raw ?? "");
  const report = { email: mail?.to[0], event: "bounce", type: "bounce", status: "5.1.1", "smtp-id": messageId };
  const answer = await fetch(new URL("/api/v1/bounces", api.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${SERVICE_TOKEN}` },
    body: JSON.stringify([report]),
  });
  if (!(await answer.text()).includes("recorded")) throw new Error("the bounce was not recorded");
};

/** Signups, an invalid one, one too many, a retry, a dead letter, a consumer that is killed with a mail in flight, a pause, and a lost entry. */
export const startRealRun = async (): Promise<RealRun> => {
  await using stack = new AsyncDisposableStack();
  const receiver = stack.use(startOtlpReceiver());
  const system = stack.use(await aSystem({ mailServer: await startMoodyMailServer() }));
  const webhooks = stack.use(await startMoodyReceiver());
  const ports: number[] = [];
  const settings = async () => {
    const port = await ownPort();
    ports.push(port);
    return exportingTo(receiver, {
      RETRY_GREYLIST_MS: "100",
      // High enough to limit nothing: its gauge is what counts.
      MAIL_RATE_PER_SECOND: "1000",
      // A group that comes from the settings.
      WEBHOOKS: "crm",
      WEBHOOK_CRM_URL: webhooks.url,
      WEBHOOK_CRM_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      WEBHOOK_ALLOW_PRIVATE: "true",
      OTEL_METRICS_EXPORTER: "prometheus",
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    });
  };
  const [forApi, forFirst, forSecond] = [await settings(), await settings(), await settings()];
  const [apiPort = 0, ...consumerPorts] = ports;
  const [api, first] = await Promise.all([system.api(forApi), system.consumer(forFirst)]);
  const prometheus = stack.use(await startPrometheus({ "signup-api": [apiPort], "signup-consumer": consumerPorts }));

  const people = (mood: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => signUpAt(api, address(mood))));
  await people("plain", 20);
  await signUpAt(api, { email: "no address" });
  // More spellings of one mailbox than are admitted.
  for (let spelling = 1; spelling <= 6; spelling += 1) await signUpAt(api, { email: `one+${spelling}@inbox.example` });
  await people("later", 4);
  await people("never", 2);
  await people("hang", 1);
  await eventually(() => system.mailServer.taken.length >= 29);
  await bounceOne(system, api);
  const second = system.consumer(forSecond);
  first.kill("SIGKILL");
  const survivor = await second;
  await people("plain", 10);
  // A killed process takes its counters with it.
  await people("later", 2);
  await eventually(() => system.mailServer.taken.some(({ to }) => to.some((each) => each.startsWith("hang"))));
  await loseOne(system, api, survivor);
  await people("plain", 10);
  const running = stack.move();
  return {
    prometheus,
    receiver,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
