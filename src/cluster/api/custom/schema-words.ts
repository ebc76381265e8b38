/** Short words for writing OpenAPI schemas of custom resources. */

export type Node = Record<string, unknown>;

export const text = (description: string, more: Node = {}): Node => ({
  type: 'string',
  description,
  ...more,
});

export const whole = (description: string, more: Node = {}): Node => ({
  type: 'integer',
  description,
  ...more,
});

export const flag = (description: string): Node => ({ type: 'boolean', description });

/** A number or a name, as ports are. */
export const intOrString = (description: string): Node => ({
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  description,
});

export const list = (items: Node, description: string, more: Node = {}): Node => ({
  type: 'array',
  items,
  description,
  ...more,
});

/** Fields whose name ends in `!` are required. */
export function object(properties: Record<string, Node>, description?: string): Node {
  const names = Object.keys(properties);
  const required = names.filter((name) => name.endsWith('!')).map((name) => name.slice(0, -1));
  return {
    type: 'object',
    ...(description && { description }),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, node]) => [name.replace(/!$/, ''), node]),
    ),
    ...(required.length > 0 && { required }),
  };
}

export const map = (values: Node, description: string): Node => ({
  type: 'object',
  additionalProperties: values,
  description,
});

/** Anything, kept as it comes. */
export const open = (description: string): Node => ({
  type: 'object',
  description,
  'x-kubernetes-preserve-unknown-fields': true,
});

export const conditions: Node = list(
  object({
    'type!': text('What the condition says something about.'),
    'status!': text('Whether it holds.', { enum: ['True', 'False', 'Unknown'] }),
    'reason!': text('Why, in one word.'),
    'message!': text('Why, for people.'),
    'lastTransitionTime!': text('When the status changed last.', { format: 'date-time' }),
    observedGeneration: whole('The generation of the object that was looked at.', { format: 'int64' }),
  }),
  'What is known of the object.',
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
);

/** A name and, where it is elsewhere, a namespace. */
export const reference = (what: string): Node =>
  object(
    { 'name!': text(`Name of the ${what}.`), namespace: text(`Namespace of the ${what}.`) },
    `A ${what}.`,
  );
