/** How a cluster's API is reached: where it is, whom to trust, who we are. */

/** Nothing could be made of a kubeconfig, or of what it points to. The message says what to do. */
export class ClusterAccessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterAccessError';
  }
}

export interface ClusterAccess {
  /** May carry a path, which is put before every request's own. */
  readonly server: URL;
  /** What the context names; `default` where it names none. */
  readonly namespace: string;
  /** Of the pod whose account it is. */
  readonly podNamespace?: string;
  readonly tls: {
    /** PEM, asked for anew whenever a new set of connections is made: the file may have been replaced. */
    readonly authorities?: () => string;
    readonly insecureSkipVerify?: boolean;
    /** Checked instead of the server's host name. */
    readonly serverName?: string;
  };
  /** An HTTP proxy (`http:` or `https:`) on the way. */
  readonly proxy?: URL;
  readonly credentials: Credentials;
  /** For logs: `in-cluster`, or the kubeconfig's path and context. Holds no secret. */
  readonly origin: string;
}

/** A list is sent as several headers of one name. */
export type RequestHeaders = Readonly<Record<string, string | string[]>>;

/** What one request carries to say who is asking. */
export interface Identity {
  readonly headers: RequestHeaders;
  /** PEM. */
  readonly certificate?: { readonly chain: string; readonly privateKey: string };
}

export interface Credentials {
  /** For the next request. Rejects with `ClusterAccessError` when there are none to be had. */
  current(): Promise<Identity>;
  /** The API refused them (401): the next call of `current` gets new ones where there are any. */
  discard(): void;
}

/** The same for ever. */
export function fixedCredentials(identity: Identity): Credentials {
  return { current: () => Promise.resolve(identity), discard() {} };
}
