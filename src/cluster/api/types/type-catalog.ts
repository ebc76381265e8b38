/** Every type the API serves at the moment, custom ones as their definitions come and go. */

import {
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  equalJson,
  type KubeObject,
  networkPolicies,
  type ResourceType,
  roleBindings,
  roles,
} from '../../../kubernetes/index.ts';
import type { Store, StoreEvent, Subscription } from '../../store/types.ts';
import { customRules } from '../validation/custom-rules.ts';
import { definitionRules } from '../validation/definition-rules.ts';
import { requiredFieldRules } from '../validation/required-fields.ts';
import {
  type CustomResourceDefinition,
  describeCustom,
  establishedStatus,
} from './custom-resource-definition.ts';
import { describeBuiltIn, type ServedType } from './served-type.ts';
import { storedTypes } from './stored-types.ts';

/** Groups that the store knows by itself and that definitions describe. */
const preinstalledGroups = new Set(['traefik.io', 'argoproj.io']);

/** Kinds that the store serves by itself and checks nothing of but the metadata. */
const typesWithoutRules = [roles, roleBindings, clusterRoles, clusterRoleBindings, networkPolicies];

const versionKey = ({ group, version, plural }: Pick<ResourceType, 'group' | 'version' | 'plural'>) =>
  `${group}/${version}/${plural}`;

export class TypeCatalog {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  readonly #custom = new Map<string, ServedType>();
  readonly #builtIn = new Map<string, ServedType>();
  #subscription: Subscription | undefined;
  #generation = 0;
  #leave: (() => void) | undefined;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** Serves what the stored definitions define, from now on. */
  start(): void {
    for (const type of [...storedTypes, ...typesWithoutRules]) {
      this.#store.types.add(type, requiredFieldRules(type, describeBuiltIn(type).schema));
    }
    const isBuiltIn = (group: string, plural: string) =>
      this.#store.types.list().some((type) => type.group === group && type.plural === plural) &&
      ![...this.#custom.values()].some(({ type }) => type.group === group && type.plural === plural) &&
      !preinstalledGroups.has(group);
    this.#store.types.add(customResourceDefinitions, definitionRules(isBuiltIn));
    this.#leave = this.#store.types.onChange(() => {
      this.#generation += 1;
    });
    this.#subscription = this.#store.subscribe(customResourceDefinitions, {
      // Not at once: whoever is being told of a commit may not write.
      onEvent: (event) => setImmediate(() => this.#follow(event)),
    });
  }

  /** Resolves when every definition known by now is served. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }

  stop(): void {
    this.#leave?.();
    this.#subscription?.close();
  }

  /** Changes whenever the list of types does. */
  get generation(): number {
    return this.#generation;
  }

  list(): ServedType[] {
    return this.#store.types.list().map((type) => this.#describe(type));
  }

  find(group: string, version: string, plural: string): ServedType | undefined {
    const type = this.#store.types.find(group, version, plural);
    return type && this.#describe(type);
  }

  #describe(type: ResourceType): ServedType {
    const key = versionKey(type);
    const known = this.#custom.get(key) ?? this.#builtIn.get(key);
    if (known) return known;
    const described = describeBuiltIn(type);
    this.#builtIn.set(key, described);
    return described;
  }

  #follow({ type, object }: StoreEvent): void {
    try {
      const definition = object as CustomResourceDefinition;
      if (type === 'DELETED') this.#withdraw(definition);
      else this.#serve(definition);
    } catch (error) {
      this.#onError(error);
    }
  }

  #serve(definition: CustomResourceDefinition): void {
    const types = describeCustom(definition);
    const keys = new Set(types.map(({ type }) => versionKey(type)));
    for (const served of types) {
      this.#custom.set(versionKey(served.type), served);
      this.#store.types.add(served.type, customRules(served));
    }
    for (const served of this.#versionsOf(definition)) {
      if (!keys.has(versionKey(served.type))) this.#remove(served);
    }
    this.#establish(definition).catch(this.#onError);
  }

  #withdraw(definition: CustomResourceDefinition): void {
    for (const served of this.#versionsOf(definition)) this.#remove(served);
  }

  #versionsOf({ spec: { group, names } }: CustomResourceDefinition): ServedType[] {
    return [...this.#custom.values()].filter(
      ({ type }) => type.group === group && type.plural === names.plural,
    );
  }

  #remove({ type }: ServedType): void {
    this.#custom.delete(versionKey(type));
    this.#store.types.remove(type);
  }

  async #establish(definition: CustomResourceDefinition): Promise<void> {
    const status = establishedStatus(definition);
    if (equalJson(status, definition.status)) return;
    const change = (current: KubeObject) => ({ ...current, status });
    await this.#store.modify(customResourceDefinitions, undefined, definition.metadata.name, change, {
      subresource: 'status',
      ...(definition.metadata.uid && { uid: definition.metadata.uid }),
    });
  }
}
