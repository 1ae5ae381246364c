/** The digest of an image, read from its registry. */
export type ReadDigest = (image: string) => Promise<string>;

/** The digest of an image cannot be read. The message says what to do. */
export class NoDigest extends Error {
  override readonly name = "NoDigest";
}

export const isDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text);

/**
 * Asks the registry through the Docker CLI, which has the user's login. The digest is that of the index, which covers every
 * architecture.
 *
 * @throws {NoDigest}
 */
export const readDigest: ReadDigest = async (image) => {
  if (Bun.which("docker") === null)
    throw new NoDigest(`no digest of ${image}: docker, which asks the registry, is not installed`);
  const command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"];
  const asked = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [answer, message] = await Promise.all([new Response(asked.stdout).text(), new Response(asked.stderr).text()]);
  const digest = answer.trim();
  if ((await asked.exited) !== 0) throw new NoDigest(`no digest of ${image}: ${message.trim()}`);
  if (!isDigest(digest)) throw new NoDigest(`no digest of ${image}: ${JSON.stringify(digest)} is not one`);
  return digest;
};
