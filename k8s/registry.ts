/** The digest of an image, read from its registry. */
export type ReadDigest = (image: string) => Promise<string>;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Asks the registry through the Docker CLI, which has the user's login. The digest is that of the index, which covers every
 * architecture.
 *
 * @throws an error with the CLI's message
 */
export const readDigest: ReadDigest = async (image) => {
  const command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"];
  const asked = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [answer, message] = await Promise.all([new Response(asked.stdout).text(), new Response(asked.stderr).text()]);
  const digest = answer.trim();
  if ((await asked.exited) !== 0) throw new Error(`no digest of ${image}: ${message.trim()}`);
  if (!DIGEST.test(digest)) throw new Error(`no digest of ${image}: ${JSON.stringify(digest)} is not one`);
  return digest;
};
