/**
 * Types of apiextensions.v1. The notation is explained in ../notation.ts. Schemas of custom resources nest without end
 * and are `any` here.
 */
export const apiextensionsTypes = `
CustomResourceDefinition object | Adds a kind of objects to the API.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  spec! 2 CustomResourceDefinitionSpec | What is wanted.
  status 3 CustomResourceDefinitionStatus | What the server made of it.
CustomResourceDefinitionSpec
  group! 1 string | The API group; the object's name is the plural, a dot, and the group.
  names! 3 CustomResourceDefinitionNames | What the kind is called.
  scope! 4 string | Namespaced or Cluster.
  versions! 7 [CustomResourceDefinitionVersion] | The versions, exactly one of them stored.
  conversion 9 CustomResourceConversion | How versions are converted. None where absent.
  preserveUnknownFields 10 bool | Must be false.
CustomResourceDefinitionNames
  plural! 1 string | The name in paths.
  singular 2 string | The name of one. The kind in lower case where absent.
  shortNames 3 [string] | Short names for the command line.
  kind! 4 string | The name in objects.
  listKind 5 string | The name of a list. The kind and List where absent.
  categories 6 [string] | Words that stand for several kinds, as all.
CustomResourceDefinitionVersion
  name! 1 string | The version, as v1alpha1.
  served! 2 bool | Whether the API serves it.
  storage! 3 bool | Whether objects are kept in it.
  schema 4 CustomResourceValidation | The shape of the objects.
  subresources 5 CustomResourceSubresources | status and scale.
  additionalPrinterColumns 6 [CustomResourceColumnDefinition] | The columns of kubectl get.
  deprecated 7 bool | Whether clients are warned of it.
  deprecationWarning 8 string | The warning.
  selectableFields 9 [SelectableField] | Fields that field selectors may name.
SelectableField
  jsonPath! 1 string | The field.
CustomResourceValidation
  openAPIV3Schema 1 any | The schema.
CustomResourceSubresources
  status 1 any | Whether the status is written apart from the rest.
  scale 2 CustomResourceSubresourceScale | Where the replicas stand.
CustomResourceSubresourceScale
  specReplicasPath! 1 string | The wanted number.
  statusReplicasPath! 2 string | The present number.
  labelSelectorPath 3 string | The selector's text.
CustomResourceColumnDefinition
  name! 1 string | The heading.
  type! 2 string | string, integer, number, boolean or date.
  format 3 string | The type's format.
  description 4 string | What the column says.
  priority 5 int32 | More than 0: shown with -o wide only.
  jsonPath! 6 string | The field.
CustomResourceConversion
  strategy! 1 string | None.
  webhook 2 any | Not supported.
CustomResourceDefinitionStatus
  conditions 1 [CustomResourceDefinitionCondition] map=type | Established, NamesAccepted and others.
  acceptedNames 2 CustomResourceDefinitionNames | The names in use.
  storedVersions 3 [string] | Versions that objects may be kept in.
CustomResourceDefinitionCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
`;
