import { test } from "bun:test";
import { factory } from "/tmp/wt/mail/consumers/welcome-email/group.ts";
import { WELCOME_EMAIL } from "/tmp/wt/mail/stream/groups.ts";
import { startWeatherServer } from "/tmp/wt/mail/bench/weather-server.ts";
import { mailSettings } from "/tmp/wt/mail/tests/mail-settings.ts";
import { aPipeline, aSignup, silentLog } from "/tmp/wt/mail/tests/pipeline.ts";
const BAD = Number(process.env.BAD ?? 2000), GOOD = Number(process.env.GOOD ?? 1000), SECONDS = Number(process.env.SECONDS ?? 15);
test("dbg", async () => {
  let asked = 0, taken = 0, n0 = 0; const t0 = () => performance.now();
  const afterMs = Number(process.env.AFTER ?? 1000);
  await using server = startWeatherServer({ mailMs: 5, onRcpt: (a) => { if (!a.startsWith("no-")) return undefined; asked++; return { ...(afterMs>0?{afterMs}:{}), reply: process.env.REPLY ?? "421 4.7.0 try again later" }; }, onTaken: () => { taken++; } });
  await using pipeline = await aPipeline();
  const mix = process.env.MIX === "1";
  const all = Array.from({ length: BAD + GOOD }, (_, n) => (mix ? n % 2 === 0 : n < BAD) ? `no-${n}@domain-${n}.example` : process.env.FRESH ? `yes-${n}@good-${n}.example` : `yes-${n}@inbox.example`);
  for (let i = 0; i < all.length; i += 500) await pipeline.signUp(...all.slice(i, i + 500).map((email) => aSignup({ email })));
  const settings = mailSettings(pipeline, { port: server.port } as never, { RETRY_DELAY_MS: "30000" });
  const start = performance.now(); const cpu0 = process.cpuUsage();
  const c = await pipeline.open((db) => factory.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
  let last = -1;
  for (let s = 0; s < SECONDS * 4; s++) {
    await Bun.sleep(250);
    const retry = await pipeline.redis.zcard(pipeline.keys.retrySet("welcome-email")).catch(() => -1);
    const cpu = process.cpuUsage(cpu0);
    console.log(((performance.now() - start) / 1000).toFixed(2), "asked", asked, "taken", taken, "conns", server.connections(), "retrySet", retry, "inflight", c.inFlight(), c.breaker(), "cpu", ((cpu.user + cpu.system) / 1e6).toFixed(2));
    if (taken >= GOOD) break;
  }
}, 120000);
