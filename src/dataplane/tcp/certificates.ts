/** Which certificate a client is shown, and the TLS contexts made of them. */

import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TcpRouteTls, TlsCertificate } from '../route-table.ts';

const tls13Ciphers = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

type Termination = Extract<TcpRouteTls, { mode: 'terminate' }>;

interface StoredCertificate {
  readonly certificate: TlsCertificate;
  /** Lower case; `*.` stands for one label. */
  readonly names: readonly string[];
  /** By the options it is used with. */
  readonly contexts: Map<string, SecureContext>;
}

/** The certificates of one table. Contexts are made when first needed and outlive a change that leaves theirs alone. */
export class CertificateStore {
  readonly #byIdentity = new Map<string, StoredCertificate>();
  readonly #byName = new Map<string, StoredCertificate>();
  readonly #byHost = new Map<string, StoredCertificate>();

  constructor(certificates: readonly TlsCertificate[], before?: CertificateStore) {
    for (const certificate of certificates) {
      const identity = `${certificate.certificateChain}\n${certificate.privateKey}`;
      const known = before === undefined ? undefined : before.#byIdentity.get(identity);
      const stored = known ?? {
        certificate,
        names: certificateNames(certificate.certificateChain),
        contexts: new Map<string, SecureContext>(),
      };
      this.#byIdentity.set(identity, stored);
      this.#byName.set(certificate.name, stored);
      for (const name of stored.names) if (!this.#byHost.has(name)) this.#byHost.set(name, stored);
    }
  }

  /** Undefined where the route has nothing to show. Throws when OpenSSL cannot use what it has. */
  contextFor(tls: Termination, serverName: string): SecureContext | undefined {
    const stored = this.#select(tls, serverName);
    if (!stored) return undefined;
    const key = JSON.stringify(tls.options ?? {});
    const present = stored.contexts.get(key);
    if (present) return present;
    const context = makeContext(stored.certificate, tls);
    stored.contexts.set(key, context);
    return context;
  }

  /** The route's own where it covers the name, else any that does, else the route's own, as Traefik's store. */
  #select({ certificate, options }: Termination, serverName: string): StoredCertificate | undefined {
    const own = certificate === undefined ? undefined : this.#byName.get(certificate);
    const wildcard = serverName.replace(/^[^.]+/, '*');
    if (own?.names.some((name) => name === serverName || name === wildcard)) return own;
    const fitting = this.#byHost.get(serverName) ?? this.#byHost.get(wildcard);
    return fitting ?? (options?.sniStrict ? undefined : own);
  }
}

/** Empty for a certificate that cannot be read: making a context of it says why. */
function certificateNames(chain: string): string[] {
  try {
    const names = new X509Certificate(chain).subjectAltName ?? '';
    return [...names.matchAll(/(?:^|, )DNS:([\w.*-]+)/g)].map((match) => (match[1] ?? '').toLowerCase());
  } catch {
    return [];
  }
}

function makeContext(
  { certificateChain, privateKey }: TlsCertificate,
  { options }: Termination,
): SecureContext {
  const { minVersion = 'TLSv1.2', maxVersion, cipherSuites, curves, clientAuthorities } = options ?? {};
  return createSecureContext({
    cert: certificateChain,
    key: privateKey,
    minVersion,
    ...(maxVersion ? { maxVersion } : {}),
    // Without one of TLS 1.3 in the list Node would switch TLS 1.3 off; Go does not let it be configured.
    ...(cipherSuites?.length ? { ciphers: [...tls13Ciphers, ...cipherSuites].join(':') } : {}),
    ...(curves?.length ? { ecdhCurve: curves.join(':') } : {}),
    ...(clientAuthorities?.length ? { ca: [...clientAuthorities] } : {}),
  });
}
