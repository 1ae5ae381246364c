/** The job of a signup, and where its queue is. */
export interface Welcome {
  readonly name: string;
  readonly email: string;
}

export const queueName: string = process.env["STREAM_NAME"] ?? "";

const redis = new URL(process.env["REDIS_URL"] ?? "redis://localhost");
export const connection = { host: redis.hostname, port: Number(redis.port), maxRetriesPerRequest: null };
