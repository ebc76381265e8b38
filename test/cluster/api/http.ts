import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON. */
  readonly json: Record<string, unknown>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Not fetch: it does not let a test choose the Host. */
export async function ask(
  url: string,
  { method = 'GET', headers = {}, body }: RequestOptions = {},
): Promise<Answer> {
  const text =
    body === undefined
      ? undefined
      : typeof body === 'string' || Buffer.isBuffer(body)
        ? body
        : JSON.stringify(body);
  const sent = request(url, {
    method,
    headers: {
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...(text !== undefined &&
        !headers['transfer-encoding'] && { 'content-length': Buffer.byteLength(text) }),
      ...headers,
    },
  });
  sent.end(text);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const answer = Buffer.concat(chunks).toString();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: answer,
    get json() {
      return JSON.parse(answer) as Record<string, unknown>;
    },
  };
}

export interface WatchEvent {
  readonly type: string;
  readonly object: {
    kind: string;
    metadata: { name?: string; resourceVersion?: string; annotations?: Record<string, string> };
    [field: string]: unknown;
  };
}

/** A watch whose events are read one by one. */
export class Watch {
  readonly #response: IncomingMessage;
  readonly #lines: AsyncIterator<string>;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.#lines = linesOf(response);
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Watch> {
    const sent = request(url, { headers });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return new Watch(response);
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  /** Undefined where the server has ended the watch. */
  async next(): Promise<WatchEvent | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : (JSON.parse(value) as WatchEvent);
  }

  async take(count: number): Promise<string[]> {
    const events: string[] = [];
    for (let index = 0; index < count; index++) {
      const event = await this.next();
      events.push(`${event?.type} ${event?.object.metadata.name ?? ''}`.trim());
    }
    return events;
  }

  close(): void {
    this.#response.destroy();
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    // Cut off: the same as ended.
  }
}
