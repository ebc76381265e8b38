/** Argo CD's custom resources, in words of our own. */

import type { KubeObject } from '../../../kubernetes/index.ts';
import { definition } from './definition.ts';
import { flag, list, map, type Node, object, open, text, whole } from './schema-words.ts';

const argoproj = { group: 'argoproj.io', version: 'v1alpha1' } as const;

const helm: Node = object(
  {
    releaseName: text("The release's name; the Application's where absent."),
    values: text('Values of the chart, as YAML.'),
    valuesObject: open('Values of the chart.'),
    valueFiles: list(text('A file of values.'), 'Files of values, later ones over earlier.'),
    parameters: list(
      object({
        name: text("The value's path."),
        value: text('The value.'),
        forceString: flag('Do not read the value as a number or a boolean.'),
      }),
      'Single values.',
    ),
    fileParameters: list(open('A value out of a file.'), 'Single values out of files.'),
    ignoreMissingValueFiles: flag('Pass over files of values that are not there.'),
    namespace: text('The namespace that the chart is rendered for.'),
    kubeVersion: text('The Kubernetes version that the chart is rendered for.'),
    apiVersions: list(text('An API version.'), 'The API versions that the chart is rendered for.'),
    passCredentials: flag('Send the credentials to every host.'),
    skipCrds: flag('Leave out CustomResourceDefinitions.'),
    skipSchemaValidation: flag("Do not check the values against the chart's schema."),
    skipTests: flag('Leave out tests.'),
    version: text('The version of Helm.'),
  },
  'How a Helm chart is rendered.',
);

const source: Node = object(
  {
    'repoURL!': text('The repository, of git or of charts.'),
    path: text('The folder in a git repository.'),
    targetRevision: text("A branch, tag or commit, or the chart's version."),
    chart: text('The name of the chart.'),
    ref: text('A name by which other sources refer to this one.'),
    name: text("The source's name."),
    helm,
    kustomize: open('How a kustomization is rendered.'),
    directory: open('How plain manifests are read.'),
    plugin: open('How a plugin renders.'),
  },
  'Where the manifests come from.',
);

const syncPolicy: Node = object(
  {
    automated: object(
      {
        enabled: flag('Whether to synchronise without being told.'),
        prune: flag('Delete what is no longer in the source.'),
        selfHeal: flag('Undo changes made in the cluster.'),
        allowEmpty: flag('Delete even everything.'),
      },
      'Synchronise without being told.',
    ),
    syncOptions: list(text('An option, as CreateNamespace=true.'), 'Options.'),
    retry: open('How often a failed synchronisation is tried again.'),
    managedNamespaceMetadata: open('Labels and annotations of the namespace.'),
  },
  'When and how the cluster is made to match the source.',
);

const application = definition({
  ...argoproj,
  kind: 'Application',
  shortNames: ['app', 'apps'],
  description: 'A part of a git tree, or a chart, that is kept applied to a cluster.',
  columns: [
    { name: 'Sync Status', type: 'string', jsonPath: '.status.sync.status' },
    { name: 'Health Status', type: 'string', jsonPath: '.status.health.status' },
    { name: 'Revision', type: 'string', jsonPath: '.status.sync.revision', priority: 10 },
    { name: 'Project', type: 'string', jsonPath: '.spec.project', priority: 10 },
  ],
  spec: object(
    {
      'project!': text('The AppProject that the Application belongs to.'),
      source,
      sources: list(source, 'Several sources.'),
      sourceHydrator: open('Where rendered manifests are written to.'),
      'destination!': object(
        {
          server: text("The cluster's address."),
          name: text("The cluster's name."),
          namespace: text('The namespace of objects that name none.'),
        },
        'Where the objects go.',
      ),
      syncPolicy,
      ignoreDifferences: list(open('Fields that may differ.'), 'What may differ between source and cluster.'),
      info: list(
        object({ 'name!': text('What it says.'), 'value!': text('What it is.') }),
        'Notes for people.',
      ),
      revisionHistoryLimit: whole('Synchronisations remembered.', { format: 'int64' }),
    },
    'What is applied, and where.',
  ),
  status: open('What came of it.'),
  more: { operation: open('A synchronisation that was asked for.') },
});

const project = definition({
  ...argoproj,
  kind: 'AppProject',
  shortNames: ['appproj', 'appprojs'],
  description: 'What the Applications of a project may use. Stored only.',
  spec: object(
    {
      description: text('What the project is.'),
      sourceRepos: list(text('A repository, or *.'), 'Repositories that may be used.'),
      destinations: list(
        object({ server: text('A cluster.'), name: text('A cluster.'), namespace: text('A namespace.') }),
        'Where objects may go.',
      ),
      clusterResourceWhitelist: list(open('A group and kind.'), "Cluster's kinds that may be applied."),
      clusterResourceBlacklist: list(open('A group and kind.'), "Cluster's kinds that may not be applied."),
      namespaceResourceWhitelist: list(open('A group and kind.'), 'Kinds that may be applied.'),
      namespaceResourceBlacklist: list(open('A group and kind.'), 'Kinds that may not be applied.'),
      roles: list(open('A role.'), 'Who may do what.'),
      syncWindows: list(open('A window.'), 'When synchronising is allowed.'),
      orphanedResources: open('What is said of objects that nobody applies.'),
      signatureKeys: list(open('A key.'), 'Keys that commits must be signed with.'),
      sourceNamespaces: list(text('A namespace.'), 'Namespaces that Applications may live in.'),
      permitOnlyProjectScopedClusters: flag('Only clusters of the project may be used.'),
      destinationServiceAccounts: list(open('An account.'), 'Whom objects are applied as.'),
    },
    'What is allowed.',
  ),
  status: map(open('Of one cluster.'), 'What is known of it.'),
});

const applicationSet = definition({
  ...argoproj,
  kind: 'ApplicationSet',
  shortNames: ['appset', 'appsets'],
  description: 'A template of Applications. Stored only.',
  spec: open('The generators and the template.'),
  status: open('What came of it.'),
  statusSubresource: true,
});

export const argoCdDefinitions: readonly KubeObject[] = [application, applicationSet, project];
