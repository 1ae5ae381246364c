import type { SettingsWith } from "../../settings/load.ts";
import { observedPool } from "./smtp/observe.ts";
import { createSmtpPool, type SmtpPool } from "./smtp/pool.ts";

/** Settings that every group that sends mail needs. */
export const MAIL_SETTINGS = ["MAIL_SERVER", "MAIL_FROM"] as const;

/** Time limit of one send, connecting included; then the socket is closed, even if the server is still sending. */
const SEND_DEADLINE_MS = 30_000;

/** The pool of connections to the mail server of the settings. */
export const openMailPool = (settings: SettingsWith<"consumer", (typeof MAIL_SETTINGS)[number]>): SmtpPool => {
  const { MAIL_USERNAME: username, MAIL_PASSWORD: password, MAIL_POOL_SIZE: size } = settings;
  const server = {
    host: settings.MAIL_SERVER,
    port: settings.MAIL_PORT,
    tls: settings.MAIL_TLS,
    ...(username === undefined || password === undefined ? {} : { username, password }),
  };
  return observedPool(createSmtpPool({ server, size, sendDeadlineMs: SEND_DEADLINE_MS }), server, size);
};
