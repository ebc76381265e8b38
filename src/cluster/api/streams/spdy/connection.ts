/** The server's side of a SPDY/3.1 connection, over a socket or a websocket. */

import { Duplex } from 'node:stream';
import { controlFrame, dataFrame, type Frame, FrameReader, finFlag, frameType, numbers } from './frames.ts';
import { HeaderCodec, type Headers } from './header-codec.ts';

/** One stream of the connection. Reading ends when the client has sent its last byte. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #send: (frame: Buffer, done: () => void) => void;

  constructor(id: number, headers: Headers, send: (frame: Buffer, done: () => void) => void) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#send = send;
  }

  override _read(): void {
    // Data is pushed as it comes: clients of SPDY without windows, as Kubernetes', are held back by the socket alone.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(dataFrame(this.id, chunk), done);
  }

  override _final(done: () => void): void {
    this.#send(dataFrame(this.id, Buffer.alloc(0), finFlag), done);
  }
}

/** Streams of one connection at a time. */
const maxStreams = 1_024;
/** Bytes that wait to be read on one stream; past it the connection ends. */
const maxUnreadBytes = 16 * 2 ** 20;

export interface SpdyOptions {
  /** A stream that the client opened. */
  onStream(stream: SpdyStream): void;
  onClose?(): void;
}

/** Takes the transport over: reads it until it ends, and ends it when the connection is closed. */
export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #options: SpdyOptions;
  readonly #codec = new HeaderCodec();
  readonly #reader = new FrameReader();
  readonly #streams = new Map<number, SpdyStream>();
  /** Frames are handled one after the other: header blocks are decoded with a delay. */
  #handled: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(transport: Duplex, options: SpdyOptions) {
    this.#transport = transport;
    this.#options = options;
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    transport.once('close', () => this.close());
    transport.once('end', () => this.close());
    transport.on('error', () => this.close());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.destroy();
    this.#codec.close();
    this.#transport.end();
    this.#options.onClose?.();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) {
        this.#handled = this.#handled.then(() => this.#handle(frame)).catch(() => this.close());
      }
    } catch {
      this.close();
    }
  }

  #write(frame: Buffer, done: () => void = () => undefined): void {
    if (this.#closed || !this.#transport.writable) done();
    else this.#transport.write(frame, () => done());
  }

  async #handle(frame: Frame): Promise<void> {
    if (this.#closed) return;
    if (frame.kind === 'data') this.#data(frame.streamId, frame.payload, frame.flags);
    else if (frame.type === frameType.synStream) await this.#open(frame.payload, frame.flags);
    else if (frame.type === frameType.headers) await this.#codec.decode(frame.payload.subarray(4));
    else if (frame.type === frameType.ping) this.#write(controlFrame(frameType.ping, frame.payload));
    else if (frame.type === frameType.rstStream) this.#reset(frame.payload.readUInt32BE(0));
    else if (frame.type === frameType.goAway) this.close();
  }

  #data(streamId: number, payload: Buffer, flags: number): void {
    const stream = this.#streams.get(streamId);
    if (!stream || stream.destroyed) return;
    if (stream.readableLength + payload.length > maxUnreadBytes) {
      this.close();
      return;
    }
    if (payload.length > 0) stream.push(payload);
    if (flags & finFlag) stream.push(null);
  }

  async #open(payload: Buffer, flags: number): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fff_ffff;
    const headers = await this.#codec.decode(payload.subarray(10));
    if (this.#closed) return;
    if (this.#streams.size >= maxStreams) {
      this.close();
      return;
    }
    const stream = new SpdyStream(id, headers, (frame, done) => this.#write(frame, done));
    stream.on('error', () => undefined);
    stream.once('close', () => this.#streams.delete(id));
    this.#streams.set(id, stream);
    const block = await this.#codec.encode({});
    this.#write(controlFrame(frameType.synReply, Buffer.concat([numbers(id), block])));
    this.#options.onStream(stream);
    if (flags & finFlag) stream.push(null);
  }

  #reset(streamId: number): void {
    this.#streams.get(streamId)?.destroy();
  }
}
