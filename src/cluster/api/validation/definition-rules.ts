/** What a CustomResourceDefinition must be for the API to serve it. */

import {
  type ApiErrorCause,
  customResourceDefinitions,
  isObject,
  type JsonObject,
  type KubeObject,
} from '../../../kubernetes/index.ts';
import type { TypeRules } from '../../store/types.ts';
import { invalidObject } from '../status.ts';

const domain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const approval = 'api-approved.kubernetes.io';

/** `isBuiltIn`: whether a resource is served without a definition. */
export function definitionRules(isBuiltIn: (group: string, plural: string) => boolean): TypeRules {
  return {
    prepare(draft) {
      const spec = asObject(draft.spec);
      const names = asObject(spec.names);
      if (typeof names.kind === 'string') {
        names.singular ??= names.kind.toLowerCase();
        names.listKind ??= `${names.kind}List`;
      }
      spec.conversion ??= { strategy: 'None' };
    },
    validate(definition) {
      const causes = new DefinitionCheck(definition, isBuiltIn).run();
      if (causes.length > 0) throw invalidObject(customResourceDefinitions, definition.metadata.name, causes);
    },
  };
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

class DefinitionCheck {
  readonly #definition: KubeObject;
  readonly #isBuiltIn: (group: string, plural: string) => boolean;
  readonly #causes: ApiErrorCause[] = [];

  constructor(definition: KubeObject, isBuiltIn: (group: string, plural: string) => boolean) {
    this.#definition = definition;
    this.#isBuiltIn = isBuiltIn;
  }

  run(): ApiErrorCause[] {
    const { metadata } = this.#definition;
    const spec = asObject(this.#definition.spec);
    const names = asObject(spec.names);
    const group = this.#text(spec.group, 'spec.group');
    const plural = this.#text(names.plural, 'spec.names.plural');
    this.#text(names.kind, 'spec.names.kind');
    if (group && !domain.test(group)) {
      this.#invalid('spec.group', group, 'should be a domain with at least one dot');
    }
    if (plural && !label.test(plural)) {
      this.#invalid(
        'spec.names.plural',
        plural,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'",
      );
    }
    if (group && plural && metadata.name !== `${plural}.${group}`) {
      this.#invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group');
    }
    this.#checkGroup(group, plural);
    if (spec.scope !== 'Namespaced' && spec.scope !== 'Cluster') this.#scope(spec.scope);
    this.#checkVersions(spec.versions);
    return this.#causes;
  }

  #add(reason: string, field: string, message: string): void {
    this.#causes.push({ reason, field, message });
  }

  #invalid(field: string, value: unknown, why: string): void {
    this.#add('FieldValueInvalid', field, `Invalid value: ${JSON.stringify(value)}: ${why}`);
  }

  #text(value: unknown, field: string): string {
    if (typeof value === 'string' && value !== '') return value;
    this.#add('FieldValueRequired', field, 'Required value');
    return '';
  }

  #scope(value: unknown): void {
    if (value === undefined || value === '') this.#add('FieldValueRequired', 'spec.scope', 'Required value');
    else {
      const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "Cluster", "Namespaced"`;
      this.#add('FieldValueNotSupported', 'spec.scope', message);
    }
  }

  #checkGroup(group: string, plural: string): void {
    const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(group);
    if (isProtected && !this.#definition.metadata.annotations?.[approval]) {
      const why = `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`;
      this.#add('FieldValueRequired', `metadata.annotations[${approval}]`, `Required value: ${why}`);
    }
    if (this.#isBuiltIn(group, plural)) {
      this.#invalid('spec.names.plural', plural, 'the resource is served without a definition');
    }
  }

  #checkVersions(value: unknown): void {
    const versions = (Array.isArray(value) ? value : []).map(asObject);
    if (versions.filter(({ storage }) => storage === true).length !== 1) {
      this.#invalid(
        'spec.versions',
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      );
    }
    const seen = new Set<unknown>();
    for (const [index, version] of versions.entries()) {
      const at = `spec.versions[${index}]`;
      const name = this.#text(version.name, `${at}.name`);
      if (name && !label.test(name))
        this.#invalid(`${at}.name`, name, 'a DNS-1035 label must start with a letter');
      if (seen.has(name)) this.#invalid('spec.versions', name, 'must contain unique version names');
      seen.add(name);
      this.#checkSchema(version, `${at}.schema.openAPIV3Schema`);
    }
  }

  #checkSchema(version: JsonObject, at: string): void {
    const { openAPIV3Schema: schema } = asObject(version.schema);
    if (!isObject(schema)) this.#add('FieldValueRequired', at, 'Required value: schemas are required');
    else if (schema.type !== 'object') {
      if (schema.type === undefined)
        this.#add('FieldValueRequired', `${at}.type`, 'Required value: must not be empty at the root');
      else this.#invalid(`${at}.type`, schema.type, 'must be object at the root');
    }
  }
}
