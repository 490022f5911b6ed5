/**
 * What happens to a terminal while something is drawn on it: its size changes, the person stops the program with
 * Ctrl-Z and comes back, or the program ends, in whatever way. Not for a program that draws nothing: that leaves all
 * signals as they are.
 */

export interface Attention {
  /** The size is another. */
  readonly resized: () => void;
  /** The program is about to stop or to end: the terminal must be as it was. May be called again. */
  readonly leaving: () => void;
  /** It goes on after it was stopped; what it drew may be gone. */
  readonly back: () => void;
}

/** What ends a program that does not listen, and that rotate has no other answer to. */
const endings = ['SIGHUP', 'SIGQUIT'] as const;

/** @returns a function that ends it */
export function attend(stream: NodeJS.WriteStream, { resized, leaving, back }: Attention): () => void {
  const end = (signal: NodeJS.Signals): void => {
    leaving();
    stop();
    // Nobody listens now: it ends as if nobody had.
    process.kill(process.pid, signal);
  };
  const suspend = (): void => {
    leaving();
    process.off('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
  };
  const goOn = (): void => {
    process.off('SIGTSTP', suspend);
    process.on('SIGTSTP', suspend);
    back();
  };
  const stop = (): void => {
    stream.off('resize', resized);
    process.off('exit', leaving);
    process.off('SIGTSTP', suspend);
    process.off('SIGCONT', goOn);
    for (const signal of endings) process.off(signal, end);
  };
  stream.on('resize', resized);
  // Also after an error that nobody caught, and when nobody reads on.
  process.on('exit', leaving);
  process.on('SIGTSTP', suspend);
  process.on('SIGCONT', goOn);
  for (const signal of endings) process.on(signal, end);
  return stop;
}
