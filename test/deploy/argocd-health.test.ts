/** The health check that deploy/argocd gives to Argo CD, run on the statuses that the ingress writes. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RouteReports } from '../../src/ingress/status/route-status.ts';
import { backend, outcomeOf, tcpRoute, udpRoute } from '../ingress/conformance/traefik-world.ts';
import { hasProgram } from '../support/programs.ts';

const path = resolve(import.meta.dirname, '../../deploy/argocd/argocd-cm.yaml');
const { data } = parse(readFileSync(path, 'utf8')) as { data: Record<string, string> };
const scriptOf = (kind: string) => data[`resource.customizations.health.traefik.io_${kind}`] ?? '';

/** Argo CD opens the base and table libraries and a clock. The script gets less: no clock, and nothing that loads or opens. */
const sandbox = `
local given = { "assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber", "tostring", "type", "unpack" }
local environment = { table = table, obj = obj }
for _, name in ipairs(given) do environment[name] = _G[name] end
local check = assert(loadstring(script, "health"))
setfenv(check, environment)
local health = check()
print(health.status)
print(health.message)
`;

function lua(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return luaText(value);
  if (Array.isArray(value)) return `{ ${value.map(lua).join(', ')} }`;
  if (typeof value === 'object') {
    const fields = Object.entries(value).map(([key, field]) => `[${luaText(key)}] = ${lua(field)}`);
    return `{ ${fields.join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** Each byte by its number: Lua 5.1 knows no other escape that is JSON's too. */
function luaText(text: string): string {
  return `"${[...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
}

function healthOf(object: { kind: string }): { status: string; message: string } {
  const program = `obj = ${lua(object)}\nscript = ${luaText(scriptOf(object.kind))}\n${sandbox}`;
  const run = spawnSync('lua5.1', ['-'], { input: program, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const [status = '', ...message] = run.stdout.replace(/\n$/, '').split('\n');
  return { status, message: message.join('\n') };
}

/** The route of that name among the objects, with the status that it gets. */
function routeOf(yaml: string, name: string) {
  const reports = new RouteReports().of(outcomeOf(yaml).routing);
  const report = reports.find(({ object }) => object.metadata.name === name);
  if (!report) throw new Error(`no route ${name}`);
  return { ...report.object, status: report.status };
}

const app = backend('app');
const tcpApp = backend('whoamitcp', {
  ports: '[{ name: myapp, port: 8000 }]',
  slicePorts: '[{ name: myapp, port: 8000 }]',
});
const toApp = '[{ name: app, port: 8000 }]';
const older = 'creationTimestamp: "2020-01-01T00:00:00Z"';
const younger = 'creationTimestamp: "2021-01-01T00:00:00Z"';

describe.skipIf(!hasProgram('lua5.1'))('the health that Argo CD shows (needs lua5.1)', () => {
  it.each([
    ['a UDP route that is served', `${app}${udpRoute('r', toApp)}`, '2 endpoints are ready'],
    ['a TCP route that is served', `${tcpApp}${tcpRoute('r', 'HostSNI(`*`)')}`, '2 endpoints are ready'],
    [
      'a route that holds one of its two entry points',
      `${app}${udpRoute('old', toApp, { metadata: older })}${udpRoute('r', toApp, { metadata: younger, entryPoints: '[foo, bar]' })}`,
      '2 endpoints are ready; foo is held by default-old-0',
    ],
  ])('is Healthy for %s', (_what, yaml, message) => {
    expect(healthOf(routeOf(yaml, 'r'))).toEqual({ status: 'Healthy', message });
  });

  it.each([
    ['a Service that is missing', udpRoute('r', toApp), /^ServiceNotFound: SL3102: /],
    ['a missing Service of a TCP route', tcpRoute('r', 'HostSNI(`*`)'), /^ServiceNotFound: SL3102: /],
    [
      'a port that is missing',
      `${app}${udpRoute('r', '[{ name: app, port: 1 }]')}`,
      /^PortNotFound: SL3103: /,
    ],
    [
      'a Service without endpoints',
      `${backend('app', { addresses: [] })}${udpRoute('r', toApp)}`,
      /^NoEndpoints: SL3104: /,
    ],
    [
      'an entry point that is missing',
      `${app}${udpRoute('r', toApp, { entryPoints: '[nope]' })}`,
      /^NoEntryPoint: SL3101: /,
    ],
    [
      'an older route that has the datagrams',
      `${app}${udpRoute('old', toApp, { metadata: older })}${udpRoute('r', toApp, { metadata: younger })}`,
      /^Shadowed: entry point foo is held by route default-old-0$/,
    ],
    ['a rule that cannot be read', `${tcpApp}${tcpRoute('r', 'HostSNI(')}`, /^InvalidRule: SL320/],
  ])('is Degraded for %s', (_what, yaml, message) => {
    const health = healthOf(routeOf(yaml, 'r'));
    expect(health.status).toBe('Degraded');
    expect(health.message).toMatch(message);
  });

  const served = routeOf(`${app}${udpRoute('r', toApp)}`, 'r');
  const unknown = { type: 'Programmed', status: 'Unknown', reason: 'Pending', message: 'wait' };

  it.each([
    ['has no status yet', { ...served, status: undefined }, 'no status yet'],
    ['has an empty status', { ...served, status: {} }, 'no status yet'],
    ['has no conditions yet', { ...served, status: { conditions: [] } }, 'no status yet'],
    ['is not known to be served', { ...served, status: { conditions: [unknown] } }, 'no status yet'],
    [
      'was changed after its status was written',
      {
        ...served,
        metadata: { ...served.metadata, generation: 2 },
        status: { conditions: served.status.conditions.map((one) => ({ ...one, observedGeneration: 1 })) },
      },
      'its latest change has not been looked at yet',
    ],
  ])('is Progressing while a route %s', (_what, object, message) => {
    expect(healthOf(object)).toEqual({ status: 'Progressing', message });
  });

  it('keeps the words of a message as they are', () => {
    const message = 'a "quoted" \\ back\\slash, 100 %, ü and\na line';
    const condition = { type: 'Accepted', status: 'False', reason: 'Because', message };
    const object = { ...served, status: { conditions: [condition] } };
    expect(healthOf(object)).toEqual({ status: 'Degraded', message: `Because: ${message}` });
  });
});
