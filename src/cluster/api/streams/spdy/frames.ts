/** Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, 2.2): what Kubernetes' clients send and understand. */

export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const finFlag = 1;

export type Frame =
  | { readonly kind: 'data'; readonly streamId: number; readonly flags: number; readonly payload: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly payload: Buffer };

const headerBytes = 8;

/** Longer frames are refused; kubectl's are 32 KiB at most. */
export const maxFrameBytes = 4 * 2 ** 20;

/** Cuts bytes as they come into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Throws where a frame is too long. */
  push(chunk: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (this.#pending.length - at >= headerBytes) {
      const length = this.#pending.readUIntBE(at + 5, 3);
      if (length > maxFrameBytes) throw new Error('the SPDY frame is too long');
      if (this.#pending.length - at < headerBytes + length) break;
      frames.push(readFrame(this.#pending.subarray(at, at + headerBytes + length)));
      at += headerBytes + length;
    }
    this.#pending = this.#pending.subarray(at);
    return frames;
  }
}

function readFrame(bytes: Buffer): Frame {
  const first = bytes.readUInt32BE(0);
  const flags = bytes[4] ?? 0;
  const payload = bytes.subarray(headerBytes);
  if (first >= 0x8000_0000) return { kind: 'control', type: first & 0xffff, flags, payload };
  return { kind: 'data', streamId: first, flags, payload };
}

function header(first: number, flags: number, length: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt32BE(first, 0);
  bytes[4] = flags;
  bytes.writeUIntBE(length, 5, 3);
  return bytes;
}

export function dataFrame(streamId: number, payload: Buffer, flags = 0): Buffer {
  return Buffer.concat([header(streamId, flags, payload.length), payload]);
}

export function controlFrame(type: number, payload: Buffer, flags = 0): Buffer {
  return Buffer.concat([header(0x8003_0000 + type, flags, payload.length), payload]);
}

export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
