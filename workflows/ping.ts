/** Answers at once: the only sure sign that a worker listens, as dead pollers stay listed for minutes. */
export async function ping(nonce: string): Promise<string> {
  return nonce;
}
