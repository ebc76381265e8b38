/** What an IngressRouteTCP and its TLSOption say about the client's TLS. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { TcpRouteTls, TlsCertificate, TlsOptions, TlsVersion } from '../../dataplane/index.ts';
import type { TLSOption } from '../../kubernetes/index.ts';
import { openSslCipher } from './tcp-ciphers.ts';
import {
  authorities,
  followReference,
  keyPair,
  namespaceOf,
  report,
  type TcpContext,
} from './tcp-references.ts';

export interface CompiledTls {
  /** Absent: the connection is raw TCP. */
  readonly tls?: TcpRouteTls;
  readonly certificate?: TlsCertificate;
  /** The route must refuse its connections, for this. */
  readonly problem?: string;
}

/** For all routes of one IngressRouteTCP. */
export function compileTls(context: TcpContext): CompiledTls {
  const { tls } = context.ingressRoute.spec;
  if (!tls) return {};
  if (tls.passthrough) return { tls: { mode: 'passthrough' } };
  const certificate = readCertificate(context);
  const options = readOptions(context);
  const problem = [certificate, options].find((one) => typeof one === 'string');
  if (typeof certificate === 'string' || typeof options === 'string') {
    return { tls: { mode: 'terminate' }, problem: String(problem) };
  }
  const terminate = {
    mode: 'terminate',
    ...(certificate ? { certificate: certificate.name } : {}),
    ...(options ? { options } : {}),
  } as const;
  return { tls: terminate, ...(certificate ? { certificate } : {}) };
}

/** A string, after a finding, says what is wrong with it. */
function readCertificate(context: TcpContext): TlsCertificate | string | undefined {
  const { tls } = context.ingressRoute.spec;
  if (tls?.certResolver) {
    const message = `certResolver is not supported: put the certificate into a Secret and name it as secretName`;
    report(context, { code: 'SL3108', message, path: ['spec', 'tls', 'certResolver'], severity: 'warning' });
  }
  if (!tls?.secretName) {
    const message =
      'no secretName: only clients whose SNI the certificate of another route covers can connect';
    report(context, { code: 'SL3204', message, path: ['spec', 'tls'], severity: 'warning' });
    return undefined;
  }
  const name = `${namespaceOf(context.ingressRoute)}/${tls.secretName}`;
  const pair = keyPair(name, context.objects.secrets);
  const problem = typeof pair === 'string' ? pair : keyPairProblem(name, pair);
  if (problem === undefined && typeof pair !== 'string') return { name, ...pair };
  report(context, { code: 'SL3204', message: problem ?? '', path: ['spec', 'tls', 'secretName'] });
  return problem;
}

function keyPairProblem(
  name: string,
  { certificateChain, privateKey }: { certificateChain: string; privateKey: string },
): string | undefined {
  try {
    const fits = new X509Certificate(certificateChain).checkPrivateKey(createPrivateKey(privateKey));
    return fits ? undefined : `Secret ${name}: tls.key is not the key of tls.crt`;
  } catch (error) {
    return `Secret ${name} holds no certificate and key in PEM: ${(error as Error).message}`;
  }
}

/** The named one, or the one called `default`, which Traefik applies to whoever names none. */
function readOptions(context: TcpContext): TlsOptions | string | undefined {
  const reference = context.ingressRoute.spec.tls?.options;
  const path = ['spec', 'tls', 'options'];
  const { tlsOptions } = context.objects;
  if (!reference || reference.name === 'default') {
    const defaults = [...tlsOptions.values()].filter(({ metadata }) => metadata.name === 'default');
    // Several that are called so cancel each other out, as in Traefik.
    return defaults.length === 1 ? translateOptions(defaults[0]!, path, context) : undefined;
  }
  const name = followReference(reference, 'TLSOption', path, context);
  if (name === undefined) return `TLSOption ${reference.name} may not be used`;
  const found = tlsOptions.get(name);
  if (found) return translateOptions(found, path, context);
  const message = `TLSOption ${name} not found`;
  report(context, { code: 'SL3204', message, path: [...path, 'name'] });
  return message;
}

const versions: Readonly<Record<string, TlsVersion>> = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
};

const curves: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  P256: 'P-256',
  CurveP384: 'P-384',
  P384: 'P-384',
  CurveP521: 'P-521',
  P521: 'P-521',
  X25519: 'X25519',
};

const clientAuthTypes: Readonly<Record<string, TlsOptions['clientCertificate']>> = {
  NoClientCert: undefined,
  RequestClientCert: 'request',
  RequireAnyClientCert: 'require-any',
  VerifyClientCertIfGiven: 'verify-if-given',
  RequireAndVerifyClientCert: 'require',
};

function translateOptions(
  option: TLSOption,
  path: readonly string[],
  context: TcpContext,
): TlsOptions | string {
  const { spec } = option;
  const name = `${namespaceOf(option)}/${option.metadata.name}`;
  const ciphers = (spec.cipherSuites ?? []).map((suite) => [suite, openSslCipher(suite)] as const);
  const preferred = (spec.curvePreferences ?? []).map((curve) => [curve, curves[curve]] as const);
  const authType = spec.clientAuth?.clientAuthType ?? 'NoClientCert';
  const roots = (spec.clientAuth?.secretNames ?? []).map(
    (secret) => [secret, authorities(`${namespaceOf(option)}/${secret}`, context.objects.secrets)] as const,
  );
  const unknown = [
    ...[spec.minVersion, spec.maxVersion].filter((version) => version && !versions[version]),
    ...[...ciphers, ...preferred].filter(([, known]) => !known).map(([written]) => written),
    ...(Object.hasOwn(clientAuthTypes, authType) ? [] : [authType]),
  ];
  const missing = roots.find(([, pem]) => !pem)?.[0];
  const problem =
    unknown.length > 0
      ? `TLSOption ${name}: ${unknown.join(', ')} is nothing that OpenSSL knows`
      : missing && `TLSOption ${name}: Secret ${missing} with a tls.ca or ca.crt not found`;
  if (problem) {
    report(context, { code: 'SL3204', message: problem, path });
    return problem;
  }
  const present = <Value>(pairs: readonly (readonly [string, Value | undefined])[]) =>
    pairs.flatMap(([, value]) => value ?? []);
  const clientCertificate = clientAuthTypes[authType];
  return {
    ...(spec.minVersion ? { minVersion: versions[spec.minVersion]! } : {}),
    ...(spec.maxVersion ? { maxVersion: versions[spec.maxVersion]! } : {}),
    ...(ciphers.length > 0 ? { cipherSuites: present(ciphers) } : {}),
    ...(preferred.length > 0 ? { curves: present(preferred) } : {}),
    ...(spec.alpnProtocols?.length ? { alpnProtocols: spec.alpnProtocols } : {}),
    ...(spec.sniStrict ? { sniStrict: true } : {}),
    ...(clientCertificate ? { clientCertificate } : {}),
    ...(clientCertificate && roots.length > 0 ? { clientAuthorities: present(roots) } : {}),
  };
}
