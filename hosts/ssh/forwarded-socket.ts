/**
 * A TCP connection that a host makes for us, as a socket: what `pg` and `tls` ask of a `net.Socket` beyond being
 * a stream is answered here, since an SSH channel does not have it.
 */
import { Duplex } from 'node:stream';

export class ForwardedSocket extends Duplex {
  readonly #channel: Duplex;
  #ended = false;

  /** @param channel open already; owned by the socket from now on */
  constructor(channel: Duplex) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.#end());
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => this.#end());
  }

  /** What has arrived is still read before the end is seen. */
  #end(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }

  /** It is connected already: only tells so, later, as a real socket would. */
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#channel.destroy();
    done(error);
  }
}
