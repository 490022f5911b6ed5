/** How hosts are cut into waves. */

/**
 * @param hosts every holder, sorted
 * @param canary hosts of the first wave; those that hold nothing are left out
 * @param steps sizes of the waves after it: a number of hosts, or a percentage of all that is reached with the wave
 * @returns no wave is empty, each host is in exactly one, and the last wave takes what is left
 */
export function cutWaves(
  hosts: readonly string[],
  canary: readonly string[],
  steps: readonly (number | string)[],
): string[][] {
  const first = hosts.filter((h) => canary.includes(h));
  const rest = hosts.filter((h) => !canary.includes(h));
  const waves: string[][] = first.length > 0 ? [first] : [];
  let taken = 0;
  for (const step of steps) {
    const reach =
      typeof step === 'number'
        ? taken + step
        : Math.max(taken, Math.ceil((rest.length * Number(step.replace('%', ''))) / 100));
    const wave = rest.slice(taken, Math.min(reach, rest.length));
    if (wave.length > 0) waves.push(wave);
    taken = Math.min(reach, rest.length);
  }
  if (taken < rest.length) waves.push(rest.slice(taken));
  return waves;
}
