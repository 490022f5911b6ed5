/** The order of what a rotation called, for comparing it at a glance. */

/** Each label once per run of consecutive equal ones, hosts left out: the order of phases. */
export function phases(labels: readonly string[]): string[] {
  const short = labels.map((l) => l.replace(/ (canary|web-\d)$/, ''));
  return short.filter((l, i) => l !== short[i - 1]);
}

/** Without what preflight does side by side, which comes in any order, and partly not at all when one part fails. */
export function withoutLooks(labels: readonly string[]): string[] {
  const looks = /^(inspectIssuer|inspectHost|takeBaseline|makeTrial|compareHost|rehearse)\b/;
  return labels.filter((label) => !looks.test(label));
}
